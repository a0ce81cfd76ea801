"""Files that a node of a cluster has written, as another machine sees them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

from harness.ledger.run_dir import LOG, RECORD

LOOK_S = 0.1  # between two looks for a record
VISIBLE_S = 90.0  # until what a node has written is seen here: network file systems cache what is not there
FIRST_BYTES = 1 << 16  # of a log: what is said before a job begins, and that it does


def record_is_shown(run_dir: Path | None, since: float) -> bool:
    """Whether the record of a job that ended well is seen here, or has been waited for long enough.

    Args:
        run_dir: None for a job of another harness, whose record is not looked for.
        since: when it was looked for first, on the monotonic clock.
    """
    if run_dir is None:
        return True
    os.listdir(run_dir)  # makes network file systems look anew
    return (run_dir / RECORD).exists() or time.monotonic() - since > VISIBLE_S


def sleep_until_recorded(run_dirs: Iterable[Path | None], seconds: float) -> None:
    """Sleep so long, or until one more of these runs has a record. None: of another harness, whose is not looked for.

    A look costs nothing, and asking an engine does: so the end of a job is seen soon although it is asked seldom.
    """
    records = [run_dir / RECORD for run_dir in run_dirs if run_dir is not None]
    records = [record for record in records if not record.exists()]
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(LOOK_S, left))
        if any(record.exists() for record in records):
            return


def log_size(run_dir: Path | None) -> int:
    """Bytes of a run's log, 0 where there is none."""
    try:
        return 0 if run_dir is None else os.stat(run_dir / LOG).st_size
    except FileNotFoundError:
        return 0


def logged_since(run_dir: Path | None, size: int) -> list[str]:
    """The first lines of a run's log, without empty ones, that were written since it had so many bytes."""
    if run_dir is None:
        return []
    try:
        os.listdir(run_dir)  # makes network file systems look anew
        with (run_dir / LOG).open("rb") as file:
            file.seek(size)
            lines = file.read(FIRST_BYTES).decode("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return [line.strip() for line in lines if line.strip()]
