"""The order in which a page shows a table: what is measured first, the best at its head; downloads keep the draft's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness.suite import benchmark as suite
from reports.tables.table import CLAIMED, Row, Table

APART = "Protocols of their own, best first; not ranked with the others"
LAST = "Nothing measured: claimed values alone, and what was not run"
UNCLAIMED = "Nothing measured: what was not run"


def best_first(declared: suite.Table, table: Table) -> Table:
    """The table in blocks: measured rows, the best first, in one block for each set of inference modalities where these
    are a matter of the row, and for each kind of clips; rows with a protocol of their own; last the rows without a
    measured value. Rows know their place in the declared order. An ablation and a table without any measured value stay
    as they are."""
    columns = top1_columns(declared)
    if declared.layout == "rows" or not any(_values(r, columns) for r in table.rows):
        return table
    rows = [replace(r, place=i) for i, r in enumerate(table.rows)]
    blocks: dict[tuple[str, str], list[Row]] = {}  # heading and kind of clips
    for row in rows:
        heading = _block(declared, row, columns)
        blocks.setdefault((heading, row.clips if heading != LAST else ""), []).append(row)
    known = list(dict.fromkeys((*_headings(declared), *(h for h, _ in blocks if h not in (APART, LAST)), APART, LAST)))
    ordered = []
    for heading, clips in sorted(blocks, key=lambda block: known.index(block[0])):
        block = blocks[heading, clips]
        own = block if heading == LAST else sorted(block, key=lambda r: _key(r, columns))
        title = heading if heading != LAST or any(c.origin == CLAIMED for c in table.columns) else UNCLAIMED
        title = title.replace("best first", f"on {clips}, best first") if clips else title
        ordered += _parted([replace(r, group=title) for r in own], columns[0].replace("top1", "group"))
    return replace(table, rows=tuple(ordered))


def top1_columns(declared: suite.Table) -> list[str]:
    """Ids of the columns with measured accuracies; a table is ordered by the first."""
    return [f"{c.modality}.top1" for c in declared.columns] if declared.layout == "by_modality" else ["m.top1"]


def _headings(declared: suite.Table) -> Iterable[str]:
    """The headings of measured rows, in the order of the table's declaration."""
    if declared.layout == "by_modality":
        several = len(declared.columns) > 1
        return [f"Measured, best first{f' on {declared.columns[0].title}' if several else ''}"]
    return [f"{c.title} at inference, best first" for c in declared.columns]


def _block(declared: suite.Table, row: Row, columns: Sequence[str]) -> str:
    if not _values(row, columns):
        return LAST
    if row.apart:
        return APART
    if declared.layout == "by_modality":
        return next(iter(_headings(declared)))
    return f"{row.cells['test'].text} at inference, best first"


def _values(row: Row, columns: Sequence[str]) -> list[float]:
    return [v for c in columns if (v := row.cells[c].value) is not None]


def _key(row: Row, columns: Sequence[str]) -> list[tuple[bool, float]]:
    """By the first column, then by the next; what a column lacks comes last in it."""
    found = [row.cells[c].value for c in columns]
    return [(v is None, -(v or 0.0)) for v in found]


def _parted(rows: list[Row], column: str) -> list[Row]:
    """Rows that begin another group of ties than the last ranked row before them are marked."""
    out, last = [], ""
    for row in rows:
        group = row.cells[column].text if row.cells[column].state == "" else ""
        out.append(replace(row, parted=bool(last and group and group != last)))
        last = group or last
    return out
