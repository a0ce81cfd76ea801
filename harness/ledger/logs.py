"""Logs of jobs, as text."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from pathlib import Path

from harness.ledger.run_dir import LOG


def log_tail(directory: Path, lines: int = 30) -> list[str]:
    """The last lines of a job's log, for the record of a failure."""
    path = Path(directory) / LOG
    if not path.is_file():
        return []
    return path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]


def log_to(path: Path) -> None:
    """Send what this process and its children print to the end of a file, this one in UTF-8 as it is read."""
    open_standard_files()
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def open_standard_files() -> None:
    """Give this process an input and outputs, to nowhere, where it was started with closed ones: the next file that it
    opens would have the number of one of them."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    sys.stdout = sys.stdout or os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", buffering=1, closefd=False)
