"""Which process is which: on this machine, now and later; and how processes that are started keep their memory."""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path

# of glibc, in bytes; the first is the most that it would come to by itself
ALLOCATION = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}


def keep_freed_memory() -> None:
    """Let processes that are started from now on keep the memory that they have freed.

    A training step frees what the next one asks for; given back to the system in between, it comes again page by
    page, each of which is cleared first. Where the environment says something else, that stays.
    """
    for name, value in ALLOCATION.items():
        os.environ.setdefault(name, value)


@cache
def this_machine() -> tuple[str, str, str]:
    """Host, boot and process namespace of this process; the latter two empty where there is no Linux."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return socket.gethostname(), boot, os.readlink("/proc/self/ns/pid")
    except OSError:
        return socket.gethostname(), "", ""


def start_time(pid: int) -> float:
    """When a process started, 0 for one that is gone or a zombie; it tells a process from a later one of the same id.

    On Linux in ticks since the machine's start, which a clock that is set anew does not change; seconds elsewhere.
    """
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return 0.0 if state in "ZX" else float(rest[18])
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self/stat").exists():
            return 0.0
    import psutil

    try:
        process = psutil.Process(pid)
        return 0.0 if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.NoSuchProcess:
        return 0.0


def is_alive(pid: int, started: float) -> bool:
    """Whether the process that had this id when it started is still there."""
    return started != 0.0 and abs(start_time(pid) - started) < 1.0
