"""One row against another: the difference of their accuracies with its interval and two paired tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reports import format as f
from reports.ledger.answers import Outcomes
from reports.ledger.marks import among, marks_of
from reports.ledger.results import Result
from reports.stats.intervals import difference_interval
from reports.stats.multiplicity import holm
from reports.stats.power import Comparison, compared
from reports.stats.significance import paired_p, student_p, training_p
from reports.tables.table import MEASURED, Cell, Column, marked, missing

NO_INTERVAL = "no interval: the same answers"
SAME_DIFFERENCE = "no test: every seed has the same difference"
ALL_AT_ONCE = "with other people, clips and trainings at once it may be none"
LEVEL = 0.05


@dataclass(frozen=True)
class Difference:
    """One cell against another over the seeds that both have, on the same clips; accuracies as fractions."""

    gap: float
    interval: tuple[float, float] | None  # 95 %: subjects, clips and trainings are drawn; None for equal answers
    p_clips: float  # exact McNemar test, a clip has one vote
    p_seeds: float | None  # paired t test, None for one seed and where each has the same difference (``student_p``)
    seeds: tuple[int, ...]
    better_in: int  # seeds in which the first is the better one
    p_training: float | None = None  # without p_seeds: t test with the variance of training, None where not known
    mark: str = ""  # ``marks_of`` the two
    clips: int = 0  # that both were tested on
    comparison: Comparison | None = None  # what it could find, None where the variance of training is not known

    @property
    def p(self) -> float:
        """That neither other clips nor other trainings would show a difference:
        the largest p of the tests that there are.
        """
        return max(p for p in (self.p_clips, self.p_seeds, self.p_training) if p is not None)

    @property
    def provisional(self) -> bool:
        """Nothing says how another training would have come out."""
        return self.p_seeds is None and self.p_training is None

    @property
    def caveat(self) -> str:
        """What must be said with a difference that the tests find and the interval does not: they draw clips alone, or
        trainings, it draws people as well, and all at once. "" where there is no such.
        """
        open_ = self.interval is not None and self.interval[0] <= 0 <= self.interval[1]
        return ALL_AT_ONCE if open_ and self.p < LEVEL and not self.provisional else ""

    @property
    def text(self) -> str:
        span = f"{'95 % interval ' * bool(self.interval)}{self.span()}{among(self.mark)}"
        return f"{f.points(self.gap, self.digits)} points ({span})"

    @property
    def digits(self) -> int:
        """Of the difference and its interval, as of the accuracies that are compared."""
        return f.percent_digits(self.clips)

    def span(self) -> str:
        """The interval in points, or that there is none."""
        if self.interval is None:
            return NO_INTERVAL
        return " to ".join(f.points(end, self.digits) for end in self.interval)


def seeds_of(result: Result) -> list[int]:
    """The seeds behind the rows of ``outcomes.correct``, in their order."""
    return [r.cell.seed for r in result.done]


def _why_none(r: Result | None) -> str:
    if r is None:
        return "no run of it in the ledger"
    return r.note or next((x.reason for x in r.runs if x.reason), "no accuracy recorded")


def difference(a: Result | None, b: Result | None) -> Difference | str:
    """a against b, or one line why they cannot be compared."""
    if a is None or a.outcomes is None:
        return _why_none(a)
    if b is None or b.outcomes is None:
        return _why_none(b)
    if not a.outcomes.on_clips_of(b.outcomes):
        return "tested on different clips"
    common = sorted(set(seeds_of(a)) & set(seeds_of(b)))
    if not common:
        return "no seed is done for both"
    x, y = (_of_seeds(r, o, common) for r, o in ((a, a.outcomes), (b, b.outcomes)))
    training = a.training
    each = x.mean(axis=1) - y.mean(axis=1)
    p_seeds = student_p(each.tolist()) if len(each) > 1 else None
    return Difference(
        gap=float(each.mean()),
        interval=difference_interval(x, y, a.outcomes.subjects, training),
        p_clips=paired_p(x, y),
        p_seeds=p_seeds,
        seeds=tuple(common),
        better_in=int(np.sum(each > 0)),
        p_training=training_p(x, y, training) if p_seeds is None and training is not None else None,
        mark=marks_of(a, b),
        clips=len(a.outcomes.clips),
        comparison=compared(x, y, training) if training is not None else None,
    )


def _of_seeds(result: Result, outcomes: Outcomes, seeds: Sequence[int]) -> np.ndarray:
    """Correctness bool [seeds, clips] of some of a result's seeds."""
    row = {seed: i for i, seed in enumerate(seeds_of(result))}
    return outcomes.correct[[row[seed] for seed in seeds]]


def adjusted(found: Sequence[Difference | str], family: int = 0) -> list[Difference | str]:
    """The differences with each of their p values Holm-adjusted for being looked at together;
    lines that say why there is none stay.

    Args:
        family: number of differences that the benchmark asks about, measured or not.
    """

    def over(name: str) -> dict[int, float]:
        tested = {i: p for i, d in enumerate(found) if (p := getattr(d, name, None)) is not None}
        return dict(zip(tested, holm(list(tested.values()), family), strict=True))

    clips, seeds, training = (over(name) for name in ("p_clips", "p_seeds", "p_training"))
    return [
        d if isinstance(d, str) else replace(d, p_clips=clips[i], p_seeds=seeds.get(i), p_training=training.get(i))
        for i, d in enumerate(found)
    ]


def difference_columns(prefix: str, group: str) -> list[Column]:
    return [
        Column(
            prefix + ".delta",
            "Difference",
            MEASURED,
            group,
            numeric=True,
            key="value",
            explain=(
                "in points, below it the 95 % interval (paired bootstrap over subjects, "
                "clips and trainings) and in how many "
                "seeds the row is the better one"
            ),
        ),
        Column(
            prefix + ".clips",
            "p (clips)",
            MEASURED,
            group,
            numeric=True,
            ascending=True,
            explain=(
                "of no difference: exact McNemar test on the same clips, a clip has one vote; Holm-adjusted for all "
                "that the benchmark asks"
            ),
        ),
        Column(
            prefix + ".seeds",
            "p (seeds)",
            MEASURED,
            group,
            numeric=True,
            ascending=True,
            explain=(
                "of no difference: paired t test over seeds; Holm-adjusted for all that the benchmark asks; not "
                "defined where every seed has the same difference"
            ),
        ),
    ]


def difference_cells(prefix: str, d: Difference | str) -> dict[str, Cell]:
    if isinstance(d, str):
        return {f"{prefix}.{c}": missing(f.DASH, d, MEASURED) for c in ("delta", "clips", "seeds")}
    sub = f"{d.span()}, better in {d.better_in} of {len(d.seeds)}"
    cells = {
        prefix + ".delta": Cell(f.points(d.gap, d.digits), 100 * d.gap, sub=sub, origin=MEASURED),
        prefix + ".clips": Cell(f.p_value(d.p_clips), d.p_clips, origin=MEASURED),
        prefix + ".seeds": Cell(f.p_value(d.p_seeds), d.p_seeds, origin=MEASURED)
        if d.p_seeds is not None
        else missing(f.DASH, "one seed" if len(d.seeds) == 1 else SAME_DIFFERENCE, MEASURED),
    }
    return marked(cells, d.mark)
