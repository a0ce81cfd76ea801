"""Cells of the table model, made from claims and results."""

from __future__ import annotations

from collections.abc import Callable

from harness.suite.benchmark import Benchmark, Claim
from reports import format as f
from reports.ledger.results import STATUS, Result, same_clips, twins
from reports.stats import statistics as st
from reports.tables.table import Bar, Cell, Column, Link, missing

CLAIMED, MEASURED = "claimed", "measured"


def claimed(claim: Claim | None, benchmark: Benchmark, listed: bool = True) -> Cell:
    """A claimed value with its source. ``listed``: the paper's table has this row at all."""
    if claim is None or (claim.value is None and not listed):
        return missing(f.DASH, "not in the paper's table", CLAIMED)
    if claim.value is None:
        return missing("lost", "the paper's table has this row, but its value is lost", CLAIMED)
    source = benchmark.sources.get(claim.source)
    return Cell(
        text=f.printed(claim.value),
        value=claim.value,
        origin=CLAIMED,
        href=source.url if source else "",
        title=f"printed in: {source.title}" if source else "no source given",
    )


def corrected(claim: Claim | None, benchmark: Benchmark) -> Cell:
    """What a method's own paper says where the source of the claim differs from it."""
    if claim is None or claim.corrected is None:
        return missing("", "no correction known", CLAIMED)
    source = benchmark.sources.get(claim.corrected_source)
    return Cell(
        text=f.printed(claim.corrected),
        value=claim.corrected,
        origin=CLAIMED,
        href=source.url if source else "",
        title=f"reported in: {source.title}" if source else "",
    )


METRICS, CHANCE, COST = "Other metrics", "Against chance", "Cost"


def measured_columns(prefix: str = "", group: str = "", rank: str = "") -> list[Column]:
    """The columns of a measured result. ``rank``: the explanation of the rank column, "" for none."""

    def column(name: str, title: str, **kw) -> Column:
        return Column(prefix + name, title, origin=MEASURED, group=group, **kw)

    return [
        column(
            "top1",
            "Measured top-1 (%)",
            numeric=True,
            explain=(
                f"mean over seeds ± standard deviation; below it the 95 % interval ({st.INTERVAL}; one seed varies as "
                "trainings do, where that is known, and is called provisional where "
                "not) and the number n of seeds; the bar "
                "runs from 0 to 100 %, its tick is chance"
            ),
        ),
        *(_rank_columns(column, rank) if rank else []),
        column(
            "mean_class",
            "Mean class (%)",
            numeric=True,
            detail=True,
            toggle=METRICS,
            explain="accuracy per class, averaged over classes; mean over seeds",
        ),
        column("top5", "Top-5 (%)", numeric=True, detail=True, toggle=METRICS),
        column(
            "chance",
            "p (chance)",
            numeric=True,
            ascending=True,
            detail=True,
            toggle=CHANCE,
            explain="exact one-sided binomial test against guessing, the worst seed",
        ),
        column(
            "params",
            "Parameters",
            numeric=True,
            ascending=True,
            detail=True,
            toggle=COST,
            explain="of the network that predicts",
        ),
        column(
            "gflops",
            "GFLOPs",
            numeric=True,
            ascending=True,
            detail=True,
            toggle=COST,
            explain="multiply-adds of one view",
        ),
        column(
            "train",
            "Training time",
            numeric=True,
            ascending=True,
            detail=True,
            toggle=COST,
            explain=(
                "of the run's own stage, mean over seeds; of several students trained "
                "side by side each has an equal share; "
                "the hardware is on the run page"
            ),
        ),
        column(
            "train_all",
            "Training time, all stages",
            numeric=True,
            ascending=True,
            detail=True,
            toggle=COST,
            explain="the run's own and that of every stage that it stands on (teacher, "
            "assistant, translator, its pictures)",
        ),
        column("std", "Standard deviation (points)", numeric=True, page=False),
        column("n", "Seeds done", numeric=True, page=False),
        column("ci_low", "95 % interval, low (%)", numeric=True, page=False),
        column("ci_high", "95 % interval, high (%)", numeric=True, page=False),
        column("clips", "Test clips", numeric=True, page=False),
        column("synthetic", "Synthetic data", page=False),
        column("status", "Status", page=False),
        column("reason", "Reason", page=False),
        column("runs", "Run keys", page=False),
    ]


