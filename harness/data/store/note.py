"""Which ``frames.bin`` was built, or agreed with its checksums last: one small file beside a store."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from harness.ledger.files import write_text_atomically
from mtcd_plugin.formats.clip_store import FRAMES


def is_noted(folder: Path) -> bool:
    """Whether a store's frames lie in the file that was noted, by its size and time of change."""
    try:
        return json.loads(_place(folder).read_bytes()) == state_of(folder)
    except (FileNotFoundError, ValueError):
        return False


def note(folder: Path, say: Callable[[str], None], agreed: dict[str, int] | None = None) -> None:
    """Note that a store's frames are as they were written; a line says so where that cannot be noted.

    Args:
        agreed: what ``state_of`` said before they were compared; by default what it says now.
    """
    place = _place(folder)
    try:
        write_text_atomically(place, json.dumps(agreed or state_of(folder)) + "\n")
    except OSError as error:
        say(f"{place}: cannot be written ({error.strerror}); the store is compared with its checksums at each start")


def state_of(folder: Path) -> dict[str, int]:
    """Size and time of change of a store's frames."""
    found = os.stat(folder / FRAMES)
    return {"size": found.st_size, "mtime_ns": found.st_mtime_ns}


def _place(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.checked")
