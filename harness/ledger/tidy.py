"""Leftovers in a run's folder: what is moved aside, what is removed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from harness.ledger.files import write_text_atomically
from harness.ledger.lock import RunLock
from harness.ledger.run_dir import CHECKPOINT, PASSING, PREDICTIONS, PROGRESS, RECORD, RENDERED, SPEC

HALF_WRITTEN = (RECORD, PREDICTIONS, CHECKPOINT, SPEC, PROGRESS)


def set_aside(folder: Path, reason: str, name: str = RECORD) -> None:
    """Move what cannot be used aside, with the reason: never trusted, never deleted. The caller holds the lock."""
    number = 0
    while os.path.lexists(aside := folder / f"{name}.rejected{f'-{number}' if number else ''}"):
        number += 1
    os.replace(folder / name, aside)
    write_text_atomically(aside.with_name(f"{aside.name}.reason"), f"{reason}\n")


def tidy(folder: Path) -> None:
    """Remove what killed processes left in the folder of a run that is over, unless one is still at work there."""
    lock = RunLock(folder)
    left = [p for p in folder.iterdir() if p.name in PASSING or p.name.startswith(".")]
    if not (left or lock.is_stale()) or not lock.acquire():
        return
    for path in left:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    lock.release()


def remove_unfinished(folder: Path) -> None:
    """Remove what an attempt left in a folder that has no record: stores, strips, files that were about to be renamed.

    The caller holds the lock.
    """
    for left in folder.glob(".*.unfinished"):
        shutil.rmtree(left)
    for name in RENDERED:  # a rendering does not go on from where it was stopped
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in HALF_WRITTEN:
        for left in folder.glob(f".{name}.*"):
            left.unlink(missing_ok=True)
