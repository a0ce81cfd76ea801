"""What a table whose rows name their own configs says in one sentence, and what a sweep does."""

from __future__ import annotations

from collections.abc import Sequence

from harness.suite import benchmark as suite
from harness.suite.cells import cell_id, grid_points, grid_variant, sweep_variant
from reports import format as f
from reports.ledger.context import ReportContext
from reports.ledger.marks import among
from reports.ledger.results import Result
from reports.tables.differences import LEVEL, Difference, adjusted, difference
from reports.tables.table import Cell, Row, Table
from reports.tables.verdict import (
    NOTHING_YET,
    State,
    Verdict,
    basis,
    coverage,
    elsewhere,
    guessing,
    nothing,
    same_as,
    with_interval,
)


def of_rows(context: ReportContext, declared: suite.Table, table: Table) -> tuple[Verdict, ...]:
    """The verdict of an ablation, from the cells of its table: the highest of ``compared_rows``, and what it and the
    whole method add to the first.
    """
    shown = {r.id: r for r in table.rows}
    own = compared_rows(context, declared)
    rows = [(r, shown[r.id], context.result(cell_id(r.model, r.variant))) for r in own]
    done = [(r, cells, result) for r, cells, result in rows if result is not None and result.done]
    if not done:
        others = any(row.cells["m.top1"].value is not None for row in table.rows)
        yet = "none of the rows that are compared has been measured yet" if others else NOTHING_YET
        return (nothing((result for _, _, result in rows), said=yet),)
    first, _, _ = rows[0]
    highest = max(done, key=lambda row: row[2].top1[0])
    last = [row for row in done if declared.marks and row[0] is own[-1] and row[0] is not first]
    equals = [r.title for r, _, result in done if r is not highest[0] and result.top1[0] == highest[2].top1[0]]
    guesses = guessing([result for _, _, result in done], "rows") if equals else ""
    said = [guesses or _highest(highest[0], highest[1].cells["m.top1"], len(done)) + same_as(equals)]
    if not guesses and highest[0].id != first.id:
        said[0] = ", ".join(filter(None, (said[0], _against(highest[1], first.title))))
    if last and last[0] is not highest and (gain := _against(last[0][1], first.title)):
        said.append(f"{own[-1].title} has {gain}")
    said += filter(None, [elsewhere([result for _, _, result in done], "row")])
    said += filter(None, [coverage(len(done), len(rows), "rows", [result for _, _, result in rows])])
    against = [cells.cells["p"] for r, cells, _ in done if highest[0].id in (first.id, r.id) and r.id != first.id]
    state = _state_of(against)
    best = "" if guesses else highest[2].id
    return (Verdict("", state, "; ".join(said), basis(context, [r for _, _, r in done]), best),)


def compared_rows(context: ReportContext, declared: suite.Table) -> list[suite.Row]:
    """Of the rows that see what the first one sees those without a group, or all where the table compares its groups.
    The others are bounds and the like."""
    return [r for r in rows_alike(context, declared) if declared.compare_groups or not r.group]


def rows_alike(context: ReportContext, declared: suite.Table) -> list[suite.Row]:
    """The rows that see the first one's modalities at test time, and have its protocol."""
    return [r for r in declared.rows if _sees(context, r) == _sees(context, declared.rows[0])]


def _sees(context: ReportContext, row: suite.Row) -> tuple[str, str]:
    entry = context.entries[row.model]
    return entry.test_modality, entry.protocol


def _highest(row: suite.Row, top1: Cell, of: int) -> str:
    interval = top1.sub.split(", n =")[0]
    span, provisional, _ = interval.partition(" (provisional)")
    spread = f" (95 % interval {span}{', provisional' * bool(provisional)})" if " to " in interval else ""
    value = f"{top1.text.split(' ±')[0]} %{spread}"
    return f"{row.title}{top1.mark} is highest of {of} rows with {value}" if of > 1 else f"{row.title} has {value}"


def _against(row: Row, first: str) -> str:
    """``+3.2 points (+1.0 to +5.1, p = 0.012) against RGB alone, a significant difference``; "" where not known."""
    delta, p = row.cells["delta"], row.cells["p"]
    if delta.value is None or p.value is None:
        return ""
    shown = f"p {p.text}" if p.text.startswith("<") else f"p = {p.text}"
    verdict = "provisional" if p.sub else "a significant difference" if p.value < LEVEL else "which is a tie"
    span = delta.sub.removesuffix(" (provisional)")
    caveat = f", but {delta.warn}" * bool(delta.warn)
    return f"{delta.text} points ({span}, {shown}{among(delta.mark)}) against {first}, {verdict}{caveat}"


def _state_of(against: Sequence[Cell]) -> State:
    """Of the highest row: from its p against the first one, or where it is that, from those of the others."""
    known = [c for c in against if c.value is not None]
    if not known:
        return "alone"
    if any(c.sub for c in known):
        return "provisional"
    return "best" if any((c.value or 0.0) < LEVEL for c in known) else "tied"


