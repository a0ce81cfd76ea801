"""Which methods pages show, as their leaderboard.json has them: a config that was added changes pages, as runs do."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

LEADERBOARD = "leaderboard.json"


def other_methods(site: Path, fresh: Path) -> str:
    """What the configs have that a site does not show, or the other way round; "" where they have the same methods.

    Args:
        fresh: a site that was just written from the configs.
    """
    shown, known = _rows(site), _rows(fresh)
    said = {
        "which these pages do not show": ("the configs have", known - shown),
        "which the configs do not have": ("these pages show", shown - known),
    }
    return "; ".join(
        f"{has} {', '.join(sorted({method for _, method in rows}))}, {lacks}"
        for lacks, (has, rows) in said.items()
        if rows
    )


def _rows(site: Path) -> Counter[tuple[str, str]]:
    """(table, method) -> how many rows; none where the file is not as a report writes it."""
    try:
        tables = json.loads((site / LEADERBOARD).read_text(encoding="utf-8"))["tables"]
        rows = [(t["id"], row["cells"].get("method")) for t in tables for row in t["rows"]]
        return Counter((table, str(method["text"])) for table, method in rows if method)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Counter()
