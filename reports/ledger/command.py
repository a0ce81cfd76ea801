"""The commands that measure what pages show, as they stand on them."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping
from functools import cache

from harness.suite import Benchmark, Entry
from reports.ledger.ledger import Ledger

OF_ANY = ("--configs", "--quarantine")  # without which some of the runs are others, or cannot be planned
FLAGS = ("--compile",)
ORDER = (*OF_ANY, "--init", "--gpus-per-job", "--precision", *FLAGS)


def command_for(benchmark: Benchmark, ledger: Ledger, tables: Iterable[str], real_data: bool) -> str:
    """What measures some tables and figures."""
    words = _seeded(benchmark, ledger)
    words.insert(1, f"--tables {','.join(tables)}")
    return " ".join(["python -m harness run-all", *words, *(["--data-root DIR"] if real_data else [])])


def command_of(benchmark: Benchmark, entries: Mapping[str, Entry], ledger: Ledger, real_data: bool) -> str:
    """What makes the pages of a ledger again; of several, what writes them from all that these have."""
    if len(ledger.work_dirs) > 1:
        places = (f"--work-dir DIR{i}" for i in range(1, len(ledger.work_dirs) + 1))
        return " ".join(["python -m harness report", f"--profile {ledger.profile}", *places])
    words = ["python -m harness run-all", *_seeded(benchmark, ledger)]
    if real_data:
        words.append("--data-root DIR")
    if is_quick(benchmark, ledger):
        return " ".join([*words, "--quick"])
    optional = {e.name for e in entries.values() if ledger.profile in e.optional_at}
    if any(run.cell.model in optional for run in ledger.runs):
        words.append("--all-methods")
    if ledger.tables and ledger.tables != set(benchmark.usual):
        order = [t.id for t in benchmark.tables] + [
            i for x in benchmark.figures for i in (x.id, x.grid.id if x.grid else "") if i
        ]
        words.append(f"--tables {','.join(t for t in order if t in ledger.tables)}")
    return " ".join([*words, *_chosen(ledger, optional)])


def _chosen(ledger: Ledger, optional: Collection[str]) -> list[str]:
    """``--cell`` with the cells that were asked for, where these are not all of their tables."""
    asked = {run.cell.id for run in ledger.runs}
    whole = [
        i for i, tables in ledger.used_by.items() if ledger.tables & set(tables) and i.split("+")[0] not in optional
    ]
    if not asked or asked.issuperset(whole):
        return []
    return [f"--cell {shlex.quote(','.join(i for i in ledger.used_by if i in asked))}"]


def given(ledger: Ledger) -> list[str]:
    """What the runs were asked for beside profile and seeds, as their own commands have it: folders and lists of the
    user's where any has them, settings where all have the same.
    """
    commands = dict.fromkeys(_options(r.command) for r in ledger.shown_records if r.command)
    every = dict.fromkeys(item for words in commands for item in words)
    kept = [i for i in every if i.split()[0] in OF_ANY or all(i in words for words in commands)]
    return sorted(kept, key=lambda i: ORDER.index(i.split()[0]))


@cache
def _options(command: str) -> tuple[str, ...]:
    """The options of ``ORDER`` in a record's command, each with its value."""
    try:
        words = shlex.split(command)
    except ValueError:
        return ()
    found = []
    for word, value in zip(words, [*words[1:], ""], strict=True):
        if word in ORDER:
            found.append(word if word in FLAGS else f"{word} {value}")
    return tuple(found)


def is_quick(benchmark: Benchmark, ledger: Ledger) -> bool:
    """Whether a ledger has no more than what ``run-all --quick`` asks for."""
    quick, plans = benchmark.quick, ledger.plans
    if quick is None or not plans or not ledger.tables <= set(quick.tables):
        return False
    return all({c.id for c in plan.cells} == set(quick.cells) for plan in plans)


def _seeded(benchmark: Benchmark, ledger: Ledger) -> list[str]:
    """The profile, and the number of seeds where it is not the usual one."""
    usual = benchmark.seeds.get(ledger.profile, 1)
    seeds = [f"--seeds {ledger.seeds}"] if ledger.seeds not in (0, usual) else []
    return [f"--profile {ledger.profile}", *seeds, *given(ledger)]
