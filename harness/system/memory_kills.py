"""Whether the system killed a process for want of memory, by what belongs to that process and not to the whole machine.

The kernel's log names each process that is killed so. It is for root alone on most machines, and names other ids in a
container. Else the memory control group of the process counts how many of its processes were killed so; only
what it counted in the last seconds is taken for the end of this one. Where there is neither, nobody knows.

Goes to the nodes of a Ray cluster as it is written here: it uses nothing but the standard library.
"""

from __future__ import annotations

import errno
import os
import re
import time
from contextlib import suppress
from pathlib import Path

SPAN_S = 10.0  # a kill that was counted that long before the end of a process (twice that at most) was another's
KERNEL_LOG = Path("/dev/kmsg")
FIRST_PROCESS_IDS = "pid:[4026531836]"  # of the machine itself, not of a container: PROC_PID_INIT_INO
VICTIM = re.compile(rb"Killed process (\d+)")
ENDING = 0x4  # PF_EXITING among the flags of a process
RECORD_BYTES = 8192  # the kernel refuses to write a record into less


class MemoryWatch:
    """Watches a process from its start, with all that it starts.

    Args:
        pid: of the process; that of its parent counts as well, which takes it along.
        proc: folder of the system's processes. groups: where control groups are mounted. log: of the kernel.
    """

    def __init__(
        self, pid: int, proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup"), log: Path = KERNEL_LOG
    ) -> None:
        self._pid, self._proc, self._groups = pid, proc, groups
        self._family = {pid} | _parent_of(pid, proc)
        self._log = _open_at_end(log) if _reads_own_ids(proc) else None
        self._counter: Path | None = None
        self._before = self._recent = self._at = 0.0
        self.look()

    def look(self) -> None:
        """To be called every second or so while the process lives."""
        self._family |= _children_of(self._pid, self._proc)
        counter, now = _counter_of(self._pid, self._proc, self._groups), time.monotonic()
        if counter is not None and counter != self._counter:
            self._counter, self._at = counter, now
            self._before = self._recent = _kills(counter)
        elif now - self._at >= SPAN_S:
            self._before, self._recent, self._at = self._recent, _kills(self._counter), now

    def killed(self) -> bool:
        """Whether the process, which has ended by a kill, did so for want of memory. Asked once, of any end."""
        if self._log is None:
            return _kills(self._counter) > self._before
        with open(self._log, "rb", buffering=0) as file:
            return not self._family.isdisjoint(_victims(file.fileno()))


def _reads_own_ids(proc: Path) -> bool:
    """Whether ids of processes are here what they are in the kernel's log."""
    try:
        return os.readlink(proc / "self" / "ns" / "pid") == FIRST_PROCESS_IDS
    except OSError:
        return False


def _open_at_end(log: Path) -> int | None:
    """A descriptor from which what the kernel says from now on can be read, None where this user may not."""
    try:
        found = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    os.lseek(found, 0, os.SEEK_END)
    return found


def _victims(log: int) -> set[int]:
    """Processes that were killed for want of memory since the log was opened."""
    found: set[int] = set()
    while True:
        try:
            record = os.read(log, RECORD_BYTES)
        except BlockingIOError:
            return found
        except OSError as e:
            if e.errno != errno.EPIPE:  # older records were overwritten; the next one is read
                raise
            continue
        if not record:
            return found
        found |= {int(pid) for pid in VICTIM.findall(record)}


def _parent_of(pid: int, proc: Path) -> set[int]:
    try:
        return {int((proc / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])}
    except OSError:
        return set()


def _children_of(pid: int, proc: Path) -> set[int]:
    """Of all generations."""
    found: set[int] = set()
    with suppress(OSError):  # it has ended meanwhile
        for thread in (proc / str(pid) / "task").iterdir():
            found |= {int(child) for child in (thread / "children").read_text().split()}
    return found.union(*(_children_of(child, proc) for child in found))


def _counter_of(pid: int, proc: Path, groups: Path) -> Path | None:
    """The file of a process's memory control group in which killed processes are counted (version 2 or 1).

    None where there is none, and for a process that is ending, which version 1 shows in the group of all.
    """
    try:
        lines = (proc / str(pid) / "cgroup").read_text().splitlines()
        state = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    if int(state[6]) & ENDING:
        return None
    for controllers, path in (line.split(":", 2)[1:] for line in lines):
        if controllers == "":
            mounts, names = (groups, groups / "unified"), ["memory.events.local", "memory.events"]
        elif "memory" in controllers.split(","):
            mounts, names = (groups / controllers, groups / "memory"), ["memory.oom_control"]
        else:
            continue
        for mount in mounts:
            place = mount / path.strip("/")  # a container may see its own group at the mount, whatever the path says
            for folder in (f for f in (place, *place.parents) if f.is_relative_to(mount)):
                for name in names:
                    if (folder / name).is_file():
                        return folder / name
    return None


def _kills(counter: Path | None) -> int:
    try:
        lines = [] if counter is None else counter.read_text().splitlines()
    except OSError:  # the group is gone
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
