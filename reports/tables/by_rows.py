"""Tables whose rows name their own configs: an ablation with its marks, its controls and its bounds."""

from __future__ import annotations

from harness.suite import benchmark as suite
from harness.suite.cells import cell_id
from reports import format as f
from reports.ledger.context import ReportContext
from reports.ledger.results import Result
from reports.tables.claimed import claimed
from reports.tables.columns import against, against_column, finished
from reports.tables.differences import Difference, adjusted, difference
from reports.tables.measured import cells_or_absent, measured_columns
from reports.tables.method_cells import clips_of, own_protocol, unranked_protocol
from reports.tables.row_verdict import compared_rows
from reports.tables.table import MEASURED, Cell, Column, Row, Table, marked, missing
from reports.tables.training import training_cell, training_column

DELTA = Column(
    "delta",
    "Against the first row",
    paper=False,
    origin=MEASURED,
    numeric=True,
    key="beside",
    explain=(
        "difference of measured accuracies in points, over the seeds that both rows have, with its 95 % interval "
        "(paired bootstrap over subjects, clips and trainings); only rows tested on the same clips"
    ),
)
P = Column(
    "p",
    "p",
    paper=False,
    origin=MEASURED,
    numeric=True,
    ascending=True,
    explain=(
        "of no difference to the first row: the larger of an exact McNemar test on the same clips and a t test over "
        "trainings (paired over seeds; for one seed, or where each has the same difference, with the variance of "
        "training, or left out and called provisional where that is not known); Holm-adjusted for all rows that the "
        "table has, measured or not"
    ),
)


def by_rows(context: ReportContext, table: suite.Table) -> Table:
    """Rows that name their own configs: an ablation with its marks, its controls and its bounds."""
    results = [context.result(cell_id(r.model, r.variant)) for r in table.rows]
    compared = {r.id for r in compared_rows(context, table)}
    deltas = _deltas(results, len({cell_id(r.model, r.variant) for r in table.rows}) - 1)
    rows = []
    for row, result, (delta, p) in zip(table.rows, results, deltas, strict=True):
        entry = context.entries[row.model]
        cells = {
            "row": Cell(row.title, sub="; ".join(filter(None, (cell_id(row.model, row.variant), own_protocol(entry))))),
            **{"mark." + m.id: _mark(row, m) for m in table.marks},
            "claimed": claimed(row.claim, context.benchmark),
            **cells_or_absent(result, context.absent(cell_id(row.model, row.variant)), "m."),
            "delta": delta,
            "p": p,
            "training": training_cell(result),
            "shows": Cell(row.shows),
        }
        if context.clips.comparable(table.dataset):
            cells["against"] = against(result, row.claim)
        field, apart = table.id * (row.id in compared), unranked_protocol(context, [entry])
        clips = clips_of([cell_id(row.model, row.variant)], context)
        rows.append(Row(row.id, cells, row.group, ours=row.claim is None, field=field, clips=clips, apart=apart))
    return finished(context, table, _columns(context, table), rows, [r.claim for r in table.rows], results)


def _columns(context: ReportContext, table: suite.Table) -> list[Column]:
    group = "Distillation terms" if len(table.marks) > 1 else ""
    return [
        Column("row", "Row"),
        *(Column("mark." + m.id, m.title, group=group) for m in table.marks),
        Column(
            "claimed",
            "Claimed top-1 (%)",
            "claimed",
            numeric=True,
            short="Claimed",
            explain="printed in the draft",
            page=any(r.claim is not None for r in table.rows),
        ),
        *measured_columns("m."),
        DELTA,
        P,
        *([against_column()] if context.clips.comparable(table.dataset) else []),
        training_column(),
        Column("shows", "What it shows", paper=False),
    ]


def _mark(row: suite.Row, mark: suite.Mark) -> Cell:
    if row.group and not row.marks:
        return missing("", f"not a row of the ablation ({row.group.lower()})")
    return Cell("yes", 1, state="yes") if mark.id in row.marks else Cell("no", 0, state="no")


def _deltas(results: list[Result | None], family: int = 0) -> list[tuple[Cell, Cell]]:
    """Difference to the first row over the seeds that both have, and its p adjusted for ``family`` rows, per row."""
    first = results[0] if results else None
    none = (missing(f.DASH, "nothing measured to compare", MEASURED),) * 2
    if first is None or first.outcomes is None:
        return [none] * len(results)
    reference = (missing("reference", "the row that the others are compared with", MEASURED),) * 2
    compared = {
        i: difference(r, first)
        for i, r in enumerate(results[1:], start=1)
        if r is not None and r.outcomes is not None and r.id != first.id
    }
    out = [reference, *[none] * (len(results) - 1)]
    for i, found in zip(compared, adjusted(list(compared.values()), family), strict=True):
        out[i] = _delta_cells(found)
    return out


def _delta_cells(found: Difference | str) -> tuple[Cell, Cell]:
    if isinstance(found, str):
        return (missing(f.DASH, found, MEASURED),) * 2
    provisional = " (provisional)" if found.provisional else ""
    cells = {
        "delta": Cell(
            f.points(found.gap, found.digits),
            100 * found.gap,
            sub=found.span() + provisional,
            warn=found.caveat,
            origin=MEASURED,
        ),
        "p": Cell(f.p_value(found.p), found.p, sub=provisional.strip(" ()"), origin=MEASURED),
    }
    delta, p = marked(cells, found.mark).values()
    return delta, p
