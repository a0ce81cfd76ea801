"""Groups of processes that the system kills for memory (control groups, version 1), where this user may make some."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup/memory")
PATIENCE = 10.0
EATER = (
    "import sys\nsys.stdin.readline()\neaten = []\nwhile True: eaten.append(b'x' * (16 << 20))"  # once it is told to
)


def why_not() -> str:
    """Why no process can be given little memory here, "" where that can be done."""
    if (MOUNT / "memory.limit_in_bytes").exists() and os.access(MOUNT, os.W_OK) and os.geteuid() == 0:
        return ""
    return f"no control groups here that this user can make ({MOUNT}, version 1)"


def limit(name: str, pid: int, size: int) -> None:
    """Put a process into a group that may use so many bytes beyond what it uses now."""
    (MOUNT / name).mkdir()
    (MOUNT / name / "memory.limit_in_bytes").write_text(str(size))
    (MOUNT / name / "cgroup.procs").write_text(str(pid))


@contextmanager
def eater(name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of that name, which takes more memory than that has once it is told so (``feed``)."""
    process = subprocess.Popen([sys.executable, "-c", EATER], stdin=subprocess.PIPE)
    try:
        limit(name, process.pid, 64 << 20)
        yield process
    finally:
        process.kill()
        process.wait()
        remove(name)


def feed(process: subprocess.Popen[bytes]) -> None:
    process.communicate(b"\n", PATIENCE)
    assert process.returncode == -signal.SIGKILL


def remove(name: str) -> None:
    """Remove a group whose processes have been killed, and those below it; nothing where there is none."""
    groups = [Path(place) for place, *_ in os.walk(MOUNT / name, topdown=False)]
    deadline = time.monotonic() + PATIENCE  # until the system has done with the processes
    while groups and time.monotonic() < deadline:
        for group in list(groups):
            with suppress(OSError):
                group.rmdir()
                groups.remove(group)
        time.sleep(0.02)
