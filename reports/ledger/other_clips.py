"""Clips that were measured, or are to be, and only have the layout of a data set: they do not go by its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.ledger.planfile import PlanFile
from harness.ledger.record import DataInfo, RunRecord
from harness.suite import Benchmark
from reports.format import count

Counts = tuple[int, int]  # classes and subjects


def other_clips(benchmark: Benchmark, records: Iterable[RunRecord]) -> dict[str, Counts]:
    """Data set -> classes and subjects of the recorded clips that were measured in its place, where these are not, by
    these numbers, the data set as it was published. Synthetic clips are none of them.

    The subjects are those of all its records: a network may read clips of some alone.
    """
    measured: dict[str, list[DataInfo]] = {}
    for r in records:
        if r.data is not None and not r.data.synthetic and r.data.classes and r.metrics is not None:
            measured.setdefault(r.cell.dataset, []).append(r.data)
    found = {}
    for dataset, seen in measured.items():
        people = {subject for data in seen for subject in (*data.train_subjects, *data.test_subjects)}
        for counts in sorted({(len(data.classes), len(people)) for data in seen}):
            if benchmark.datasets[dataset].is_other(*counts):
                found[dataset] = counts
    return found


def planned_others(benchmark: Benchmark, plans: Iterable[PlanFile]) -> dict[str, Counts]:
    """The same of the clips that are to be measured, by the last plans."""
    said = ((dataset, counts) for plan in plans for dataset, counts in plan.clips.items())
    return {d: counts for d, counts in said if d in benchmark.datasets and benchmark.datasets[d].is_other(*counts)}


def note(benchmark: Benchmark, others: Mapping[str, Counts]) -> str:
    """Which clips are not the data set whose layout they have, in words; "" for none."""
    said = []
    for dataset, (classes, subjects) in others.items():
        declared = benchmark.datasets[dataset]
        if declared.published is not None:
            said.append(
                f"{declared.title_of_others} ({count(classes, 'class', 'classes')}, {count(subjects, 'subject')}) "
                f"are not {declared.title} ({declared.published.classes}, {declared.published.subjects})"
            )
    return "; ".join(said)
