"""Pools of processes that end with their caller."""

import os
import signal
import subprocess
import sys
import threading
import time
from _thread import interrupt_main
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import psutil
import pytest

from harness.system.pool import completed, process_pool

REPOSITORY = Path(__file__).resolve().parents[3]
ENDLESS = """
import sys, time
from pathlib import Path
from harness.system.pool import completed, process_pool

def work(folder, number):
    Path(folder, str(number)).touch()
    time.sleep(36000)

if __name__ == "__main__":
    try:
        with process_pool(2) as pool:
            futures = [pool.submit(work, sys.argv[1], number) for number in range(8)]
            print("submitted", flush=True)
            next(completed(futures))
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.fixture
def endless(tmp_path):
    """A process whose pool works for ten hours at each of eight things."""
    (tmp_path / "program.py").write_text(ENDLESS)
    (tmp_path / "begun").mkdir()
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "program.py"), str(tmp_path / "begun")],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    yield process, tmp_path / "begun"
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("at_work", [True, False], ids=["at work", "starting"])
def test_an_interrupt_of_the_terminal_ends_what_would_run_for_hours(endless, at_work):
    """Also where the processes have not come to say that they leave it to their caller."""
    process, begun = endless
    assert process.stdout.readline() == "submitted\n"
    until = time.monotonic() + 600
    while at_work and len(list(begun.iterdir())) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    started = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=600)
    assert process.returncode == 130 and said == ""
    assert len(started) >= 2 and not psutil.wait_procs(started, timeout=600)[1]


def test_an_interrupt_that_wakes_nobody_is_seen():
    """As one that comes in the instant before the wait begins: ``interrupt_main`` marks it, and sends no signal."""
    timer = threading.Timer(0.2, interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        next(completed([Future()]))
    timer.join()


def test_each_future_comes_once_as_it_is_done(monkeypatch):
    monkeypatch.setattr("harness.system.pool.LOOK_EVERY_S", 0.01)
    futures = [Future() for _ in range(5)]
    found = completed(futures)
    for number in (3, 0, 4, 2, 1):
        threading.Timer(0.05, futures[number].set_result, [number]).start()
        assert next(found).result() == number
    assert list(found) == [] and list(completed([])) == []


def test_results_come_and_an_error_of_the_caller_ends_it():
    with process_pool(2) as pool:
        assert [f.result() for f in [pool.submit(abs, -n) for n in range(5)]] == list(range(5))
    waiting = []

    def fail():
        with process_pool(1) as pool:
            waiting.append(pool.submit(time.sleep, 36000))
            raise ZeroDivisionError

    pytest.raises(ZeroDivisionError, fail)
    assert isinstance(waiting[0].exception(), BrokenProcessPool)


def test_a_second_interrupt_waits_until_the_pool_has_ended():
    """Heard at once it left a pool half ended: its processes idle, and the program waiting for them at its exit."""
    begun = []

    def interrupted():
        with process_pool(2, kill=False) as pool:
            begun.extend(pool.submit(time.sleep, 1.0) for _ in range(2))
            while not all(future.running() for future in begun):
                time.sleep(0.01)
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert all(future.done() for future in begun)


def test_what_was_begun_is_finished_where_that_is_asked_for(tmp_path):
    begun = []

    def fail():
        with process_pool(1, kill=False) as pool:
            begun.append(pool.submit(time.sleep, 0.2))
            while not begun[0].running():
                time.sleep(0.01)
            raise ZeroDivisionError

    pytest.raises(ZeroDivisionError, fail)
    assert begun[0].result() is None
