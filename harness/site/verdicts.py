"""What the pages of a site say in a sentence each."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from pydantic_core import from_json

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
