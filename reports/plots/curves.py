"""The points of a figure: accuracy against the weights of the loss, one by one and in pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.suite import benchmark as suite
from harness.suite.cells import cell_id, grid_points, grid_variant, sweep_variant
from reports.ledger.context import ReportContext
from reports.ledger.marks import marks_of
from reports.ledger.results import Result
from reports.stats.training import Training


@dataclass(frozen=True)
class Point:
    """One measured point: fractions; ``std`` over seeds, None for one seed."""

    x: float
    mean: float
    std: float | None
    n: int
    mark: str = ""  # of its number
    band: float | None = None  # half of the 95 % interval for other trainings; None where nothing says


@dataclass(frozen=True)
class Curve:
    """One sweep with what became of each of its points."""

    id: str
    title: str
    default: float
    points: tuple[Point, ...]
    absent: tuple[tuple[float, str], ...]  # weight -> why it has no point


@dataclass(frozen=True)
class HeatMap:
    """A figure's grid: what is measured at every pair of weights, as fractions; None where there is nothing."""

    x: suite.Sweep
    y: suite.Sweep
    values: dict[tuple[float, ...], float | None]
    marks: Mapping[tuple[float, ...], str] = field(default_factory=dict)  # of the values that have one


def curves(context: ReportContext, figure: suite.Figure) -> tuple[Curve, ...]:
    """The sweeps of a figure at the plan's profile."""
    out = []
    for sweep in figure.sweeps:
        points, absent = [], []
        for value in sweep.points(context.profile):
            result = context.result(cell_id(figure.model, sweep_variant(sweep.id, value)))
            if result is not None and result.done:
                n = len(result.done)
                points.append(Point(value, *result.top1, n, marks_of(result), _band(result.training, n)))
            else:
                absent.append((value, _why(result)))
        out.append(Curve(sweep.id, sweep.title, sweep.default, tuple(points), tuple(absent)))
    return tuple(out)


def _band(training: Training | None, seeds: int) -> float | None:
    """Half of the interval in which the mean of as many other trainings on the same clips would lie."""
    if training is None:
        return None
    from scipy.special import stdtrit

    return float(stdtrit(training.freedom, 0.975)) * training.std / seeds**0.5


def _why(result: Result | None) -> str:
    if result is None:
        return "no run of it in the ledger"
    return next((f"{r.status}: {r.reason}" for r in result.runs if r.status != "done"), "no accuracy recorded")


def baseline(context: ReportContext, figure: suite.Figure) -> tuple[str, Result] | None:
    """The row without any mark of an ablation on the same data set: the student that nobody teaches."""
    for table in context.benchmark.tables:
        if table.layout == "rows" and table.dataset == figure.dataset:
            for row in table.rows:
                if not row.marks and not row.group:
                    result = context.result(cell_id(row.model, row.variant))
                    return (row.title, result) if result is not None and result.done else None
    return None


def heat_map(context: ReportContext, figure: suite.Figure) -> HeatMap:
    """The means over seeds at every pair of weights."""
    values: dict[tuple[float, ...], float | None] = {}
    marks = {}
    for pair in grid_points(figure, context.profile):
        result = context.result(cell_id(figure.model, grid_variant(figure, pair)))
        values[pair] = result.top1[0] if result is not None and result.done else None
        if mark := marks_of(result):
            marks[pair] = mark
    x, y = figure.sweeps
    return HeatMap(x, y, values, marks)