def _rank_columns(column: Callable[..., Column], explain: str) -> list[Column]:
    """The page says "4–7, group B" in one cell; the downloads have three columns for it."""
    return [
        column("rank", "Rank", numeric=True, ascending=True, explain=explain, download=False),
        column("rank_low", "Rank, best", numeric=True, ascending=True, page=False),
        column("rank_high", "Rank, worst", numeric=True, ascending=True, page=False),
        column("group", "Tie group", page=False),
    ]


RANKS = ("rank", "rank_low", "rank_high", "group")
NUMBERS = ("mean_class", "top5", "chance", "params", "gflops", "train", "train_all")
EXPORTED = ("std", "n", "ci_low", "ci_high", "clips", "synthetic", "status", "reason", "runs")


def absent_cells(text: str, why: str, prefix: str = "", rank: bool = True) -> dict[str, Cell]:
    """The cells of ``measured_columns`` where there is no result: ``text`` instead of a number, and why."""
    return {prefix + k: v for k, v in _empty(missing(text, why, MEASURED), text, why, rank).items()}


def measured_cells(result: Result, prefix: str = "", standing: st.Standing | str | None = None) -> dict[str, Cell]:
    """The cells of ``measured_columns``.

    Args:
        standing: where the result stands, or one line why that is not said; None: the table has no rank
        column.
    """
    cells = _done(result) if result.done else _not_done(result, standing is not None)
    if result.done and standing is not None:
        cells |= _rank(standing)
    return {prefix + k: v for k, v in cells.items()}


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
    records = result.done
    mean, std = result.top1
    clips = result.outcomes.correct.shape[1] if result.outcomes else None
    digits = f.percent_digits(clips or 0)
    text = f.percent(mean, digits) + (f" ± {f.percent(std, digits)}" if std is not None else "")
    lost = [r for r in result.runs if r.status != "done"]
    runs = [r for r in result.runs if r.status == "done"]
    n = f"n = {len(records)}" + (f" of {len(result.runs)}" if lost else "")
    low, high = result.interval or (None, None)
    provisional = " (provisional)" if result.provisional else ""
    span = f"{f.percent(low)} to {f.percent(high)}{provisional}, " if low is not None else ""
    totals = [t for t in result.train_seconds if t is not None]
    total = st.mean_std(totals)[0] if len(totals) == len(records) else None
    chance, p = result.chance or (None, None)
    own = any(r.data is not None and r.data.synthetic for r in records)  # then the whole page says so
    behind = (
        f"stands on stages that saw synthetic {' and '.join(result.synthetic)}" if result.synthetic and not own else ""
    )

    def average(name: str, text, scale: float = 1, source: str = "metrics") -> Cell:
        values = [v for r in records if (v := getattr(getattr(r, source), name)) is not None]
        if not values:
            return missing(f.DASH, "not recorded", MEASURED)
        value = st.mean_std(values)[0]
        return Cell(text(value), scale * value, origin=MEASURED)

    def plain(text: str, value: float | None = None) -> Cell:
        return Cell(text, value, origin=MEASURED)

    return {
        "top1": Cell(
            text=text,
            value=100 * mean,
            sub=span + n,
            origin=MEASURED,
            href=runs[0].page,
            title=f"run page of seed {runs[0].cell.seed}",
            links=tuple(Link(f"s{r.cell.seed}", r.page, f"run page of seed {r.cell.seed}") for r in runs)
            if len(runs) > 1
            else (),
            warn="; ".join(
                x
                for x in (*(f"seed {r.cell.seed} {STATUS[r.status]}: {r.reason}" for r in lost), result.note, behind)
                if x
            ),
            bar=Bar(mean, low, high, chance),
        ),
        "mean_class": average("mean_class", lambda v: f.percent(v, digits), 100),
        "top5": average("top5", lambda v: f.percent(v, digits), 100),
        "chance": plain(f.p_value(p), p) if p is not None else missing(f.DASH, "no classes recorded", MEASURED),
        "params": average("params", f.large, source="cost"),
        "gflops": average("flops", lambda v: f"{v / 1e9:.3g}", 1e-9, "cost"),
        "train": average("train_seconds", f.seconds, source="cost"),
        "train_all": plain(f.seconds(total), total)
        if total is not None
        else missing(f.DASH, "the time of a stage is not recorded", MEASURED),
        "std": plain(f.percent(std, 2), 100 * std) if std is not None else missing("", "one seed", MEASURED),
        "n": plain(str(len(records)), len(records)),
        "ci_low": plain(f.percent(low, 2), 100 * low) if low is not None else missing("", "none", MEASURED),
        "ci_high": plain(f.percent(high, 2), 100 * high) if high is not None else missing("", "none", MEASURED),
        "clips": plain(str(clips or ""), clips),
        "synthetic": plain(f.names(result.synthetic)),
        "status": plain(
            ("done" if not lost else f"{len(runs)} of {len(result.runs)} seeds done")
            + (", older config, code or data" if result.older else "")
        ),
        "reason": plain("; ".join(x for x in (*(r.reason for r in lost), result.note) if x)),
        "runs": plain(" ".join(r.cell.key[:12] for r in runs)),
    }


