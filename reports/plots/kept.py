"""Drawings kept between reports: the same numbers are drawn once.

They lie in the user's cache folder and not in the ledger, since pages inline them: what a ledger of somebody else holds
is never taken for a drawing of ours.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

MOST = 300  # files; the oldest go


def kept(what: object, make: Callable[[], Mapping[str, str]]) -> Mapping[str, str]:
    """What ``make`` returns, or what it returned when it was last asked for the same.

    Args:
        what: all that the result follows from but code and libraries, with a ``repr`` that says it in full.
    """
    folder = _folder()
    if folder is None:
        return make()
    path = folder / hashlib.sha256(f"{_code()} {what!r}".encode()).hexdigest()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        path.touch()
    except (OSError, ValueError):  # none, or damaged: made anew
        found = None
    return found if isinstance(found, dict) else _keep(path, make())


def _keep(path: Path, made: Mapping[str, str]) -> Mapping[str, str]:
    """Write it beside the others. A folder that cannot be written goes without."""
    own = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        own.write_text(json.dumps(made), encoding="utf-8")
        own.replace(path)
        for old in sorted(path.parent.iterdir(), key=lambda p: p.stat().st_mtime)[:-MOST]:
            old.unlink(missing_ok=True)
    except OSError:
        pass  # read-only, full, or another report tidies up: the next one draws anew
    return made


def _folder() -> Path | None:
    """The user's own cache folder; None where there is none or it is another user's."""
    place = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(place) / "mgr-dark-drawings"
    if not folder.is_absolute():
        return None
    try:
        return folder if not folder.exists() or folder.stat().st_uid == os.getuid() else None
    except (OSError, AttributeError):  # not to be reached, or a system without users
        return None


@functools.cache
def _code() -> str:
    """Changes with the code that draws and what it draws with."""
    digest = hashlib.sha256(f"{sys.version} {version('matplotlib')} {version('numpy')}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
