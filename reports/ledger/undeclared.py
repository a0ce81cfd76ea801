"""Data sets that runs of a ledger were made on and the benchmark does not declare, or no longer."""

from __future__ import annotations

from collections.abc import Iterable

from harness.ledger.record import RunRecord
from harness.suite import Benchmark
from harness.suite.benchmark import Dataset


def with_undeclared(benchmark: Benchmark, records: Iterable[RunRecord]) -> Benchmark:
    """The benchmark with these data sets as well, each called as its runs call it: a table of another data set may
    share a ledger with runs that nothing asks for any more.
    """
    found = dict(benchmark.datasets)
    for r in sorted(records, key=lambda r: r.key):
        if r.cell.dataset not in benchmark.datasets and (r.data is not None or r.cell.dataset not in found):
            title = r.data.name if r.data is not None else r.cell.dataset
            found[r.cell.dataset] = Dataset(title=title, training_data=r.cell.dataset)
    return benchmark if len(found) == len(benchmark.datasets) else benchmark.model_copy(update={"datasets": found})
