"""Logs of jobs, as text."""

from __future__ import annotations

from pathlib import Path

from harness.ledger.run_dir import LOG


def log_tail(directory: Path, lines: int = 30) -> list[str]:
    """The last lines of a job's log, for the record of a failure."""
    path = Path(directory) / LOG
    if not path.is_file():
        return []
    return path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
