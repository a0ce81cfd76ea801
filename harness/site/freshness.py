"""Whether the pages still show what the ledger holds, so that a ``run-all`` with nothing to do writes none."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from harness.ledger.files import read_file, write_text_atomically
from harness.ledger.planfile import LARGEST_PLAN
from harness.ledger.run_dir import CLIP_PICTURES, LOCK, LOGS, PAGES, PLAN, VERDICTS
from harness.suite.configs import folders
from harness.system.libraries import libraries

SKIPPED = ("clip_store", "__pycache__", CLIP_PICTURES, LOCK, LOGS, PAGES, VERDICTS)
CODE = Path(__file__).resolve().parents[2]


def sources(work_dir: Path, configs: Path) -> str:
    """A digest that changes when anything that pages are made from does: ledger, plan, configs, code, libraries."""
    digest = hashlib.sha256(read_file(Path(work_dir) / PLAN, LARGEST_PLAN))
    digest.update(libraries().encode())
    for root in (work_dir, *folders(configs), CODE / "harness", CODE / "mtcd_plugin", CODE / "reports"):
        digest.update(_listing(root, skipped=(*SKIPPED, PLAN)).encode())
    return digest.hexdigest()


def are_current(work_dir: Path, site: Path, made_from: str) -> bool:
    """Whether ``site`` was made from ``made_from`` and is as it was then."""
    try:
        made = json.loads(read_file(Path(work_dir) / PAGES, LARGEST_PLAN))
    except (OSError, ValueError):  # none, or damaged: the pages are written anew
        return False
    return made == _state(site, made_from)


def remember(work_dir: Path, site: Path, made_from: str) -> None:
    """Note that ``site`` was just made from ``made_from``, a digest that was taken before."""
    write_text_atomically(Path(work_dir) / PAGES, json.dumps(_state(site, made_from)) + "\n")


def _state(site: Path, made_from: str) -> dict[str, str]:
    shown = hashlib.sha256(_listing(site).encode()).hexdigest()
    return {"site": str(Path(site).resolve()), "made_from": made_from, "shown": shown}


def _listing(root: Path, skipped: tuple[str, ...] = ()) -> str:
    """Name, size and time of every file below a folder that this user may enter; equal times are compared, never
    ordered.
    """
    return "\n".join(sorted(_lines(str(root), "", skipped)))


def _lines(folder: str, prefix: str, skipped: tuple[str, ...]) -> Iterator[str]:
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except FileNotFoundError:
        return
    except PermissionError:  # another user's: pages name it, and show more once it may be read
        yield f"{prefix} closed"
        return
    for entry in entries:
        if entry.name in skipped:
            continue
        if entry.is_dir():
            yield from _lines(entry.path, f"{prefix}{entry.name}/", skipped)
        else:
            stat = entry.stat(follow_symlinks=False)
            yield f"{prefix}{entry.name} {stat.st_size} {stat.st_mtime_ns}"
