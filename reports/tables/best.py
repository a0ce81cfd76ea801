"""Which cells of a table may be called the best of their column."""

from __future__ import annotations

from collections.abc import Sequence

from reports.tables.differences import LEVEL
from reports.tables.table import CLAIMED, Column, Row


def best_cells(columns: Sequence[Column], rows: Sequence[Row]) -> set[tuple[str, str]]:
    """(row, column) of the highest accuracy of each column, per field; a field of one row has none; nor has what is not
    ranked, provisional or not above chance. A row apart takes no part with what is measured; where its claimed value is
    the highest, no other is bold."""
    fields: dict[str, list[Row]] = {}
    for row in rows:
        if row.field:
            fields.setdefault(row.field, []).append(row)
    found = set()
    for column in columns:
        if not (column.id.endswith("top1") or (column.origin == CLAIMED and column.short)):
            continue
        for field in (part for own in fields.values() for part in _compared(own, column)):
            known = [(v, r) for r in field if (v := r.cells[column.id].value) is not None]
            top = max((v for v, _ in known), default=0.0)
            found |= {(r.id, column.id) for v, r in known if v == top and len(known) > 1 and _stands_out(r, column)}
    return found


def _compared(own: list[Row], column: Column) -> list[list[Row]]:
    """The rows of a field that are compared in a column: what is measured, on one kind of clips alone."""
    if column.origin == CLAIMED:
        return [own]
    parts: dict[str, list[Row]] = {}
    for row in own:
        if not row.apart:
            parts.setdefault(row.clips, []).append(row)
    return list(parts.values())


def _stands_out(row: Row, column: Column) -> bool:
    """Whether a row may be called the best of a column by the page's own words; a claimed value may, but
    in a row apart."""
    if column.origin == CLAIMED:
        return not row.apart
    prefix = column.id.removesuffix("top1")
    chance, rank = row.cells.get(prefix + "chance"), row.cells.get(prefix + "rank")
    by_chance = chance is not None and chance.value is not None and chance.value >= LEVEL
    unranked = rank is not None and rank.value is None
    return not (by_chance or unranked or "(provisional)" in row.cells[column.id].sub)
