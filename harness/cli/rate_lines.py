"""What ``models rates`` found, as lines."""

from __future__ import annotations

from collections.abc import Iterator

from harness.errors import count
from harness.plan.rates import Tried
from harness.suite.cells import as_said
from reports.format import points
from reports.stats.intervals import difference_interval


def rate_lines(found: dict[str, list[Tried]]) -> Iterator[str]:
    """Each entry's rates, and how much better each is than the config's own: a difference that these clips and seeds
    vary by is none."""
    yield "top-1 on held-out training subjects; * is the config's own rate"
    width = max(map(len, found), default=0)
    for name, rates in found.items():
        shown = [
            f"{as_said(t.rate)}{'*' if t.own else ''} {'-' if t.mean is None else f'{100 * t.mean:.1f} %'}"
            for t in rates
        ]
        yield f"{name:{width}s}  {'   '.join(shown)}"
        own_rate = rates[0].own_rate
        if own_rate is not None and not any(t.own for t in rates):
            said = f"the config's own rate, {as_said(own_rate)}, is not among these"
            yield f"  {said}; with it in --rates they are compared with it"
        if own_rate is None:
            yield "  the stages that train for it have several rates of their own: none of these is compared with them"
        measured = [t for t in rates if len(t.correct)]
        for own in measured:
            if own.own:
                yield from (f"  {_against(t, own)}" for t in measured if t is not own)


def _against(one: Tried, own: Tried) -> str:
    by = points(float(one.correct.mean() - own.correct.mean()))
    rate, others = as_said(one.rate), as_said(own.rate)
    interval = difference_interval(one.correct, own.correct, one.subjects)
    if interval is None and one.mean == own.mean:
        return f"{rate} has the same clips right as {others}"
    if interval is None:  # each clip is right with one rate alone
        return f"{rate} over {others}: {by} points, for every draw of clips alike; more clips give an interval"
    seeds = min(len(one.correct), len(own.correct))
    said = "better" if interval[0] > 0 else "worse" if interval[1] < 0 else "not told apart"
    other = "" if seeds > 1 else "; what another training changes is not in it, --seeds 3 has it"
    return (
        f"{rate} over {others}: {by} points, {said} "
        f"(95 % interval {points(interval[0])} to {points(interval[1])}, {count(seeds, 'seed')}{other})"
    )