def _rank(standing: st.Standing | str) -> dict[str, Cell]:
    if isinstance(standing, str):
        return dict.fromkeys(RANKS, missing(f.DASH, standing, MEASURED))
    low, high, group = standing.best, standing.worst, chr(ord("A") + standing.group % 26)
    return {
        "rank": Cell(str(low) if low == high else f"{low}–{high}", low, sub=f"group {group}", origin=MEASURED),
        "rank_low": Cell(str(low), low, origin=MEASURED),
        "rank_high": Cell(str(high), high, origin=MEASURED),
        "group": Cell(group, origin=MEASURED),
    }


RANK = (
    "the ranks that the data leave open: two methods are told apart where both "
    "other clips and other trainings would do it "
    "(the larger p of an exact McNemar test, a clip having one vote whatever the "
    "number of seeds, and of a t test with the "
    "variance of training; Holm-adjusted for all pairs of methods that the column "
    "has rows for, 5 % level); methods of one "
    "group are not separable from its best"
)


UNTRAINED = "provisional: nothing on this data set and profile has been trained twice, and one training each is no rank"


def rank(results: list[Result], family: int = 0) -> dict[str, st.Standing | str]:
    """Standings of the results that were tested on the same clips; one line for each of the others. Rows of one and the
    same run are ranked once.

    Args:
        family: number of methods that the column has rows for, measured or not.
    """
    same = twins(results)
    said = {i: f"the same run as {other}, which is ranked" for i, other in same.items()}
    return _rank_own([r for r in results if r.id not in same], family) | said


def _rank_own(results: list[Result], family: int) -> dict[str, st.Standing | str]:
    field = same_clips(results)
    usable = [r for r in results if r.outcomes is not None]
    said: dict[str, st.Standing | str] = {r.id: "tested on other clips than the rest of the column" for r in usable}
    if len(field) < 2:
        return dict.fromkeys(said, "nothing to compare with on the same clips")
    training = field[0].training
    if training is None:
        return said | dict.fromkeys((r.id for r in field), UNTRAINED)
    placed = st.standings([r.outcomes.correct for r in field], training, family)
    return said | {r.id: s for r, s in zip(field, placed, strict=True)}
