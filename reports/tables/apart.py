"""Rows with a protocol of their own in files to take away: in a block of their own, and why.

On a page their place depends on what is measured (``order.best_first``); files keep the declared order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reports.tables.table import Row, Table

HEADING = "Protocols of their own, not ranked"


def apart_last(table: Table) -> Table:
    """The table with its rows of other protocols in a last block."""
    ranked = [r for r in table.rows if not r.apart]
    return replace(table, rows=(*ranked, *(replace(r, group=HEADING) for r in table.rows if r.apart)))


def apart_notes(table: Table, rows: Iterable[Row] | None = None) -> list[str]:
    """Why rows are not ranked with the others, a line for each protocol.

    Args:
        rows: those that are shown; None for all.
    """
    found: dict[str, dict[str, None]] = {}
    for row in table.rows if rows is None else rows:
        if row.apart:
            found.setdefault(row.apart, {})[row.cells[table.columns[0].id].text] = None
    return [f"Not ranked with the others: {', '.join(names)}. Protocol: {reason}." for reason, names in found.items()]
