"""Accuracy against cost: which methods of a column are best for what they cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from harness.ledger.ancestry import dependency_closure
from harness.ledger.record import RunRecord
from reports import format as f
from reports.ledger.context import ReportContext
from reports.ledger.digits import digits_of
from reports.ledger.kinds import SYNTHETIC
from reports.ledger.results import Result, by_kind_of_clips, on_other_clips, twins
from reports.stats.training import mean_std
from reports.tables.comparison import named_results, unranked_note
from reports.tables.table import MEASURED, Cell, Column, Row, Table, missing

FRONT = "● on the Pareto front"


@dataclass(frozen=True)
class Measure:
    """Something that a method costs.

    Attributes:
        axis: largest value -> scale and unit of an axis that holds it.
        of: of a result, None where it is not recorded.
    """

    id: str
    title: str
    axis: Callable[[float], tuple[float, str]]
    of: Callable[[Result], float | None]
    text: Callable[[float], str]
    explain: str
    unit: str = ""  # of what ``of`` gives, where the title does not say it


def _time_axis(most: float) -> tuple[float, str]:
    """From seconds to the largest unit in which the longest time is more than one."""
    return next(((1 / s, unit) for s, unit in ((3600, "hours"), (60, "minutes")) if most > s), (1.0, "seconds"))


def _mean(values: Iterable[float | None]) -> float | None:
    found = list(values)
    known = [v for v in found if v is not None]
    return mean_std(known)[0] if known and len(known) == len(found) else None


MEASURES = (
    Measure(
        "params",
        "Parameters",
        lambda _: (1e-6, "million parameters"),
        lambda r: _mean(x.cost.params for x in r.done),
        f.large,
        "of the network that predicts",
    ),
    Measure(
        "macs",
        "GMACs",
        lambda _: (1.0, "GMACs of one view"),
        lambda r: _mean(None if x.cost.flops is None else x.cost.flops / 1e9 for x in r.done),
        lambda v: f"{v:.3g}",
        "billions of multiply-adds of one view",
    ),
    Measure(
        "train",
        "Training time, all stages",
        _time_axis,
        lambda r: _mean(r.train_seconds),
        f.seconds,
        "of the run and of every stage that it depends on, each once; mean over seeds",
        unit="s",
    ),
)


@dataclass(frozen=True)
class Point:
    """A method of a column. ``number``: its row, the best is 1. ``costs``: by the ids of ``MEASURES``."""

    number: int
    name: str
    result: Result
    costs: dict[str, float | None]
    front: frozenset[str]  # measures by which nothing is both as good and as cheap

    @property
    def accuracy(self) -> float:
        """Top-1 as a fraction, mean over seeds."""
        return self.result.top1[0]


@dataclass(frozen=True)
class CostField:
    """The methods of one column, on one kind of clips, with what they cost, the best first."""

    id: str
    title: str
    dataset: str
    points: tuple[Point, ...]
    unranked: str = ""  # which methods are left out, since their protocols are their own or their clips others
    clips: str = ""  # what was measured on, where the numbers of the data set are of several kinds of clips


def cost_fields(context: ReportContext) -> list[CostField]:
    """Every column of a table of methods in which something is measured, each kind of clips apart."""
    found = []
    for table in context.benchmark.tables:
        for column in table.columns if table.layout != "rows" else ():
            for kind, named in by_kind_of_clips(named_results(context, table, column)[0]).items():
                elsewhere = on_other_clips(named)
                if points := _points({n: r for n, r in named.items() if n not in elsewhere}):
                    title = ", ".join(filter(None, (table.title.split(".")[0], column.title, kind)))
                    name = f"cost_{table.id}_{column.modality.replace('+', '_')}"
                    name += ("_synthetic" if kind == SYNTHETIC else "_recorded") * bool(kind)
                    left = f"Left out, since they were tested on other clips: {', '.join(elsewhere)}."
                    notes = (unranked_note(context, table, column), left * bool(elsewhere))
                    found.append(CostField(name, title, table.dataset, points, " ".join(filter(None, notes)), kind))
    return found


def _points(named: dict[str, Result]) -> tuple[Point, ...]:
    copies = twins(named.values())
    done = {n: r for n, r in named.items() if r.done and r.id not in copies}
    names = sorted(done, key=lambda n: -done[n].top1[0])
    costs = {n: {m.id: m.of(done[n]) for m in MEASURES} for n in names}
    fronts = {m.id: front([(costs[n][m.id], done[n].top1[0]) for n in names]) for m in MEASURES}
    return tuple(
        Point(i + 1, n, done[n], costs[n], frozenset(m for m, on in fronts.items() if on[i]))
        for i, n in enumerate(names)
    )


def front(found: Sequence[tuple[float | None, float]]) -> list[bool]:
    """Which of (cost, accuracy) nothing dominates: no other is as cheap and as accurate and better in one of the two.
    What has no cost is not on it."""

    def dominated(cost: float, accuracy: float) -> bool:
        return any(c is not None and c <= cost and a >= accuracy and (c < cost or a > accuracy) for c, a in found)

    return [cost is not None and not dominated(cost, accuracy) for cost, accuracy in found]


def cost_table(context: ReportContext, field: CostField) -> Table:
    """The numbers of a figure; a ● is on the Pareto front."""
    columns = (
        Column("method", "Method"),
        Column("number", "Number", numeric=True, ascending=True, key="beside", explain="of the point in the figure"),
        Column("top1", "Measured top-1 (%)", MEASURED, numeric=True, key="value"),
        *(
            Column(m.id, m.title, MEASURED, numeric=True, ascending=True, explain=f"{m.explain}; {FRONT}", unit=m.unit)
            for m in MEASURES
        ),
        Column("hardware", "Machine", MEASURED, explain="that it was trained on, stages included"),
    )
    rows = tuple(Row(p.result.id, _cells(context, p)) for p in field.points)
    times = f"Times are of these machines: {hardware(context, field.points)}."
    notes = tuple(filter(None, (field.unranked, times, *_synthetic(context, field))))
    caption = (
        "● and a filled mark: on the Pareto front of that cost, nothing is as cheap and as accurate and better in one "
        "of the two. What is not recorded is missing in the figure too. Latency is not in a run's record; "
        "python -m harness bench models measures it."
    )
    title = f"{field.title}: accuracy against cost"
    return Table(field.id, title, caption, columns, rows, notes, dataset=field.dataset, paper=False)


def _cells(context: ReportContext, point: Point) -> dict[str, Cell]:
    run = next((r.page for r in point.result.runs if r.page), "")
    top1 = Cell(f.percent(point.accuracy, digits_of(point.result)), 100 * point.accuracy, href=run, origin=MEASURED)
    costs = {m.id: _cost(m, point) for m in MEASURES}
    machines = "; ".join(_machines(context, [point])) or f.DASH
    return {
        "method": Cell(point.name),
        "number": Cell(str(point.number), point.number),
        "top1": top1,
        **costs,
        "hardware": Cell(machines, origin=MEASURED),
    }


def _cost(measure: Measure, point: Point) -> Cell:
    value = point.costs[measure.id]
    if value is None:
        return missing(f.DASH, "not recorded", MEASURED)
    on = measure.id in point.front
    return Cell(("● " if on else "") + measure.text(value), value, origin=MEASURED)


def hardware(context: ReportContext, points: Sequence[Point]) -> str:
    """The machines that these methods and their stages were trained on."""
    return "; ".join(_machines(context, points)) or "not recorded"


def _machines(context: ReportContext, points: Sequence[Point]) -> list[str]:
    known = {key: record for key, (_, record) in context.ledger.records.items()}
    keys = dict.fromkeys(k for p in points for r in p.result.done for k in (r.key, *dependency_closure(r.key, known)))
    return sorted({machine for k in keys if k in known and (machine := _machine(known[k]))})


def _machine(record: RunRecord) -> str:
    """What a run's time depends on: its GPU where there is one, else its processor and the threads that it had."""
    has = record.hardware
    if has.get("gpu", "none") != "none":
        return has["gpu"]
    threads = f", {f.count(int(has['threads']), 'thread')}" if has.get("threads", "").isdigit() else ""
    return f"{has['cpu']}{threads}" if has.get("cpu") else ""


def _synthetic(context: ReportContext, field: CostField) -> tuple[str, ...]:
    names = context.clips.synthetic_names(field.dataset)
    if field.clips not in ("", SYNTHETIC):
        return (f"Accuracies are of {field.clips}.",)
    return (f"Accuracies are of synthetic data ({', '.join(names)}).",) if names else ()
