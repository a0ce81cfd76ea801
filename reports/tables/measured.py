"""Columns and cells of measured results."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from reports import format as f
from reports.ledger.adopted import reasons_text
from reports.ledger.digits import digits_of
from reports.ledger.marks import marks_of
from reports.ledger.results import STATUS, Result, Run
from reports.stats.intervals import INTERVAL
from reports.stats.ranks import Standing
from reports.stats.training import mean_std
from reports.tables.ranking import RANKS, rank_cells, rank_columns
from reports.tables.table import MEASURED, Bar, Cell, Column, Link, marked, missing

METRICS, CHANCE, COST = "Other metrics", "Against chance", "Cost"
NUMBERS = ("mean_class", "top5", "chance", "params", "gflops", "train", "train_all")
EXPORTED = ("std", "n", "ci_low", "ci_high", "clips", "synthetic", "status", "reason", "adopted", "runs")


def _detail(name: str, title: str, toggle: str, ascending: bool = True, explain: str = "", unit: str = "") -> Column:
    """A number that is shown on demand."""
    column = Column(name, title, MEASURED, numeric=True, ascending=ascending, detail=True, toggle=toggle)
    return replace(column, explain=explain, unit=unit)


def _exported(name: str, title: str, numeric: bool = True) -> Column:
    """A column of the CSV and JSON downloads alone."""
    return Column(name, title, MEASURED, numeric=numeric, page=False)


TOP1 = Column(
    "top1",
    "Measured top-1 (%)",
    MEASURED,
    numeric=True,
    short="Measured",
    explain=f"mean over seeds ± standard deviation; below it the 95 % interval ({INTERVAL}; one seed varies as "
    "trainings do, where that is known, and is called provisional where not; none where all clips or none are right) "
    "and the number n of seeds; the bar "
    "runs from 0 to 100 %, its tick is chance",
    key="value",
)
OTHERS = (
    _detail(
        "mean_class",
        "Mean class (%)",
        METRICS,
        ascending=False,
        explain="accuracy per class, averaged over classes; mean over seeds",
    ),
    _detail("top5", "Top-5 (%)", METRICS, ascending=False),
    _detail("chance", "p (chance)", CHANCE, explain="exact one-sided binomial test against guessing, the worst seed"),
    _detail("params", "Parameters", COST, explain="of the network that predicts"),
    _detail("gflops", "GMACs", COST, explain="multiply-adds of one view"),
    _detail(
        "train",
        "Training time",
        COST,
        explain="of the run's own stage, mean over seeds; of several students trained side by side each has an equal "
        "share; the hardware is on the run page",
        unit="s",
    ),
    _detail(
        "train_all",
        "Training time, all stages",
        COST,
        explain="the run's own and that of every stage that it depends on (teacher, assistant, translator, its "
        "pictures)",
        unit="s",
    ),
    _exported("std", "Standard deviation (points)"),
    _exported("n", "Seeds done"),
    _exported("ci_low", "95 % interval, low (%)"),
    _exported("ci_high", "95 % interval, high (%)"),
    _exported("clips", "Test clips"),
    _exported("synthetic", "Synthetic data", numeric=False),
    _exported("status", "Status", numeric=False),
    _exported("reason", "Reason", numeric=False),
    replace(_exported("adopted", "Adopted", numeric=False), sparse=True),
    _exported("runs", "Run keys", numeric=False),
)


EXPORTED_IDS = tuple(c.id for c in OTHERS if not c.page)


def measured_columns(prefix: str = "", group: str = "", rank: str = "") -> list[Column]:
    """The columns of a measured result. ``rank``: the explanation of the rank column, "" for none."""
    columns = (TOP1, *(rank_columns(rank) if rank else ()), *OTHERS)
    return [replace(c, id=prefix + c.id, group=group) for c in columns]


def absent_cells(text: str, why: str, prefix: str = "", rank: bool = True) -> dict[str, Cell]:
    """The cells of ``measured_columns`` where there is no result: ``text`` instead of a number, and why."""
    return {prefix + k: v for k, v in _empty(missing(text, why, MEASURED), text, why, rank).items()}


def measured_cells(result: Result, prefix: str = "", standing: Standing | str | None = None) -> dict[str, Cell]:
    """The cells of ``measured_columns``.

    Args:
        standing: where the result stands, or one line why that is not said; None: the table has no rank column.
    """
    cells = _done(result) if result.done else _not_done(result, standing is not None)
    if result.done and standing is not None:
        cells |= rank_cells(standing)
    return {prefix + k: v for k, v in marked(cells, marks_of(result)).items()}


def cells_or_absent(result: Result | None, absent: tuple[str, str], prefix: str = "") -> dict[str, Cell]:
    """The cells of a table without ranks: of a result, or what to say where there is none, and why."""
    return absent_cells(*absent, prefix, rank=False) if result is None else measured_cells(result, prefix)


def _empty(top1: Cell, status: str, reason: str, rank: bool) -> dict[str, Cell]:
    cells = {"top1": top1}
    for name in RANKS * rank + NUMBERS:
        cells[name] = missing(f.DASH, reason, MEASURED)
    for name in EXPORTED:
        cells[name] = Cell(origin=MEASURED)
    cells["status"], cells["reason"] = Cell(status, origin=MEASURED), Cell(reason, origin=MEASURED)
    return cells


def _not_done(result: Result, rank: bool) -> dict[str, Cell]:
    """All seeds failed, or none was run: the worst thing that happened, said in the cell."""
    status = next(
        (s for s in ("failed", "rejected", "unplanned", "blocked", "missing") if _reasons(result, s)),
        "missing",
    )
    runs = [r for r in result.runs if r.status == status]
    reason = _reasons(result, status) or "stages that predict no class have no accuracy"
    top1 = Cell(
        text=STATUS[status],
        sub="" if status == "missing" else reason,
        title=reason,
        origin=MEASURED,
        href=next((r.page for r in runs if r.page), ""),
        state="missing" if status == "missing" else "failed",
    )
    cells = _empty(top1, STATUS[status], reason, rank)
    cells["runs"] = Cell(" ".join(r.cell.key[:12] for r in result.runs if r.cell.key), origin=MEASURED)
    return cells


def _reasons(result: Result, status: str) -> str:
    return "; ".join(dict.fromkeys(r.reason for r in result.runs if r.status == status))


def _done(result: Result) -> dict[str, Cell]:
    lost = [r for r in result.runs if r.status != "done"]
    return {"top1": _top1(result, lost), **_numbers(result), **_exports(result, lost)}


def _top1(result: Result, lost: list[Run]) -> Cell:
    """Mean and deviation, their interval, links to the runs, and what must be seen with them."""
    mean, std = result.top1
    digits = digits_of(result)
    runs = [r for r in result.runs if r.status == "done"]
    n = f"n = {len(result.done)}" + (f" of {len(result.runs)}" if lost else "")
    low, high = result.interval or (None, None)
    provisional = " (provisional)" if result.provisional else ""
    drawn = f"{f.percent(low)} to {f.percent(high)}" if low is not None else "no interval" * bool(result.outcomes)
    span = f"{drawn}{provisional}, " if drawn else ""
    own = any(r.data is not None and r.data.synthetic for r in result.done)  # then the whole page says so
    behind = (
        f"depends on stages that saw synthetic {' and '.join(result.synthetic)}" if result.synthetic and not own else ""
    )
    warnings = (*(f"seed {r.cell.seed} {STATUS[r.status]}: {r.reason}" for r in lost), result.note, behind)
    links = tuple(Link(f"s{r.cell.seed}", r.page, f"run page of seed {r.cell.seed}") for r in runs)
    return Cell(
        text=f.percent(mean, digits) + (f" ± {f.percent(std, digits)}" if std is not None else ""),
        value=100 * mean,
        sub=span + n + f"; on {result.clips}" * bool(result.clips),
        origin=MEASURED,
        href=runs[0].page,
        title=f"run page of seed {runs[0].cell.seed}",
        links=links if len(runs) > 1 else (),
        warn="; ".join(filter(None, warnings)),
        bar=Bar(mean, low, high, result.chance[0] if result.chance else None),
    )


def _numbers(result: Result) -> dict[str, Cell]:
    """Other metrics, the test against chance, and costs."""
    records = result.done
    digits = digits_of(result)
    metrics = [r.metrics for r in records if r.metrics is not None]
    p = result.chance[1] if result.chance else None
    totals = [t for t in result.train_seconds if t is not None]
    total = mean_std(totals)[0] if len(totals) == len(records) else None

    def share(v: float) -> str:
        return f.percent(v, digits)

    return {
        "mean_class": _average([m.mean_class for m in metrics], share, 100),
        "top5": _average([m.top5 for m in metrics], share, 100),
        "chance": _plain(f.p_value(p), p) if p is not None else missing(f.DASH, "no classes recorded", MEASURED),
        "params": _average([r.cost.params for r in records], f.large),
        "gflops": _average([r.cost.flops for r in records], lambda v: f"{v / 1e9:.3g}", 1e-9),
        "train": _average([r.cost.train_seconds for r in records], f.seconds),
        "train_all": _plain(f.seconds(total), total)
        if total is not None
        else missing(f.DASH, "the time of a stage is not recorded", MEASURED),
    }


def _exports(result: Result, lost: list[Run]) -> dict[str, Cell]:
    """What the downloads have besides."""
    std, clips = result.top1[1], _clips(result)
    low, high = result.interval or (None, None)
    done = [r for r in result.runs if r.status == "done"]
    status = "done" if not lost else f"{len(done)} of {len(result.runs)} seeds done"

    def percentage(value: float | None, why: str) -> Cell:
        return missing("", why, MEASURED) if value is None else _plain(f.percent(value, 2), 100 * value)

    return {
        "std": percentage(std, "one seed"),
        "n": _plain(str(len(result.done)), len(result.done)),
        "ci_low": percentage(low, "none"),
        "ci_high": percentage(high, "none"),
        "clips": _plain(str(clips or ""), clips),
        "synthetic": _plain(f.names(result.synthetic)),
        "status": _plain(status + (", older config, code or data" if result.older else "")),
        "reason": _plain("; ".join(filter(None, (*(r.reason for r in lost), result.note)))),
        "adopted": _plain(reasons_text(result.adopted)),
        "runs": _plain(" ".join(r.cell.key[:12] for r in done)),
    }


def _clips(result: Result) -> int | None:
    return result.outcomes.correct.shape[1] if result.outcomes else None


def _average(found: Iterable[float | None], text: Callable[[float], str], scale: float = 1) -> Cell:
    """The mean over the runs in which it is recorded."""
    values = [v for v in found if v is not None]
    if not values:
        return missing(f.DASH, "not recorded", MEASURED)
    value = mean_std(values)[0]
    return _plain(text(value), scale * value)


def _plain(text: str, value: float | None = None) -> Cell:
    return Cell(text, value, origin=MEASURED)
