"""Cells that cannot be planned: a number in the cell, and each reason once below the table."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from reports import format as f
from reports.ledger.results import STATUS
from reports.tables.table import MEASURED, Cell, Row


def reasons_below(rows: list[Row]) -> tuple[list[Row], list[str]]:
    """The rows with "not planned: 1" for their cells that cannot be planned, and a note for each number."""
    found = Counter(c.title for row in rows for c in row.cells.values() if _is_unplanned(c))
    numbers = {reason: i for i, reason in enumerate(found, 1)}
    notes = [f"Not planned, {i}: {reason} ({f.count(found[reason], 'cell')})." for reason, i in numbers.items()]
    return [_numbered(row, numbers) for row in rows] if numbers else rows, notes


def _is_unplanned(cell: Cell) -> bool:
    return cell.state == "failed" and cell.text == STATUS["unplanned"]


def _numbered(row: Row, numbers: dict[str, int]) -> Row:
    cells = dict(row.cells)
    for name, cell in row.cells.items():
        if cell.origin != MEASURED or cell.title not in numbers:
            continue
        short = f"not planned: {numbers[cell.title]}"
        if _is_unplanned(cell):
            cells[name] = replace(cell, text=short, sub="", title="the reason stands below the table")
        elif cell.state == "missing":
            cells[name] = replace(cell, title=short)
    return replace(row, cells=cells)
