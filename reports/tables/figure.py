"""The numbers of a figure, and of its grid, as tables."""

from __future__ import annotations

from harness.suite import benchmark as suite
from harness.suite.cells import cell_id, grid_points, grid_variant, sweep_variant
from reports.ledger.context import ReportContext
from reports.tables.columns import sources_of
from reports.tables.measured import cells_or_absent, measured_columns
from reports.tables.table import Cell, Column, Row, Table


def figure_table(context: ReportContext, figure: suite.Figure) -> Table:
    """The numbers of a figure."""
    columns = [
        Column("point", "Weight"),
        Column("sweep", "Sweep", page=False),
        Column("weight", "Value", numeric=True, page=False),
        *measured_columns("m."),
    ]
    rows, results = [], []
    for sweep in figure.sweeps:
        for value in sweep.points(context.profile):
            result = context.result(cell_id(figure.model, sweep_variant(sweep.id, value)))
            results.append(result)
            default = "default" if value == sweep.default else ""
            rows.append(
                Row(
                    f"{sweep.id}={value:g}",
                    {
                        "point": Cell(f"{sweep.id} = {value:g}", value, sub=default),
                        "sweep": Cell(sweep.id),
                        "weight": Cell(f"{value:g}", value),
                        **cells_or_absent(result, context.absent(figure.model), "m."),
                    },
                    group=sweep.title,
                    field=sweep.id,
                )
            )
    claimed = not context.clips.others_note(figure.dataset)
    sources = sources_of(context, figure.claim.source) if figure.claim and claimed else ()
    notes = (
        figure.note,
        figure.claims_note if claimed else "",
        context.training_note(results),
        *context.mark_notes(results),
    )
    return Table(
        figure.id,
        figure.title,
        figure.caption,
        tuple(columns),
        tuple(rows),
        tuple(filter(None, notes)),
        sources,
        context.clips.comparability(figure.dataset),
        figure.dataset,
    )


def grid_table(context: ReportContext, figure: suite.Figure, grid: suite.Grid) -> Table:
    """The numbers of a figure's grid."""
    x, y = figure.sweeps
    columns = [Column("point", "Weights"), *(Column(s.id, s.id, numeric=True) for s in (x, y)), *measured_columns("m.")]
    rows, results = [], []
    for pair in grid_points(figure, context.profile):
        variant = grid_variant(figure, pair)
        result = context.result(cell_id(figure.model, variant))
        results.append(result)
        default = "default" if pair == (x.default, y.default) else ""
        weights = {s.id: Cell(f"{v:g}", v) for s, v in zip((x, y), pair, strict=True)}
        cells = {"point": Cell(variant.replace(",", ", "), sub=default), **weights}
        rows.append(Row(variant, cells | cells_or_absent(result, context.absent(figure.model), "m."), field=grid.id))
    return Table(
        grid.id,
        grid.title,
        grid.caption,
        tuple(columns),
        tuple(rows),
        tuple(note for note in (context.training_note(results), *context.mark_notes(results)) if note),
        verdict=context.clips.comparability(figure.dataset, claimed=False),
        dataset=figure.dataset,
    )
