"""Whether the runs show what the paper claims: each statement, held against them by paired tests."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.suite import benchmark as suite
from reports import format as f
from reports.ledger.context import ReportContext
from reports.stats.power import ALPHA, Comparison, smallest_difference
from reports.tables.differences import Difference, adjusted, difference

FOUND, NOT_FOUND, UNTESTED, UNMEASURED = "found", "not found", "not decided", "not measured"


@dataclass(frozen=True)
class Verdict:
    """A statement and what became of it."""

    statement: suite.Statement
    outcome: str  # FOUND | NOT_FOUND | UNTESTED | UNMEASURED
    text: str  # the whole of it as a sentence
    difference: Difference | None = None


def evaluate_claims(context: ReportContext, declared: suite.Evidence) -> list[Verdict]:
    """What became of each statement. A statement is found where the difference is as large as it says and both tests,
    adjusted for the number of statements, measured or not, give p < 0.05; with fewer seeds than asked for nothing is
    decided, nor where each seed has the same difference."""
    compared = [difference(context.result(s.better), context.result(s.than)) for s in declared.statements]
    tested = adjusted(compared, len(compared))
    enough = context.profile != "smoke"
    verdicts = [_verdict(s, d, declared.seeds, enough) for s, d in zip(declared.statements, tested, strict=True)]
    return [_with_power(v, verdicts, declared.seeds) for v in verdicts] if enough else verdicts


def _with_power(verdict: Verdict, family: list[Verdict], seeds: int) -> Verdict:
    """A verdict that found nothing with what could have been found. Holm's adjustment asks of it the p of all
    statements that nothing was found for."""
    found = verdict.difference
    if verdict.outcome not in (NOT_FOUND, UNTESTED) or found is None or found.comparison is None:
        return verdict
    others = sum(v.outcome == FOUND for v in family)
    could = would_be_found(found.comparison, max(seeds, len(found.seeds)), ALPHA / (len(family) - others))
    return replace(verdict, text=f"{verdict.text} {could}")


def would_be_found(comparison: Comparison, seeds: int, alpha: float = ALPHA) -> str:
    """What a comparison like this one finds with so many seeds, as a sentence."""
    smallest = smallest_difference(replace(comparison, seeds=seeds), alpha)
    what = "no difference" if smallest is None else f"a difference of {100 * smallest:.1f} points or more"
    return f"With {f.count(seeds, 'seed')}, {what} would be found in four of five such experiments."


def _verdict(statement: suite.Statement, found: Difference | str, seeds: int, enough: bool) -> Verdict:
    if isinstance(found, str):
        return Verdict(statement, UNMEASURED, f"Not measured: {statement.says} ({found}).")
    n = f.count(len(found.seeds), "seed")
    if len(found.seeds) < seeds or found.p_seeds is None or not enough:
        same = found.p_seeds is None and len(found.seeds) > 1
        why = ", all with the same difference, for which no test over seeds is defined" * same
        return Verdict(statement, UNTESTED, f"Not decided: {statement.says}. {found.text} so far, {n}{why}.", found)
    tests = f"p {_p(found.p_clips)} over clips, p {_p(found.p_seeds)} over {n}, better in {found.better_in} of them"
    clear = found.p_clips < ALPHA and found.p_seeds < ALPHA
    if clear and found.caveat:
        tests += f"; {found.caveat}"
    if clear and found.gap > 0 and 100 * found.gap >= statement.points:
        return Verdict(statement, FOUND, f"Found: {statement.says}. {found.text}; {tests}.", found)
    if clear and found.gap < 0:
        tests += "; the opposite is found"
    elif clear:
        tests += f"; the difference is there, but below {statement.points:g} points"
    return Verdict(statement, NOT_FOUND, f"Not found: {statement.says}. {found.text}; {tests}.", found)


def _p(p: float) -> str:
    text = f.p_value(p)
    return text.replace(" ", "\u00a0") if text.startswith("<") else f"=\u00a0{text}"


def summary(verdicts: list[Verdict]) -> str:
    """How many statements came out which way."""
    counts = {o: sum(v.outcome == o for v in verdicts) for o in (FOUND, NOT_FOUND, UNTESTED, UNMEASURED)}
    names = {FOUND: "found", NOT_FOUND: "not found", UNTESTED: "not decided", UNMEASURED: "not measured"}
    said = [f"{n} {names[o]}" for o, n in counts.items() if n]
    return f"Of {f.count(len(verdicts), 'statement')}: {', '.join(said)}."
