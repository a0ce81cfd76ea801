"""Whose end a kill for want of memory was, by the kernel's log and by the counters of control groups."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.system import memory_kills
from harness.system.memory_kills import KERNEL_LOG, MemoryWatch, _open_at_end, _reads_own_ids
from tests.helpers import memory_group

STAT = "7 (a (job)) S 5 7 7 0 -1 {flags} 0 0"


class Machine:
    """Folders like those of the system, with one process, 7, and no log of the kernel."""

    def __init__(self, folder, membership, counter):
        self.proc, self.groups = folder / "proc", folder / "groups"
        (self.proc / "7").mkdir(parents=True)
        self.belongs_to(membership)
        self.counter = self.groups / counter
        self.counter.parent.mkdir(parents=True, exist_ok=True)
        self.count(3)

    def belongs_to(self, membership, flags=0):
        (self.proc / "7" / "stat").write_text(STAT.format(flags=flags))
        (self.proc / "7" / "cgroup").write_text(membership)

    def count(self, kills, counter=None):
        (counter or self.counter).write_text(f"oom 9\noom_kill {kills}\n")

    def watch(self):
        return MemoryWatch(7, self.proc, self.groups, self.proc / "no-log")


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(memory_kills.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("membership", "counter"),
    [
        ("0::/user/job\n", "user/job/memory.events.local"),
        ("0::/user/job\n", "user/job/memory.events"),
        ("0::/user/job\n", "user/memory.events"),  # memory is counted for the group above alone
        ("0::/docker/4711\n", "memory.events"),  # a container, which sees its own group at the mount
        ("4:memory:/job\n1:cpu:/\n0::/\n", "memory/job/memory.oom_control"),
        ("4:cpu,memory:/job\n", "cpu,memory/job/memory.oom_control"),
    ],
)
def test_the_group_of_the_process_counts(tmp_path, membership, counter):
    machine = Machine(tmp_path, membership, counter)
    killed, spared = machine.watch(), machine.watch()
    assert not spared.killed()
    machine.count(4)
    assert killed.killed()


def test_a_process_that_moved_is_counted_where_it_is(tmp_path):
    machine = Machine(tmp_path, "0::/old\n", "old/memory.events")
    watch = machine.watch()
    new = machine.groups / "new" / "memory.events"
    new.parent.mkdir()
    machine.count(8, new)
    machine.belongs_to("0::/new\n")
    watch.look()
    assert not watch.killed()
    machine.count(9, new)
    assert watch.killed()


def test_a_process_that_is_ending_is_shown_in_another_group_and_keeps_its_own(tmp_path):
    machine = Machine(tmp_path, "4:memory:/job\n", "memory/job/memory.oom_control")
    machine.count(8, machine.groups / "memory" / "memory.oom_control")
    watch = machine.watch()
    machine.count(4)
    machine.belongs_to("4:memory:/\n", flags=0x4)
    watch.look()
    assert watch.killed()


def test_a_kill_that_the_process_outlived_was_another_s(tmp_path, clock):
    machine = Machine(tmp_path, "0::/job\n", "job/memory.events")
    watch = machine.watch()
    machine.count(4)
    for _ in range(5):
        clock[0] += memory_kills.SPAN_S / 2
        watch.look()
    assert not watch.killed()
    machine.count(5)
    clock[0] += memory_kills.SPAN_S / 2  # a large process takes some time to end
    watch.look()
    assert watch.killed()


def test_where_nothing_is_counted_nobody_knows(tmp_path):
    machine = Machine(tmp_path, "0::/\n", "elsewhere/memory.events")
    machine.count(4)
    assert not machine.watch().killed()


def why_not() -> str:
    """Why the kernel's log cannot tell processes of a group apart here, "" where it can."""
    if not _reads_own_ids(Path("/proc")) or (log := _open_at_end(KERNEL_LOG)) is None:
        return "the kernel's log is not for this user"
    os.close(log)
    return memory_group.why_not()


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_of_two_processes_of_a_group_the_log_names_the_one_that_was_killed():
    """Both die within the same second: one for memory, one by hand."""
    name = f"tests-both-{os.getpid()}"
    with memory_group.eater(name) as eater, sleeper() as quiet:
        (memory_group.MOUNT / name / "cgroup.procs").write_text(str(quiet.pid))
        watches = {process.pid: MemoryWatch(process.pid) for process in (eater, quiet)}
        memory_group.feed(eater)
        quiet.kill()
        assert quiet.wait() == -signal.SIGKILL
        assert [watches[process.pid].killed() for process in (eater, quiet)] == [True, False]


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_a_process_that_goes_along_with_one_of_its_own_was_killed_for_memory():
    """As the first of several that train a job together does."""
    with memory_group.eater(f"tests-child-{os.getpid()}") as eater:
        watch = MemoryWatch(os.getpid())
        memory_group.feed(eater)
        assert watch.killed()


@contextmanager
def sleeper():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()
