"""What ``models rates`` found, as lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.errors import count
from harness.plan.trials import Tried
from harness.suite.cells import as_said
from reports.format import points
from reports.stats.intervals import difference_interval


@dataclass(frozen=True)
class Wording:
    """How lines call the values that were tried: first line, the config's own value, the option that gives them."""

    first: str
    own: str
    option: str


RATES = Wording("top-1 on held-out training subjects; * is the config's own rate", "the config's own rate", "--rates")
LOSS_WEIGHTS = Wording(
    "top-1 on held-out training subjects, by the factor of the distillation's weights; * is the config's own, 1",
    "the factor of the config's own weights",
    "--loss-weights",
)


def rate_lines(found: dict[str, list[Tried]], wording: Wording = RATES) -> Iterator[str]:
    """Each entry's values, and how much better each is than the config's own: a difference that these clips and seeds
    vary by is none."""
    yield wording.first
    width = max(map(len, found), default=0)
    for name, values in found.items():
        shown = [
            f"{as_said(t.value)}{'*' if t.own else ''} {'-' if t.mean is None else f'{100 * t.mean:.1f} %'}"
            for t in values
        ]
        yield f"{name:{width}s}  {'   '.join(shown)}"
        own_value = values[0].own_value
        if own_value is not None and not any(t.own for t in values):
            said = f"{wording.own}, {as_said(own_value)}, is not among these"
            yield f"  {said}; with it in {wording.option} they are compared with it"
        if own_value is None:
            yield "  the stages that train for it have several rates of their own: none of these is compared with them"
        measured = [t for t in values if len(t.correct)]
        for own in measured:
            if own.own:
                yield from (f"  {_against(t, own)}" for t in measured if t is not own)


def _against(one: Tried, own: Tried) -> str:
    by = points(float(one.correct.mean() - own.correct.mean()))
    value, others = as_said(one.value), as_said(own.value)
    interval = difference_interval(one.correct, own.correct, one.subjects)
    if interval is None and one.mean == own.mean:
        return f"{value} has the same clips right as {others}"
    if interval is None:  # each clip is right with one value alone
        return f"{value} over {others}: {by} points, for every draw of clips alike; more clips give an interval"
    seeds = min(len(one.correct), len(own.correct))
    said = "better" if interval[0] > 0 else "worse" if interval[1] < 0 else "not told apart"
    other = "" if seeds > 1 else "; what another training changes is not in it, --seeds 3 has it"
    return (
        f"{value} over {others}: {by} points, {said} "
        f"(95 % interval {points(interval[0])} to {points(interval[1])}, {count(seeds, 'seed')}{other})"
    )
