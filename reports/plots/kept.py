"""Drawings kept between reports (``reports.cache_folder``): the same numbers are drawn once."""

from __future__ import annotations

import functools
import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

from harness.system.gc_pause import gc_spared
from reports.cache_folder import cache_folder, keep, read_kept

MOST = 300  # files; the oldest go


def kept(what: object, make: Callable[[], Mapping[str, str]]) -> Mapping[str, str]:
    """What ``make`` returns, or what it returned when it was last asked for the same.

    Args:
        what: all that the result follows from but code and libraries, with a ``repr`` that says it in full.
    """
    folder = cache_folder()
    if folder is None:
        return make()
    path = folder / hashlib.sha256(f"{_code()} {what!r}".encode()).hexdigest()
    try:
        found = json.loads(read_kept(path))
        path.touch()
    except (OSError, ValueError):  # none, or damaged: made anew
        found = None
    if isinstance(found, dict):
        return found
    with gc_spared():  # drawing makes so many objects that collections would walk a large ledger again and again
        return _keep(path, make())


def _keep(path: Path, made: Mapping[str, str]) -> Mapping[str, str]:
    """Write it beside the others. A folder that cannot be written goes without."""
    try:
        keep(path, json.dumps(made))
        for old in sorted(path.parent.iterdir(), key=lambda p: p.stat().st_mtime)[:-MOST]:
            old.unlink(missing_ok=True)
    except OSError:
        pass  # read-only, full, or another report tidies up: the next one draws anew
    return made


@functools.cache
def _code() -> str:
    """Changes with the code that draws and what it draws with."""
    digest = hashlib.sha256(f"{sys.version} {version('matplotlib')} {version('numpy')}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