def of_figure(context: ReportContext, figure: suite.Figure) -> tuple[Verdict, ...]:
    """For each sweep: where its default stands among the points, and whether the highest differs from it."""
    found = [_sweep(context, figure, sweep) for sweep in figure.sweeps]
    if any(v.state != "none" for v in found):
        return tuple(found)
    return (nothing(result for sweep in figure.sweeps for result in _points(context, figure, sweep).values()),)


def _points(context: ReportContext, figure: suite.Figure, sweep: suite.Sweep) -> dict[float, Result | None]:
    values = sweep.points(context.profile)
    return {v: context.result(cell_id(figure.model, sweep_variant(sweep.id, v))) for v in values}


def _sweep(context: ReportContext, figure: suite.Figure, sweep: suite.Sweep) -> Verdict:
    results = _points(context, figure, sweep)
    done = {v: r for v, r in results.items() if r is not None and r.done}
    if not done:
        return nothing(results.values(), sweep.title)
    best = max(done, key=lambda v: (done[v].top1[0], v == sweep.default))
    equals = same_as([f"{v:g}" for v, r in done.items() if v != best and r.top1[0] == done[best].top1[0]])
    if equals and (guesses := guessing(list(done.values()), "points")):
        return Verdict(sweep.title, "tied", guesses + _rest(done, results), basis(context, list(done.values())))
    highest = f"is highest of {f.count(len(done), 'point')} with" if len(done) > 1 else "has"
    said = f"{best:g} {highest} {with_interval(done[best])}{equals}"
    state: State = "alone"
    against = _from_default(done, sweep.default, len(results) - 1) if sweep.default in done else {}
    if best == sweep.default:
        said += ", and is the default"
        state = _state_at_default(list(against.values()))
    elif sweep.default in done:
        found = against[best]
        place = 1 + sum(r.top1[0] > done[sweep.default].top1[0] for r in done.values())
        low = (done[best].interval or (1.0, 1.0))[0]
        within = ", within the interval of the best" if done[sweep.default].top1[0] >= low else ""
        said += f"; the default, {sweep.default:g}, is {f.ordinal(place)} of {len(done)}{within}"
        if isinstance(found, Difference):
            state = "provisional" if found.provisional else "best" if found.p < LEVEL else "tied"
            ends = {"provisional": "provisional", "best": "a significant difference"}.get(state, "which is a tie")
            p = f.p_value(found.p)
            shown = f"p {p}" if p.startswith("<") else f"p = {p}"
            caveat = f", but {found.caveat}" * bool(found.caveat)
            said += f"; against it {f.points(found.gap, found.digits)} points ({found.span()}, {shown}), {ends}{caveat}"
    return Verdict(sweep.title, state, said + _rest(done, results), basis(context, list(done.values())), done[best].id)


def _state_at_default(others: Sequence[Difference | str]) -> State:
    """Where the default is the highest point: whether any other differs from it."""
    known = [d for d in others if isinstance(d, Difference)]
    if not known:
        return "alone"
    if any(d.provisional for d in known):
        return "provisional"
    return "best" if any(d.p < LEVEL for d in known) else "tied"


def _rest(done: dict[float, Result], results: dict[float, Result | None]) -> str:
    others = elsewhere(done.values(), "point")
    measured = coverage(len(done), len(results), "points", results.values())
    return "".join(f"; {text}" for text in (others, measured) if text)


def _from_default(done: dict[float, Result], default: float, family: int) -> dict[float, Difference | str]:
    """Each point against the default, adjusted for all of them: the highest was not known beforehand."""
    others = [v for v in done if v != default]
    found = adjusted([difference(done[v], done[default]) for v in others], family)
    return dict(zip(others, found, strict=True))


def of_grid(context: ReportContext, figure: suite.Figure) -> tuple[Verdict, ...]:
    """The highest cell of a figure's grid, which nothing is chosen by."""
    results: list[Result | None] = []
    found: list[tuple[str, Result]] = []
    pairs: Sequence[tuple[float, ...]] = grid_points(figure, context.profile)
    for pair in pairs:
        results.append(result := context.result(cell_id(figure.model, grid_variant(figure, pair))))
        if result is not None and result.done:
            found.append((grid_variant(figure, pair).replace(",", ", ").replace("=", " = "), result))
    if not found:
        return (nothing(results),)
    name, best = max(found, key=lambda pair: pair[1].top1[0])
    equals = same_as([n for n, r in found if r is not best and r.top1[0] == best.top1[0]])
    guesses = guessing([r for _, r in found], "pairs") if equals else ""
    highest = f"is highest of {f.count(len(found), 'pair')} with" if len(found) > 1 else "has"
    text = guesses or f"{name} {highest} {with_interval(best)}{equals}"
    text += "; nothing is chosen by it"
    if others := elsewhere([r for _, r in found], "pair"):
        text += f"; {others}"
    if measured := coverage(len(found), len(pairs), "pairs", results):
        text += f"; {measured}"
    return (Verdict("", "alone", text, basis(context, [r for _, r in found]), "" if guesses else best.id),)
