"""Saved states of a training: the last two, so that a damaged one costs an epoch and no more."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from harness.ledger.run_dir import PREVIOUS, RESUME

NEEDED = {"meta", "state_dict", "optimizer"}


def recover_state(folder: Path) -> list[str]:
    """Make sure that the saved state of a run is whole, is the one before, or is not there.

    Returns the problems found, one line each, for the log and the record.
    """
    last, previous = folder / RESUME, folder / PREVIOUS
    if not last.is_file() and not previous.is_file():
        return []
    damage = _damage(last)
    if not damage:
        return []
    last.unlink(missing_ok=True)
    if not _damage(previous):
        os.replace(previous, last)
        return [f"{RESUME} is {damage}: went on from the state of the epoch before"]
    previous.unlink(missing_ok=True)
    return [f"{RESUME} is {damage}, and there is no sound state before it: trained anew from the first epoch"]


def keep_previous(folder: Path) -> None:
    """Make room for the next state, keeping the last one."""
    if (folder / RESUME).is_file():
        os.replace(folder / RESUME, folder / PREVIOUS)


def _damage(path: Path) -> str:
    """What is wrong with a saved state, in a word or two; '' for a sound one. Reads all of it, for its checksums."""
    import torch

    if not path.is_file():
        return "missing"
    if not path.stat().st_size:
        return "empty"
    try:
        with zipfile.ZipFile(path) as file:
            if file.testzip() is not None:
                return "damaged"
        state = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    except Exception:  # noqa: BLE001  whatever a damaged file makes of the reader
        return "damaged or cut short"
    return "" if isinstance(state, dict) and state.keys() >= NEEDED else "not a state of a training"
