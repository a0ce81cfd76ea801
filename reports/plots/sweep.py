"""Figure 6: accuracy against the weights of the loss, as numbers (a table) and as points to draw."""

from __future__ import annotations

from dataclasses import dataclass

from harness.suite import benchmark as suite
from harness.suite.cells import cell_id, grid_points, grid_variant, sweep_variant
from reports import format as f
from reports.ledger.context import Board
from reports.ledger.results import Result
from reports.tables.cells import absent_cells, measured_cells, measured_columns
from reports.tables.columns import sources_of
from reports.tables.table import Cell, Column, Row, Table


@dataclass(frozen=True)
class Point:
    """One measured point: fractions; ``std`` over seeds, None for one seed."""

    x: float
    mean: float
    std: float | None
    n: int


@dataclass(frozen=True)
class Curve:
    """One sweep with what became of each of its points."""

    id: str
    title: str
    default: float
    points: tuple[Point, ...]
    absent: tuple[tuple[float, str], ...]  # weight -> why it has no point


def curves(board: Board, figure: suite.Figure) -> tuple[Curve, ...]:
    """The sweeps of a figure at the plan's profile."""
    out = []
    for sweep in figure.sweeps:
        points, absent = [], []
        for value in sweep.points(board.profile):
            result = board.result(cell_id(figure.model, sweep_variant(sweep.id, value)))
            if result is not None and result.done:
                points.append(Point(value, *result.top1, len(result.done)))
            else:
                absent.append((value, _why(result)))
        out.append(Curve(sweep.id, sweep.title, sweep.default, tuple(points), tuple(absent)))
    return tuple(out)


def _why(result: Result | None) -> str:
    if result is None:
        return "no run of it in the ledger"
    return next((f"{r.status}: {r.reason}" for r in result.runs if r.status != "done"), "no accuracy recorded")


def baseline(board: Board, figure: suite.Figure) -> tuple[str, Result] | None:
    """The row without any mark of an ablation on the same data set: the student that nobody teaches."""
    for table in board.benchmark.tables:
        if table.layout == "rows" and table.dataset == figure.dataset:
            for row in table.rows:
                if not row.marks and not row.group:
                    result = board.result(cell_id(row.model, row.variant))
                    return (row.title, result) if result is not None and result.done else None
    return None


def figure_table(board: Board, figure: suite.Figure) -> Table:
    """The numbers of a figure."""
    columns = [
        Column("point", "Weight"),
        Column("sweep", "Sweep", page=False),
        Column("weight", "Value", numeric=True, page=False),
        *measured_columns("m."),
    ]
    rows, results = [], []
    for sweep in figure.sweeps:
        for value in sweep.points(board.profile):
            result = board.result(cell_id(figure.model, sweep_variant(sweep.id, value)))
            results.append(result)
            measured = (
                absent_cells("not asked for", board.not_asked, "m.", rank=False)
                if result is None
                else measured_cells(result, "m.")
            )
            default = "default" if value == sweep.default else ""
            rows.append(
                Row(
                    f"{sweep.id}={value:g}",
                    {
                        "point": Cell(f"{sweep.id} = {value:g}", value, sub=default),
                        "sweep": Cell(sweep.id),
                        "weight": Cell(f"{value:g}", value),
                        **measured,
                    },
                    group=sweep.title,
                )
            )
    sources = sources_of(board, figure.claim.source) if figure.claim else ()
    return Table(
        figure.id,
        figure.title,
        figure.caption,
        tuple(columns),
        tuple(rows),
        tuple(note for note in (figure.note, board.training_note(results)) if note),
        sources,
        board.comparability(figure.dataset),
    )


@dataclass(frozen=True)
class HeatMap:
    """A figure's grid: what is measured at every pair of weights, as fractions; None where there is nothing."""

    x: suite.Sweep
    y: suite.Sweep
    values: dict[tuple[float, float], float | None]


def grid_asked(board: Board, figure: suite.Figure) -> bool:
    return figure.grid is not None and figure.grid.id in board.ledger.tables


def heat_map(board: Board, figure: suite.Figure) -> HeatMap:
    """The means over seeds at every pair of weights."""
    values = {}
    for pair in grid_points(figure, board.profile):
        result = board.result(cell_id(figure.model, grid_variant(figure, pair)))
        values[pair] = result.top1[0] if result is not None and result.done else None
    return HeatMap(*figure.sweeps, values)


def grid_table(board: Board, figure: suite.Figure) -> Table:
    """The numbers of a figure's grid."""
    x, y = figure.sweeps
    columns = [Column("point", "Weights"), *(Column(s.id, s.id, numeric=True) for s in (x, y)), *measured_columns("m.")]
    rows, results = [], []
    for pair in grid_points(figure, board.profile):
        variant = grid_variant(figure, pair)
        result = board.result(cell_id(figure.model, variant))
        results.append(result)
        measured = (
            absent_cells("not asked for", board.not_asked, "m.", rank=False)
            if result is None
            else measured_cells(result, "m.")
        )
        default = "default" if pair == (x.default, y.default) else ""
        weights = {s.id: Cell(f"{v:g}", v) for s, v in zip((x, y), pair, strict=True)}
        rows.append(Row(variant, {"point": Cell(variant.replace(",", ", "), sub=default), **weights, **measured}))
    return Table(
        figure.grid.id,
        figure.grid.title,
        figure.grid.caption,
        tuple(columns),
        tuple(rows),
        tuple(note for note in [board.training_note(results)] if note),
        verdict=board.comparability(figure.dataset),
    )


def claim_text(board: Board, figure: suite.Figure) -> str:
    """The claimed optimum, in words."""
    claim = figure.claim
    if claim is None or claim.value is None:
        return ""
    at = " and ".join(f"{k} = {v:g}" for k, v in claim.at.items())
    return f"{f.printed(claim.value)} %" + (f" at {at}" if at else "")
