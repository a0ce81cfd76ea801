"""What the pages of a site say in a sentence each, and which records they leave out."""

from __future__ import annotations

import shlex
from collections.abc import Container, Sequence
from pathlib import Path

from pydantic_core import from_json

from harness.errors import count
from harness.ledger.files import read_file
from harness.ledger.planfile import LARGEST_PLAN

LEADERBOARD = "leaderboard.json"


def verdict_lines(site: Path, tables: Container[str] | None = None) -> list[str]:
    """The verdict of each table and figure, and of each of its columns, in one line, and which runs are in no row of a
    table; None for all that were asked for.

    Read from what the last report wrote: nothing that makes pages is imported for it.
    """
    about = from_json(read_file(site / LEADERBOARD, LARGEST_PLAN))
    left_out = about.get("without_row", {})
    verdicts = [
        f"{', '.join(filter(None, (v['title'], v['column'])))}: {v['line']}"
        for v in about.get("verdicts", [])
        if tables is None or v["table"] in tables
    ]
    return verdicts + [f"{table}: {line}." for table, line in left_out.items() if tables is None or table in tables]


def rejected_lines(site: Path, work_dirs: Sequence[Path]) -> list[str]:
    """How many records of each ledger the pages do not trust, and what says why, a line each.

    Args:
        work_dirs: those that the pages were made from, in their order.
    """
    about = from_json(read_file(site / LEADERBOARD, LARGEST_PLAN))
    rejected = about.get("rejected", {})
    ask = "python -m harness verify --work-dir"
    return [
        f"{count(rejected[name], 'record')} rejected: `{ask} {shlex.quote(str(w))}` says why"
        for name, w in zip(about.get("ledgers", []), work_dirs, strict=False)
        if name in rejected
    ]
