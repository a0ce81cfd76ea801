"""What a table says, in one sentence: who is best, by how much, tied with whom, on what data and when."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from harness.ledger.record import RunRecord
from harness.suite import Entry
from harness.suite import benchmark as suite
from reports import format as f
from reports.ledger.context import ReportContext
from reports.ledger.digits import digits_of
from reports.ledger.marks import MEANING, OLDER_MARK, marks_of
from reports.ledger.results import Result, by_kind_of_clips, on_other_clips, same_clips, twins
from reports.stats.ranks import Standing
from reports.tables.differences import LEVEL, difference
from reports.tables.method_cells import asked, listed_entries, measured_apart, ranked
from reports.tables.ranking import rank

NAMED = 3  # of tied methods; of more it says how many

State = Literal["best", "tied", "provisional", "alone", "none"]


@dataclass(frozen=True)
class Verdict:
    """The sentence of a table, or of one of its columns: only what was tested on the same modalities is compared.

    Attributes:
        column: whose it is; "" for the whole table.
        state: ``best``, somebody is (perhaps tied with others); ``tied``, all are; ``provisional``, nothing
            says how trainings vary; ``alone``, nothing to compare with; ``none``, nothing measured.
        basis: data, profile, seeds and day of the newest run behind it; "" for ``none``.
        best: the cell with the highest accuracy. tied: the cells that do not differ from it.
    """

    column: str
    state: State
    text: str
    basis: str = ""
    best: str = ""
    tied: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The sentence with what it stands on."""
        return self.text + (f" ({self.basis})" if self.basis else "") + "."


NOTHING_YET = "nothing is measured yet"


def nothing(results: Iterable[Result | None], column: str = "", said: str = NOTHING_YET) -> Verdict:
    """The verdict where no result is done; it says how many ended without one."""
    failed = failures(results)
    return Verdict(column, "none", said + f"; {failed} failed" * bool(failed))


def failures(results: Iterable[Result | None]) -> int:
    """How many results have no number because a run of theirs, or of a stage before it, failed."""
    ended = ("failed", "blocked", "rejected")
    return sum(r is not None and not r.done and any(run.status in ended for run in r.runs) for r in results)


def same_as(names: Sequence[str]) -> str:
    """``, the same as A and B``, to follow the highest number; "" where nobody else has it."""
    return f", the same as {_listed(names)}" if names else ""


def coverage(measured: int, wanted: int, what: str, results: Iterable[Result | None]) -> str:
    """``14 of 18 methods measured, 2 failed``; "" where all are."""
    failed = failures(results)
    return f"{measured} of {wanted} {what} measured" + f", {failed} failed" * bool(failed) if measured < wanted else ""


def elsewhere(results: Iterable[Result], what: str) -> str:
    """``2 points tested on other clips``; "" where all were tested on the same."""
    n = len(on_other_clips({r.id: r for r in results}))
    return f"{f.count(n, what)} tested on other clips" if n else ""


def to_json(verdicts: Iterable[Verdict], table: str, title: str) -> list[dict[str, Any]]:
    """Verdicts as plain data, with the table that they are of."""
    return [{"table": table, "title": title, **asdict(v), "line": v.line} for v in verdicts]


def by_column(context: ReportContext, table: suite.Table) -> tuple[Verdict, ...]:
    """The verdicts of a table of methods, one for each column and kind of clips."""
    found = []
    listed = listed_entries(context, table)
    for column in table.columns:
        own = [e for e in listed if e.test_modality == column.modality]
        if asked(context, own):
            results = {e.name: r for e in ranked(own) if (r := context.result(e.name)) is not None}
            for kind, those in by_kind_of_clips(results).items():
                title = ", ".join(filter(None, (column.title, kind)))
                apart = len(measured_apart(context, own))
                found.append(_column(context, title, own, those.values(), apart))
    if any(v.state != "none" for v in found):
        return tuple(found)
    said = _none(len(measured_apart(context, listed)))
    return (nothing((context.result(e.name) for e in ranked(listed)), said=said),)


def _none(apart: int) -> str:
    """What is said where nothing that is ranked is measured."""
    return f"nothing that is ranked is measured yet; {_apart(apart)}" if apart else NOTHING_YET


def _apart(n: int) -> str:
    """How many methods are measured beside those that a sentence is about; "" for none."""
    have = "has a protocol of its own and is" if n == 1 else "have protocols of their own and are"
    return f"{f.count(n, 'more method')} {have} not ranked" if n else ""


