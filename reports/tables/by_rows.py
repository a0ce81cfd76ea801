"""Tables whose rows name their own configs: an ablation with its marks, its controls and its bounds."""

from __future__ import annotations

from harness.suite import benchmark as suite
from harness.suite.cells import cell_id
from reports import format as f
from reports.ledger.context import Board
from reports.ledger.results import Result
from reports.tables.cells import MEASURED, absent_cells, claimed, measured_cells, measured_columns
from reports.tables.columns import against, against_column, finished
from reports.tables.differences import Difference, adjusted, difference
from reports.tables.table import Cell, Column, Row, Table, missing
from reports.views.protocol import training_cell, training_column


def by_rows(board: Board, table: suite.Table) -> Table:
    """Rows that name their own configs: an ablation with its marks, its controls and its bounds."""
    comparable = board.comparable(table.dataset)
    columns = [
        Column("row", "Row"),
        *(
            Column("mark." + m.id, m.title, group="Distillation terms" if len(table.marks) > 1 else "")
            for m in table.marks
        ),
        Column("claimed", "Claimed top-1 (%)", origin="claimed", numeric=True, explain="printed in the draft"),
        *measured_columns("m."),
        Column(
            "delta",
            "Against the first row",
            origin=MEASURED,
            numeric=True,
            explain=(
                "difference of measured accuracies in points, over the seeds that "
                "both rows have, with its 95 % interval "
                "(paired bootstrap over subjects, clips and trainings); only rows tested on the same clips"
            ),
        ),
        Column(
            "p",
            "p",
            origin=MEASURED,
            numeric=True,
            ascending=True,
            explain=(
                "of no difference to the first row: the larger of an exact McNemar test "
                "on the same clips and a t test over "
                "trainings (paired over seeds; for one seed with the variance of "
                "training, or left out and called provisional "
                "where that is not known); Holm-adjusted for all rows that the table has, measured or not"
            ),
        ),
        *([against_column()] if comparable else []),
        training_column(),
        Column("shows", "What it shows"),
    ]
    results = [board.result(cell_id(r.model, r.variant)) for r in table.rows]
    deltas = _deltas(results, len({cell_id(r.model, r.variant) for r in table.rows}) - 1)
    rows = []
    for row, result, (delta, p) in zip(table.rows, results, deltas, strict=True):
        if result is None:
            measured = absent_cells("not asked for", board.not_asked, "m.", rank=False)
        else:
            measured = measured_cells(result, "m.")
        cells = {
            "row": Cell(row.title, sub=cell_id(row.model, row.variant)),
            **{"mark." + m.id: _mark(row, m) for m in table.marks},
            "claimed": claimed(row.claim, board.benchmark),
            **measured,
            "delta": delta,
            "p": p,
            "training": training_cell(result),
            "shows": Cell(row.shows),
        }
        if comparable:
            cells["against"] = against(result, row.claim)
        rows.append(Row(row.id, cells, row.group, ours=row.claim is None))
    return finished(board, table, columns, rows, [r.claim for r in table.rows], results)


def _mark(row: suite.Row, mark: suite.Mark) -> Cell:
    if row.group and not row.marks:
        return missing("", f"not a row of the ablation ({row.group.lower()})")
    return Cell("yes", 1, state="yes") if mark.id in row.marks else Cell("no", 0, state="no")


def _deltas(results: list[Result | None], family: int = 0) -> list[tuple[Cell, Cell]]:
    """Difference to the first row over the seeds that both have, and its p adjusted for ``family`` rows, per row."""
    first = results[0] if results else None
    none = (missing(f.DASH, "nothing measured to compare", MEASURED),) * 2
    out = [none] * len(results)
    if first is None or first.outcomes is None:
        return out
    out[0] = (missing("reference", "the row that the others are compared with", MEASURED),) * 2
    compared: dict[int, Difference] = {}
    for i, r in enumerate(results[1:], start=1):
        if r is None or r.outcomes is None or r.id == first.id:
            continue
        found = difference(r, first)
        if isinstance(found, Difference):
            compared[i] = found
        else:
            out[i] = (missing(f.DASH, found, MEASURED),) * 2
    digits = f.percent_digits(len(first.outcomes.clips))
    for i, d in zip(compared, adjusted(list(compared.values()), family), strict=True):
        provisional = " (provisional)" if d.provisional else ""
        interval = f"{f.points(d.low)} to {f.points(d.high)}"
        out[i] = (
            Cell(f.points(d.gap, digits), 100 * d.gap, sub=interval + provisional, origin=MEASURED),
            Cell(f.p_value(d.p), d.p, sub=provisional.strip(" ()"), origin=MEASURED),
        )
    return out


def ablation_finding(table: Table) -> str:
    """What the last row of the ablation proper adds to the first, in one sentence; "" where it was not measured, or
    where rows have no marks: they do not build on each other then."""
    if not any(c.id.startswith("mark.") for c in table.columns):
        return ""
    rows = [r for r in table.rows if not r.group]
    if len(rows) < 2 or rows[-1].cells["delta"].value is None:
        return ""
    first, last = rows[0].cells["row"].text, rows[-1].cells
    p = last["p"].text if last["p"].text.startswith("<") else f"= {last['p'].text}"
    said = f"p {p}".replace(" ", "\u00a0")
    delta = last["delta"]
    return f"{last['row'].text} against {first}: {delta.text} points (95 % interval {delta.sub}; {said})."
