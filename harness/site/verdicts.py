"""What the pages of a site say in a sentence each."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from pydantic_core import from_json

from harness.ledger.files import read_file
from harness.ledger.planfile import LARGEST_PLAN

LEADERBOARD = "leaderboard.json"


def verdict_lines(site: Path, tables: Container[str] | None = None) -> list[str]:
    """The verdict of each table and figure, and of each of its columns, in one line; None for all that were asked for.

    Read from what the last report wrote: nothing that makes pages is imported for it.
    """
    found = from_json(read_file(site / LEADERBOARD, LARGEST_PLAN)).get("verdicts", [])
    return [
        f"{', '.join(filter(None, (v['title'], v['column'])))}: {v['line']}"
        for v in found
        if tables is None or v["table"] in tables
    ]
