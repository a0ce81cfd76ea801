"""Groups of processes that the system kills for memory (control groups, version 1), where this user may make some."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup/memory")
PATIENCE = 10.0


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
