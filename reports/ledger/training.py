"""What training costs, stages included, and how much its result varies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.ledger.ancestry import dependency_closure
from harness.ledger.record import RunRecord
from harness.suite import Benchmark
from reports.format import count
from reports.ledger.results import Result
from reports.stats.training import Training, pooled, together

ENOUGH = 8  # degrees of freedom of a ledger's own deviation; one of 1 alone makes intervals 13 deviations wide


def train_seconds(key: str, known: Mapping[str, RunRecord]) -> float | None:
    """Seconds that training took, a run's own and those of every stage that it depends on, each stage once; a rendering
    counts with all of its time. None where one of them is not known."""
    total = 0.0
    for k in (key, *dependency_closure(key, known)):
        if k not in known:
            return None
        cost, renders = known[k].cost, known[k].kind == "render"
        seconds = 0.0 if renders and k == key else cost.total_seconds if renders else cost.train_seconds
        if seconds is None:
            return None
        total += seconds
    return total


def by_kind(
    results: Mapping[str, Result], benchmark: Benchmark, profile: str
) -> dict[bool, tuple[frozenset[str], dict[str, Training]]]:
    """``training_variance`` of what was measured on synthetic clips (True) and on others, each with its results' ids:
    how trainings vary on the one says nothing of the other."""
    made = {i for i, r in results.items() if any(x.data is not None and x.data.synthetic for x in r.done)}
    apart = {True: frozenset(made), False: frozenset(results.keys() - made)}
    return {
        kind: (ids, training_variance({i: r for i, r in results.items() if i in ids}, benchmark, profile))
        for kind, ids in apart.items()
    }


def training_variance(results: Mapping[str, Result], benchmark: Benchmark, profile: str) -> dict[str, Training]:
    """Per data set: from the cells that were trained more than once. What the benchmark states counts with it where
    these have few degrees of freedom, and alone where nothing was trained twice; only where it was measured on the same
    kind of clips, synthetic or not. None where all trainings of a cell came out the same: a few equal accuracies do not
    say that trainings do not vary. Cells that guess at every seed do not count: what has learned nothing hardly varies.
    """
    found: dict[str, Training] = {}
    for dataset, declared in benchmark.datasets.items():
        repeats, seen = [], set()
        for r in results.values():
            keys = frozenset(x.key for x in r.done if x.kind != "render")  # what trains nothing is no training
            if r.runs[0].cell.dataset == dataset and len(keys) > 1 and keys not in seen and not r.guesses:
                seen.add(keys)
                repeats.append(r.accuracies)
        stated = declared.training_std.get(profile)
        if stated is not None and _kinds(results, dataset) != {stated.synthetic}:
            stated = None
        own = pooled(repeats) if repeats else None
        known = Training(stated.points / 100, stated.freedom, 0, stated.source) if stated is not None else None
        if own is not None and known is not None and own.freedom < ENOUGH:
            own = together(own, known)
        if (use := own or known) is not None and use.std > 0:
            found[dataset] = use
    return found


def _kinds(results: Mapping[str, Result], dataset: str) -> set[bool]:
    """Whether the clips that a data set's numbers were measured on are synthetic."""
    own = [r for r in results.values() if r.runs[0].cell.dataset == dataset]
    return {x.data.synthetic for r in own for x in r.done if x.data is not None}


def origin(training: Training) -> str:
    """Where a deviation is from, in words."""
    twice = "that was trained more than once" if training.cells == 1 else "that were trained more than once"
    ledger = f"{count(training.cells, 'cell')} of this ledger {twice}" if training.cells else ""
    stated = f"what the benchmark states ({training.source})" if training.source else ""
    return " and ".join(filter(None, (ledger, stated)))


def training_note(results: Iterable[Result]) -> str:
    """How the intervals of results treat that a seed is one training; "" where all of them have several."""
    single = [r for r in results if len(r.done) == 1]
    if not single:
        return ""
    training = single[0].training
    if training is None:
        return (
            "One seed is one training. Intervals of n = 1 are provisional: they say what other clips would do, not "
            "what another training would, since no training on this data set and profile has been repeated with "
            "another result. No ranks and no tie groups are given; more seeds (--seeds) make them."
        )
    return (
        "One seed is one training. Intervals of n = 1, ranks and tie groups carry the variance of training: a standard "
        f"deviation of {100 * training.std:.1f} points, from {origin(training)}, with "
        f"{count(training.freedom, 'degree')} of freedom."
    )
