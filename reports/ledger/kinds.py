"""Which kinds of clips numbers were measured on: generated ones, recorded ones, or both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.ledger.record import RunRecord
from harness.suite import Benchmark
from reports.ledger.other_clips import other_clips
from reports.ledger.results import Result

SYNTHETIC = "synthetic clips"  # what these are called beside recorded ones


@dataclass(frozen=True)
class Kinds:
    """What some runs saw, by data set, and by "" for any.

    Attributes:
        synthetic: names of the synthetic data sets that the runs or their stages saw; without those of which no run
            says any.
        generated, recorded: where something was tested on such clips. tested: on clips at all.
    """

    synthetic: Mapping[str, tuple[str, ...]]
    generated: frozenset[str]
    recorded: frozenset[str]
    tested: frozenset[str]

    def mixed(self, dataset: str = "") -> bool:
        """Whether numbers of both kinds stand side by side."""
        return dataset in self.generated and dataset in self.recorded


def kinds_of(records: Iterable[RunRecord], synthetic: Mapping[str, tuple[str, ...] | None]) -> Kinds:
    """Args: synthetic: key of a run -> the synthetic data sets that it or its stages saw, None where nothing says."""
    names: dict[str, set[str]] = {}
    on: dict[bool | None, set[str]] = {True: set(), False: set(), None: set()}
    for record in records:
        for dataset in ("", record.cell.dataset):
            if (seen := synthetic[record.key]) is not None:
                names.setdefault(dataset, set()).update(seen)
            if record.metrics is not None:
                on[record.data.synthetic if record.data is not None else None].add(dataset)
    return Kinds(
        {dataset: tuple(sorted(found)) for dataset, found in names.items()},
        frozenset(on[True]),
        frozenset(on[False]),
        frozenset(on[True] | on[False] | on[None]),
    )


def clip_names(benchmark: Benchmark, results: Iterable[Result]) -> dict[str, str]:
    """Cell -> what its clips are called, of data sets whose numbers were measured on generated and on recorded clips:
    there each number says on which."""
    kinds: dict[str, set[bool]] = {}
    own: dict[str, tuple[str, bool]] = {}
    records = []
    for result in results:
        for record in result.done:
            if record.data is not None:
                records.append(record)
                own[result.id] = record.cell.dataset, record.data.synthetic
                kinds.setdefault(record.cell.dataset, set()).add(record.data.synthetic)
    others = other_clips(benchmark, records)
    named = {}
    for cell, (dataset, generated) in own.items():
        if len(kinds[dataset]) > 1:
            declared = benchmark.datasets[dataset]
            real = declared.title_of_others if dataset in others else declared.title
            named[cell] = SYNTHETIC if generated else real
    return named


@dataclass(frozen=True)
class Banner:
    """What a page says first of its numbers.

    Attributes:
        synthetic: they are of generated clips, or are to be. recorded: some are of recorded ones.
        others: which of these are not the data set whose layout they have, in words; "" for none.
        stages_on: the synthetic data that stages of runs saw.
    """

    synthetic: bool
    recorded: bool
    others: str
    stages_on: str
