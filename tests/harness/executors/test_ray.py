"""What the Ray executor alone does, on a real cluster of two nodes (see ``test_clusters.py`` for the rest)."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import BadUsage
from harness.executors.base import Resources
from harness.executors.ray import starts
from harness.executors.ray.executor import RayExecutor
from harness.ledger.submission import recall
from tests.helpers.cluster_jobs import empty, end_of, prepared, quicken, until

REPOSITORY = Path(__file__).resolve().parents[3]
OTHER_VERSION = """
import ray
ray.__version__ = "2.1.0"
from harness.errors import BadUsage
from harness.executors.ray.cluster import connect
try:
    connect("auto")
except BadUsage as e:
    print(e)
"""

NAMINGS = """
import sys
from harness.executors.base import Resources
from harness.executors.ray.cluster import cluster_address, disconnect
from harness.executors.ray.executor import RayExecutor
for given in sys.argv[1:]:
    for _ in range(2):  # a command looks whether the cluster is there before it plans, and connects after that
        RayExecutor.create({"ray": given, "ray_jobs": None, "detach": None}, Resources())
    print(cluster_address())
    disconnect()
"""
DESCRIBE = """
import sys
from harness.executors.ray.executor import RayExecutor
print(*RayExecutor.describe(sys.argv[1:]).values(), sep="\\n")
"""


def said_elsewhere(program, *words):
    """What a process of its own prints, which this cluster is known to as it is to a user's."""
    command = [sys.executable, "-c", program, *words]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.splitlines()


def create(text):
    return RayExecutor.create({"ray": text, "ray_jobs": None, "detach": None}, Resources())


def test_where_a_job_goes_is_written_down_before_it_does(ray_cluster, tmp_path, monkeypatch):
    executor, task, seen = create(""), prepared(tmp_path), []

    class Actor:
        def options(self, name, **given):
            seen.append((f"{name}@{os.environ['RAY_ADDRESS']}", recall(task.folder).id))
            raise OSError("the harness is killed now")

    monkeypatch.setattr(executor, "_actor", Actor())
    with pytest.raises(OSError, match="killed now"):
        executor.submit(task.folder, Resources())
    assert seen[0][0] == seen[0][1] and executor.attach(seen[0][0]) is None


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ("num_cpus=8", "--ray num_cpus=8: no node of the cluster has that; nodes have num_cpus=0,.*; num_cpus=2,"),
        ("num_gpus=1", "no node of the cluster has that"),
        ("memory=9000G", "no node of the cluster has that"),
    ],
)
def test_what_the_cluster_does_not_have_is_said_before_anything_is_submitted(ray_cluster, asked, line):
    with pytest.raises(BadUsage, match=line):
        create(asked)


def test_the_head_is_the_same_one_whatever_it_is_named_by(ray_cluster):
    head, _, port = os.environ["RAY_ADDRESS"].rpartition(":")
    hosts = [head, "127.0.0.1", "localhost", socket.gethostname()]
    given = ["", "address=auto", *(f"address={host}:{port}" for host in hosts)]
    assert said_elsewhere(NAMINGS, *given) == [f"{head}:{port}"] * len(given)


def test_jobs_are_described_although_those_of_an_earlier_cluster_are_not(ray_cluster, tmp_path):
    handle = create("").submit(prepared(tmp_path).folder, Resources())
    [line] = said_elsewhere(DESCRIBE, "before.0@127.0.0.1:9", handle.id)
    assert line.startswith(handle.id)
    handle.cancel()
    until(lambda: handle.poll())


def test_another_version_of_ray_is_one_line(ray_cluster):
    said = subprocess.run([sys.executable, "-c", OTHER_VERSION], cwd=REPOSITORY, capture_output=True, text=True).stdout
    assert said.count("\n") == 1 and "ersion mismatch" in said and "install the cluster's versions here" in said


def test_a_node_that_starts_nothing_ends_the_wait_in_a_line(ray_cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(starts, "PENDING_S", 1.0)
    monkeypatch.setattr(starts, "START_S", 5.0)
    (tmp_path / "broken").mkdir()
    with ray_cluster.broken_node(num_cpus=5, folder=tmp_path / "broken"):
        executor = create("num_cpus=5")
        handle = executor.submit(prepared(tmp_path).folder, Resources())
        with pytest.raises(
            BadUsage, match="PENDING for .* has not started any process within 5 s .*libgone.so.* `ray stop`"
        ):
            until(lambda: executor.wait(0.2))
        assert handle.poll() is None
        handle.cancel()
        until(lambda: handle.poll())


def test_a_job_that_waits_for_another_one_waits_on(engine_of, ray_cluster, tmp_path, monkeypatch):
    """Its nodes are asked meanwhile, again and again."""
    for name in ("PENDING_S", "AGAIN_S"):
        monkeypatch.setattr(starts, name, 0.5)
    quicken(engine := engine_of("ray"), monkeypatch)
    try:
        executor = create("num_cpus=2")
        first, second = (executor.submit(prepared(tmp_path, name).folder, Resources()) for name in ("one", "two"))
        rounds = []
        monkeypatch.setattr(starts, "_ask", lambda node, ask=starts._ask: rounds.append(ask(node)) or rounds[-1])
        until(lambda: executor.wait(0.1) or len(rounds) > 2)
        assert sorted([first.address, second.address])[0] == "" != sorted([first.address, second.address])[1]
        (tmp_path / "go").touch()
        assert [end_of(executor, job).exit_code for job in (first, second)] == [0, 0]
    finally:
        empty(engine, tmp_path)
