"""Where a job was submitted, kept in its folder while it runs, so that another harness can ask after it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.ledger.files import NotAFile, read_file, write_text_atomically
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


def forget(folder: Path) -> None:
    """The folder's job is over, or starts anew."""
    (folder / SUBMITTED).unlink(missing_ok=True)
