"""How the methods of a column compare on the same clips: possible because every prediction is kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.suite import benchmark as suite
from reports import format as f
from reports.ledger.context import ReportContext
from reports.ledger.marks import marks_of
from reports.ledger.results import Result, same_clips, twins
from reports.stats.ranks import pairwise
from reports.tables.differences import LEVEL
from reports.tables.method_cells import asked, listed_entries, measured_apart, ranked


@dataclass(frozen=True)
class Pairwise:
    """One method against all of them, in order of accuracy: Holm-adjusted p, None against itself."""

    name: str
    p: tuple[float | None, ...]


@dataclass(frozen=True)
class Comparison:
    """The methods of one column, best first. ``pairs``: none where nothing says how much trainings vary."""

    title: str
    text: str
    pairs: tuple[Pairwise, ...]
    never: tuple[str, ...]  # clips that nobody gets right in any seed
    alone: tuple[tuple[str, tuple[str, ...]], ...]  # method -> clips that it alone gets right


def named_results(context: ReportContext, table: suite.Table, column: suite.Column) -> tuple[dict[str, Result], int]:
    """What was run of a column of a table of methods, by title (by the entry's name where two have the same one;
    with the marks of their numbers), and how many methods the column asks for."""
    entries = [e for e in ranked(listed_entries(context, table)) if e.test_modality == column.modality]
    results = context.ledger.results
    run = [e for e in entries if e.name in results]
    titles = [e.title for e in run]
    named = {
        (e.title if titles.count(e.title) == 1 else e.name) + marks_of(results[e.name]): results[e.name] for e in run
    }
    return named, asked(context, entries)


def unranked_note(context: ReportContext, table: suite.Table, column: suite.Column) -> str:
    """Which measured methods of a column are compared with none, since their protocol is their own; "" where none."""
    entries = [e for e in listed_entries(context, table) if e.test_modality == column.modality]
    names = ", ".join(dict.fromkeys(e.title for e in measured_apart(context, entries)))
    return f"Left out, since their protocols are their own: {names}." if names else ""


def compare(title: str, named: dict[str, Result], family: int = 0) -> Comparison | None:
    """Compare the results that were tested on the same clips; None for fewer than two.

    Args:
        named: results by the name of their method. family: see ``stats.ranks.pairwise``.
    """
    copies = twins(named.values())
    same = {r.id for r in same_clips([r for r in named.values() if r.id not in copies])}
    chosen = sorted((n for n, r in named.items() if r.id in same), key=lambda n: -named[n].top1[0])
    if len(chosen) < 2:
        return None
    outcomes = [o for n in chosen if (o := named[n].outcomes) is not None]
    clips = np.asarray(outcomes[0].clips)
    training = named[chosen[0]].training
    pairs: tuple[Pairwise, ...] = ()
    if training is not None:
        p = pairwise([o.correct for o in outcomes], training, family)
        pairs = tuple(
            Pairwise(name, tuple(None if i == j else float(p[i, j]) for j in range(len(chosen))))
            for i, name in enumerate(chosen)
        )
    # a method gets a clip right when most of its seeds do
    most = np.stack([o.correct.mean(axis=0) > 0.5 for o in outcomes])
    ever = np.stack([o.correct.any(axis=0) for o in outcomes])
    alone = []
    for i, name in enumerate(chosen):
        own = most[i] & ~np.delete(ever, i, axis=0).any(axis=0)
        if own.any():
            alone.append((name, tuple(clips[own].tolist())))
    never = clips[~ever.any(axis=0)]
    text = (
        f"Of {len(clips)} test clips, {int(most.all(axis=0).sum())} are right with all {len(chosen)} methods "
        f"and {len(never)} with none of them in any seed."
    )
    if pairs:
        apart = sum(p is not None and p < LEVEL for one in pairs for p in one.p) // 2
        of = len(pairs) * (len(pairs) - 1) // 2
        text = (
            f"{apart} of {f.count(of, 'pair')} of methods {'differs' if apart == 1 else 'differ'} significantly. {text}"
        )
    return Comparison(title, text, pairs, tuple(never.tolist()), tuple(alone))
