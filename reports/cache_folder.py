"""Where what was computed for pages is kept between reports: in the user's cache folder and not in the ledger, so that
what a ledger of somebody else holds is never taken for a result of ours."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def cache_folder() -> Path | None:
    """The user's own cache folder; None where there is none or it is another user's."""
    place = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(place) / "mgr-dark-drawings"
    if not folder.is_absolute():
        return None
    try:
        return folder if not folder.exists() or folder.stat().st_uid == os.getuid() else None
    except (OSError, AttributeError):  # not to be reached, or a system without users
        return None


def keep(path: Path, text: str) -> None:
    """Write a file of the cache in one step, its hash first. Raises OSError where the folder cannot be written."""
    own = path.with_suffix(f".{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        own.write_text(f"{_hash(text)}\n{text}", encoding="utf-8")
        own.replace(path)
    except OSError:
        own.unlink(missing_ok=True)  # a part of it, on a full disk
        raise


def read_kept(path: Path) -> str:
    """What ``keep`` wrote. Raises OSError where there is nothing, ValueError where it is damaged."""
    sha256, _, text = path.read_text(encoding="utf-8").partition("\n")
    if sha256 != _hash(text):
        raise ValueError(f"{path}: damaged")
    return text


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
