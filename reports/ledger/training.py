"""What training costs, stages included, and how much its result varies."""

from __future__ import annotations

from collections.abc import Mapping

from harness.ledger.ancestry import dependency_closure
from harness.ledger.record import RunRecord
from harness.suite import Benchmark
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
