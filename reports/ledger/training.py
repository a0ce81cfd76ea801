"""What training costs, stages included, and how much its result varies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.ledger.ancestry import dependency_closure
from harness.ledger.record import RunRecord
from harness.suite import Benchmark
from reports.format import count
from reports.ledger.results import Result
from reports.stats.training import Training, pooled


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


def training_variance(results: Mapping[str, Result], benchmark: Benchmark, profile: str) -> dict[str, Training]:
    """Per data set: from the cells that were trained more than once, or else as the benchmark declares."""
    found: dict[str, Training] = {}
    for dataset, declared in benchmark.datasets.items():
        repeats, seen = [], set()
        for r in results.values():
            keys = frozenset(x.key for x in r.done)
            if r.runs[0].cell.dataset == dataset and len(keys) > 1 and keys not in seen:
                seen.add(keys)
                repeats.append(r.accuracies)
        stated = declared.training_std.get(profile)
        if repeats:
            found[dataset] = pooled(repeats)
        elif stated is not None:
            found[dataset] = Training(stated.points / 100, stated.freedom, 0, stated.source)
    return found


def training_note(results: Iterable[Result]) -> str:
    """How the intervals of results treat that a seed is one training; "" where all of them have several."""
    single = [r for r in results if len(r.done) == 1]
    if not single:
        return ""
    training = single[0].training
    if training is None:
        return (
            "One seed is one training. Intervals of n = 1 are provisional: they say what other clips would do, not "
            "what another training would, since nothing on this data set and profile has been trained twice. No ranks "
            "and no tie groups are given; more seeds (--seeds) make them."
        )
    source = (
        f"pooled over {count(training.cells, 'cell')} of this ledger that were trained more than once"
        if training.cells
        else f"stated by the benchmark: {training.source}"
    )
    return (
        "One seed is one training. Intervals of n = 1, ranks and tie groups carry the variance of training: a standard "
        f"deviation of {100 * training.std:.1f} points, {source} ({training.freedom} degrees of freedom)."
    )
