"""Verdicts on runs that were reached before, with heads of their records: a large ledger is judged and read once."""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pydantic_core

from harness.ledger.files import read_file, write_text_atomically
from harness.ledger.head import Head, from_json, head_of, to_json
from harness.ledger.judge import problems_of
from harness.ledger.record import RunRecord
from harness.ledger.run_dir import CHECKPOINT, PREDICTIONS, RECORD, RENDERED, VERDICTS

CODE = Path(__file__).resolve().parents[2]
JUDGES = (  # what a verdict and a head follow from beside the files of a run
    *(f"harness/ledger/{name}.py" for name in ("judge", "identity", "record", "migrate", "metrics", "head")),
    "mtcd_plugin/accuracy.py",
)
MOST_VERDICTS = 1 << 30  # bytes; a run has some thousand
Stamp = list[list[str | int] | None]


class Verdicts:
    """Verdicts that were reached before by the same rules, each good as long as no file of the run changed; kept in the
    work dir.

    A file counts as unchanged while its inode, size, and times of modification and of change stay. ``verify`` does
    without them and reads everything anew.
    """

    def __init__(self, work_dir: Path) -> None:
        self.path = Path(work_dir) / VERDICTS
        self.known: dict[str, Any] = {}  # folder -> [its stamp, its problems, its head], as read: checked on use
        self.changed = False
        try:
            match pydantic_core.from_json(read_file(self.path, MOST_VERDICTS)):
                case {"rules": rules, "runs": dict(known)} if rules == rules_digest():
                    self.known = known
        except (OSError, ValueError, RecursionError):
            pass  # no verdict is known: each is reached anew

    def head(self, folder: Path) -> Head | None:
        """The head of a run that was found valid before; None where none is known."""
        match self.known.get(folder.name):
            case [stamp, [], head] if stamp == stamp_of(folder):
                return from_json(head)
        return None

    def problems(self, folder: Path, record: RunRecord, stamp: Stamp | None = None) -> list[str]:
        """``problems_of``, or what was found before.

        Args:
            stamp: that of the folder before the record was read; None to take it now.
        """
        stamp = stamp_of(folder) if stamp is None else stamp
        match self.known.get(folder.name):
            case [known, list(problems), *head] if known == stamp and (problems or head):
                return [str(p) for p in problems]
        problems = problems_of(folder, record)
        if stamp_of(folder) == stamp:  # nothing changed meanwhile
            self.known[folder.name] = [stamp, problems, to_json(head_of(record))]
            self.changed = True
        return problems

    def save(self) -> None:
        """Keep them for the next command. A work dir that cannot be written goes without."""
        if not self.changed:
            return
        try:
            kept = {"rules": rules_digest(), "runs": self.known}
            write_text_atomically(self.path, json.dumps(kept, separators=(",", ":")) + "\n")
            self.changed = False
        except OSError:
            pass  # read-only or full: the next command reaches its verdicts itself


@cache
def verdicts_of(work_dir: Path) -> Verdicts:
    """The verdicts of a work dir that this process shares."""
    return Verdicts(work_dir)


@cache
def rules_digest(code: Path = CODE) -> str:
    """sha256 hex that changes when the code does by which runs are judged."""
    digest = hashlib.sha256()
    for name in JUDGES:
        digest.update(f"{name}\0".encode() + (code / name).read_bytes())
    return digest.hexdigest()


def stamp_of(folder: Path) -> Stamp:
    """Changes when a file of the run does."""
    names = [RECORD, PREDICTIONS, CHECKPOINT]
    place = os.fspath(folder)  # paths take longer to put together than files to look up
    for rendered in RENDERED:
        if os.path.isdir(f"{place}/{rendered}"):
            names += [p.relative_to(folder).as_posix() for p in sorted((folder / rendered).rglob("*"))]
    return [found for name in names if (found := _stat(f"{place}/{name}", name))]


def _stat(path: str, name: str) -> list[str | int] | None:
    try:
        s = os.stat(path)
    except OSError:
        return None
    return [name, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns]
