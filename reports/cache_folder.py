"""Where what was computed for pages is kept between reports: in the user's cache folder and not in the ledger, so that
what a ledger of somebody else holds is never taken for a result of ours."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from harness.ledger.files import open_file

OTHERS = stat.S_IWGRP | stat.S_IWOTH


def cache_folder() -> Path | None:
    """The user's own cache folder; None where there is none, or where another user can put something into it: templates
    from it are run.
    """
    place = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(place) / "mgr-dark-drawings"
    if not folder.is_absolute():
        return None
    try:
        return folder if not os.path.lexists(folder) or _is_own(folder) else None
    except (OSError, AttributeError):  # not to be reached, or a system without users
        return None


def keep(path: Path, text: str) -> None:
    """Write a file of the cache in one step, its hash first. Raises OSError where the folder cannot be written."""
    own = path.with_suffix(f".{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not _is_own(path.parent):  # made by another user just now
        raise PermissionError(f"{path.parent}: another user can write it")
    try:
        with open(own, "w", encoding="utf-8", opener=lambda file, flags: os.open(file, flags, 0o600)) as file:
            file.write(f"{_hash(text)}\n{text}")
        own.replace(path)
    except OSError:
        own.unlink(missing_ok=True)  # a part of it, on a full disk
        raise


def read_kept(path: Path) -> str:
    """What ``keep`` wrote. Raises OSError where there is nothing, or something of another user, ValueError where it is
    damaged.
    """
    with open_file(path) as file:
        if not _only_ours(os.fstat(file.fileno())):
            raise PermissionError(f"{path}: another user can write it")
        content = file.read().decode()
    sha256, _, text = content.partition("\n")
    if sha256 != _hash(text):
        raise ValueError(f"{path}: damaged")
    return text


def _is_own(folder: Path) -> bool:
    """A link of another user may lead into any folder of ours."""
    return folder.lstat().st_uid == os.getuid() and _only_ours(folder.stat())


def _only_ours(found: os.stat_result) -> bool:
    return found.st_uid == os.getuid() and not found.st_mode & OTHERS


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
