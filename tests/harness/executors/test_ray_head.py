"""A driver that loses the head of its Ray, without a Ray."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.errors import EngineLost
from harness.executors.ray import head
from harness.executors.ray.executor import RayExecutor
from harness.executors.ray.head import CHECK_S, LOST_S, Head, greet
from tests.helpers.fake_head import SSH, Server

REPOSITORY = Path(__file__).parents[3]
LOST = "--backend ray: the head 127.0.0.1:{} has not answered for .* s; nothing is lost: .* run the same command"


@pytest.fixture
def clock(monkeypatch):
    """Seconds, in a list."""
    now = [0.0]
    monkeypatch.setattr(head, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(head, "ANSWER_S", 1.0)
    return now


def test_a_head_that_comes_back_in_time_is_not_lost_and_one_that_does_not_is(clock):
    server = Server()
    port = server.port
    at = Head(server.address)

    def later(seconds):
        clock[0] += seconds
        at.check()

    later(CHECK_S)
    server.close()
    later(CHECK_S)
    later(LOST_S - 1.0)
    server = Server(port=port)
    later(CHECK_S)
    server.close()
    later(CHECK_S)
    later(LOST_S - 1.0)
    with pytest.raises(EngineLost, match=LOST.format(port)):
        later(CHECK_S)


def test_the_executor_says_so_while_it_waits_and_before_it_asks_ray_for_anything(clock):
    executor = RayExecutor.__new__(RayExecutor)
    executor._head = Head("127.0.0.1:9")
    executor._jobs, executor._cluster = {}, "127.0.0.1:9"
    clock[0] += CHECK_S
    executor.wait(0.0)
    clock[0] += LOST_S
    with pytest.raises(EngineLost, match=LOST.format(9)):
        executor.wait(0.0)
    with pytest.raises(EngineLost, match=LOST.format(9)):
        executor.attach("a.b@127.0.0.1:9")


ASKS = """
import sys, time
from harness.cli.console import Console
from harness.executors.ray import head
head.CHECK_S = head.LOST_S = 0.05
with Console(), head.Head(sys.argv[1]).watched():
    time.sleep(float(sys.argv[2]))
"""


def ask(address, seconds):
    command = [sys.executable, "-c", ASKS, address, str(seconds)]
    return subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)


def test_a_driver_that_ray_holds_while_its_head_is_lost_ends_with_a_line():
    done = ask("127.0.0.1:9", 600.0)
    assert done.returncode == 75 and done.stderr.startswith("error: --backend ray: the head") and done.stdout == ""
    assert done.stderr.count("\n") == 1


def test_a_driver_whose_head_answers_is_left_alone():
    with Server() as server:
        done = ask(server.address, 1.0)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_head_that_hangs_is_lost(clock):
    """The system takes connections for a process that is stopped."""
    with Server(says=b"") as server:
        at = Head(server.address)
        clock[0] += CHECK_S
        at.check()
        clock[0] += LOST_S
        with pytest.raises(EngineLost, match=LOST.format(server.port)):
            at.check()


@pytest.mark.parametrize(
    ("says", "line"),
    [
        (b"", "it takes connections, and does not answer as a head of Ray does"),
        (b"\0\0", "it takes connections, and does not answer as a head of Ray does"),
        (SSH, "what listens there is no head of Ray"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "what listens there is no head of Ray"),
        (None, "what listens there is no head of Ray|reset"),
    ],
)
def test_what_listens_and_is_no_head_is_told_from_one(says, line):
    with Server(says) as server, pytest.raises(OSError, match=line):
        greet(server.address, 0.5)
    with Server() as server:
        greet(server.address, 5.0)


CONNECTS = """
import sys
from harness.cli.console import Console
from harness.executors.ray import head
from harness.executors.ray.cluster import connect
head.CONNECT_S = 1.0
with Console():
    connect(sys.argv[1])
"""


def test_a_head_is_greeted_over_ipv6():
    try:
        server = Server(host="::1")
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with server:
        assert server.address.startswith("[::1]:")
        greet(server.address, 5.0)


def test_what_greets_as_a_head_does_and_is_none_ends_the_driver_with_a_line():
    """Ray itself would try for ever."""
    pytest.importorskip("ray")
    with Server() as server:
        command = [sys.executable, "-c", CONNECTS, server.address]
        done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    ours = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 75 and len(ours) == 1
    assert f"--ray address={server.address}: Ray could not connect within 1 s" in ours[0]
