"""What runs of a ledger were made on or with and is not declared, or no longer: data sets and methods."""

from __future__ import annotations

from collections.abc import Container, Iterable

from harness.ledger.ancestry import dependency_closure
from harness.ledger.record import RunRecord
from harness.suite import Benchmark
from harness.suite.benchmark import Dataset
from reports.ledger.ledger import Ledger


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


def without_row(benchmark: Benchmark, entries: Container[str], ledger: Ledger) -> dict[str, str]:
    """Table of methods -> in a sentence, which results would be rows of it if their methods had configs at hand, as
    those of ledgers that were made with others.
    """
    known = {key: record for key, (_, record) in ledger.records.items()}
    stages: set[str] = set()
    left_out = {}
    for i, result in ledger.results.items():
        if result.done and result.runs[0].cell.model not in entries:
            left_out[i] = result
            stages.update(key for r in result.done for key in dependency_closure(r.key, known) if key != r.key)
    found = {}
    for table in benchmark.tables:
        modalities = {c.modality for c in table.columns}
        names = [
            i
            for i, result in left_out.items()
            if table.layout not in ("rows", "points")
            and result.runs[0].cell.dataset == table.dataset
            and result.runs[0].cell.test_modality in modalities
            and all(r.key not in stages for r in result.done)
        ]
        if names:
            are, them = ("has runs", "it is") if len(names) == 1 else ("have runs", "they are")
            found[table.id] = (
                f"{', '.join(sorted(names))} {are} here and no config, so that {them} in no row: "
                "report with --configs and the folder of these configs"
            )
    return found
