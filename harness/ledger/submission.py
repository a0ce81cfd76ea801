"""Where a job was submitted, kept in its folder while it runs, so that another harness can ask after it.

The harness that submitted it refreshes the file, which no worker does: so one on another machine sees that it lives.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.ledger.files import NotAFile, read_file, write_text_atomically
from harness.ledger.lock import STALE_S
from harness.ledger.run_dir import SUBMITTED


@dataclass(frozen=True)
class Submission:
    """``backend``: name of the executor. ``id``: of the job there (``JobHandle.id``)."""

    backend: str
    id: str

    def __str__(self) -> str:
        return f"{self.backend} job {self.id}"


def remember(folder: Path, submission: Submission) -> None:
    write_text_atomically(folder / SUBMITTED, json.dumps(asdict(submission)) + "\n", sync=False)


def recall(folder: Path) -> Submission | None:
    """The last submission of a folder's job, None where it is over or cannot be read."""
    try:
        found = Submission(**json.loads(read_file(folder / SUBMITTED, 1 << 16)))
    except (FileNotFoundError, NotADirectoryError, NotAFile, ValueError, TypeError, RecursionError):
        return None
    return found if isinstance(found.id, str) else None


def refresh(folder: Path) -> None:
    """Show other machines that the harness of a folder's submission lives; nothing where there is none."""
    with suppress(FileNotFoundError):
        os.utime(folder / SUBMITTED)


class HarnessWatch:
    """Whether the harness that submitted a folder's job from another machine lives, as this process sees it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp = 0
        self._refreshed: float | None = None  # on the monotonic clock: when that was seen last

    def sees_it(self) -> bool:
        """Whether the file was refreshed between two looks, the last time within ``STALE_S``."""
        try:
            stamp = os.stat(self._folder / SUBMITTED).st_mtime_ns
        except FileNotFoundError:
            return False
        now = time.monotonic()
        if self._stamp not in (0, stamp):
            self._refreshed = now
        self._stamp = stamp
        return self._refreshed is not None and now - self._refreshed < STALE_S


def forget(folder: Path) -> None:
    """The folder's job is over, or starts anew."""
    (folder / SUBMITTED).unlink(missing_ok=True)