def _column(
    context: ReportContext, title: str, entries: Sequence[Entry], results: Collection[Result], unranked: int
) -> Verdict:
    """The verdict of methods that were tested on the same modalities.

    Args:
        results: of those that are ranked, on one kind of clips. unranked: how many of the others are measured.
    """
    done = sorted((r for r in results if r.done), key=lambda r: -r.top1[0])
    if not done:
        return nothing(results, title, _none(unranked))
    standings = rank(list(results), asked(context, entries))
    placed = {r.id: s for r in done if isinstance(s := standings.get(r.id), Standing)}
    names = _names(ranked(entries), done)
    field = [r for r in done if r.id in placed] or _comparable(done)
    first, state = field[0], _state(field, placed)
    text = with_interval(first, said=state == "provisional")
    name = names[first.id]
    tied = [r for r in field[1:] if state in ("best", "tied") and placed[r.id].group == 0]
    equals = same_as([names[r.id] for r in field[1:] if r.top1[0] == first.top1[0]])
    guesses = guessing(field, "methods") if equals else ""
    if state == "best":
        said = f"{name} is best with {text}"
        said += f", tied with {_listed([names[r.id] for r in tied])}," * bool(tied)
        following = next(r for r in field if placed[r.id].group)
        said += f"{' and' if tied else ','} {_above(first, following)} {names[following.id]}, the next that is not tied"
    elif state == "tied":
        said = f"all {len(field)} methods are tied; {guesses or f'the highest is {name} with {text}{equals}'}"
    elif state == "provisional":
        once = all(len(r.done) == 1 for r in field)
        why = "one training each is no rank" if once else "no repeated training gave another result"
        said = f"provisional, since {why}: {guesses or f'the highest of {len(field)} is {name} with {text}{equals}'}"
    else:
        said = f"{name} has {text}, with nothing to compare on the same clips"
    apart = len(done) - len(field) - len(twins(done))
    others = f"{f.count(apart, 'method')} tested on other clips" if apart > 0 and state != "alone" else ""
    what = "methods" if len(ranked(entries)) == len(entries) else "ranked methods"
    measured = coverage(len(done), asked(context, entries), what, results)
    more = filter(None, ("" if guesses else _chance(first), others, measured, _apart(unranked)))
    best = "" if guesses else first.id
    return Verdict(title, state, "; ".join((said, *more)), basis(context, done), best, tuple(r.id for r in tied))


def _state(field: Sequence[Result], placed: dict[str, Standing]) -> State:
    if len(field) < 2:
        return "alone"
    if not placed:
        return "provisional"
    return "best" if any(s.group for s in placed.values()) else "tied"


def _comparable(done: list[Result]) -> list[Result]:
    """What would be ranked if it were known how trainings vary: results on the same clips, each run once."""
    copies = twins(done)
    return same_clips([r for r in done if r.id not in copies]) or done[:1]


def _names(entries: Iterable[Entry], done: Iterable[Result]) -> dict[str, str]:
    """Titles by cell, the entry's name where two have the same; with the marks of their numbers."""
    marks = {r.id: marks_of(r) for r in done}
    titles = {e.name: e.title for e in entries}
    several = list(titles.values())
    return {i: (t if several.count(t) == 1 else i) + marks.get(i, "") for i, t in titles.items()}


def _listed(names: Sequence[str]) -> str:
    """Names in a row, not too many of them."""
    if len(names) > NAMED + 1:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def with_interval(r: Result, said: bool = False) -> str:
    """A result in words: ``62.5 % (95 % interval 55.1 to 69.8, provisional)``. ``said``: the sentence already says
    that it is provisional."""
    span = f"95 % interval {f.percent(r.interval[0])} to {f.percent(r.interval[1])}" if r.interval else ""
    notes = ", ".join(filter(None, (span, "provisional" * (r.provisional and not said))))
    return _share(r) + (f" ({notes})" if notes else "")


def _share(r: Result) -> str:
    return f"{f.percent(r.top1[0], digits_of(r))} %"


def guessing(results: Sequence[Result], what: str) -> str:
    """What is said of a tie for the highest number where no result is above chance, instead of one of the names;
    "" where one is, or that is not known."""
    levels = [r.chance for r in results]
    if not levels or any(chance is None or chance[1] < LEVEL for chance in levels):
        return ""
    first = max(results, key=lambda r: r.top1[0])
    alike = sum(r.top1[0] == first.top1[0] for r in results)
    chance = f"{f.percent(first.chance[0])} %" if first.chance else "not known"
    said = f"none of {len(results)} {what} is above chance, {chance}; "
    said += f"{alike} of them share the highest number" if alike < len(results) else "all of them have the same number"
    return f"{said}, {_share(first)}"


def _above(a: Result, b: Result) -> str:
    """By how much one result is above another; without an interval where no seed is done for both."""
    found = difference(a, b)
    if isinstance(found, str):
        return f"{f.percent(a.top1[0] - b.top1[0], digits_of(a))} points (no interval: {found}) above"
    span = ": ".join(filter(None, (found.span(), found.caveat)))
    return f"{f.percent(found.gap, found.digits)} points ({span}) above"


def _chance(r: Result) -> str:
    if r.chance is None or r.chance[1] < LEVEL:
        return ""
    return f"that is not above chance, {f.percent(r.chance[0])} %"


def basis(context: ReportContext, results: Sequence[Result]) -> str:
    """What results stand on: data, profile, seeds, the day of the newest run, and how many are of an older config, code
    or data."""
    records = [record for r in results for record in r.done]
    if not records:
        return ""
    made = any(r.data is not None and r.data.synthetic for r in records)
    data = " and ".join(sorted({_clips(context, r) for r in records}, reverse=True))
    stages = "" if made or not any(r.synthetic for r in results) else ", some stages on synthetic data"
    seeds = sorted({len(r.done) for r in results if r.done})
    span = f"{seeds[0]} to {seeds[-1]} seeds" if len(seeds) > 1 else f.count(seeds[0], "seed")
    day = max(r.finished for r in records)[:10] or "of unknown date"
    return f"{data}{stages}, profile {context.profile}, {span}, newest run {day}{_older(results)}"


def _older(results: Sequence[Result]) -> str:
    done = [r for r in results if r.done]
    n = sum(r.older for r in done)
    of = f"{n} of {f.count(len(done), 'result')} ({OLDER_MARK}) " if len(done) > 1 else ""
    return f", {of}{MEANING[OLDER_MARK]}" if n else ""


def _clips(context: ReportContext, record: RunRecord) -> str:
    """What the clips that a run was tested on are called."""
    if record.data is None:
        return context.clips.title(record.cell.dataset)
    return f"{'synthetic ' * record.data.synthetic}{context.clips.clips_of(record)}"
