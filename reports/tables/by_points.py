"""Tables of some rows at several points of their data: how dark it is, how many clips there are to train on."""

from __future__ import annotations

from harness.suite import benchmark as suite
from harness.suite.cells import cell_id
from reports import format as f
from reports.ledger.context import ReportContext
from reports.ledger.results import Result
from reports.tables.columns import finished
from reports.tables.differences import LEVEL, Difference, adjusted, difference, difference_cells, difference_columns
from reports.tables.measured import EXPORTED_IDS, cells_or_absent, measured_columns
from reports.tables.table import MEASURED, Cell, Column, Row, Table, missing
from reports.tables.verdict import Verdict, basis, nothing

SHOWN = ("top1", *EXPORTED_IDS)


def by_points(context: ReportContext, table: suite.Table) -> Table:
    """One row a point, each series beside the others, and what the one of ``gain`` has over the other."""
    gains = gains_of(context, table)
    rows, results = [], []
    for point, gain in zip(table.points, gains, strict=True):
        cells = {"point": Cell(point.title), "clips": _training_clips(context, table, point)}
        for line in table.series:
            result = result_at(context, table, point, line)
            results.append(result)
            absent = context.absent(_cell(table, point, line))
            made = cells_or_absent(result, absent, f"{line.id}.")
            cells |= {k: c for k, c in made.items() if k.removeprefix(f"{line.id}.") in SHOWN}
        rows.append(Row(point.id, cells | difference_cells("gain", gain)))
    return finished(context, table, _columns(table), rows, [], results)


def _columns(table: suite.Table) -> list[Column]:
    columns = [Column("point", table.axis), Column("clips", "Training clips", MEASURED, numeric=True)]
    for line in table.series:
        of_line = measured_columns(f"{line.id}.", line.title)
        columns += [c for c in of_line if c.id.removeprefix(f"{line.id}.") in SHOWN]
    return columns + difference_columns("gain", gain_title(table))


def series(table: suite.Table, i: str) -> suite.Row:
    """A series by its id."""
    return next(s for s in table.series if s.id == i)


def gain_title(table: suite.Table) -> str:
    """What is compared with what, in words."""
    if table.gain is None:
        return ""
    return f"{series(table, table.gain.of).title} against {series(table, table.gain.over).title}"


def _cell(table: suite.Table, point: suite.Point, line: suite.Row) -> str:
    row = table.at(point, line)
    return cell_id(row.model, row.variant)


def result_at(context: ReportContext, table: suite.Table, point: suite.Point, line: suite.Row) -> Result | None:
    """What a series has at a point."""
    return context.result(_cell(table, point, line))


def gains_of(context: ReportContext, table: suite.Table) -> list[Difference | str]:
    """The gain at each point, p values adjusted for all points; one line where there is none."""
    if table.gain is None:
        return []
    of, over = series(table, table.gain.of), series(table, table.gain.over)
    found = [difference(*(result_at(context, table, p, s) for s in (of, over))) for p in table.points]
    return adjusted(found, len(found))


def _training_clips(context: ReportContext, table: suite.Table, point: suite.Point) -> Cell:
    """How many clips the compared rows were trained on."""
    for line in reversed(table.series):
        result = result_at(context, table, point, line)
        known = [r.data.train_clips for r in result.done if r.data is not None] if result is not None else []
        if known:
            return Cell(str(known[0]), known[0], origin=MEASURED)
    return missing(f.DASH, "nothing measured", MEASURED)


def of_points(context: ReportContext, table: suite.Table) -> tuple[Verdict, ...]:
    """The gain at each point in one sentence."""
    found = list(zip(table.points, gains_of(context, table), strict=True))
    known = [(p, d) for p, d in found if isinstance(d, Difference)]
    if not known:
        return (nothing(result_at(context, table, p, line) for p in table.points for line in table.series),)
    said = [f"{f.points(d.gap, d.digits)}{'*' * (d.p < LEVEL and not d.provisional)} at {p.title}" for p, d in known]
    axis = table.axis[:1].lower() + table.axis[1:]
    text = f"{gain_title(table)}, in points: {', '.join(said)}" + f" ({axis})" * bool(axis)
    text += "; * significant" if any("*" in s for s in said) else "; none significant"
    if len(known) < len(found):
        text += f"; {len(known)} of {f.count(len(found), 'point')} measured"
    results = [
        r for p, _ in known for s in table.series if (r := result_at(context, table, p, s)) is not None and r.done
    ]
    return (Verdict("", "alone", text, basis(context, results)),)
