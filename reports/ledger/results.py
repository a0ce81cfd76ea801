"""The result of a cell: its runs over seeds on the same clips, or why there are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from harness.ledger.planfile import PlannedCell
from harness.ledger.record import RunRecord
from reports.ledger.answers import UNKNOWN, Files, Outcomes
from reports.stats.intervals import accuracy_interval
from reports.stats.significance import binomial_p
from reports.stats.training import Training, mean_std

STATUS = {
    "done": "done",
    "failed": "failed",
    "missing": "not run",
    "blocked": "not run",  # a stage that it depends on failed
    "unplanned": "could not be planned",
    "rejected": "record rejected",
}
AT_CHANCE = 0.05  # the least p of a training that is not above chance


@dataclass(frozen=True)
class Run:
    """One cell at one seed, and what became of it. ``status`` is a key of ``STATUS``."""

    cell: PlannedCell
    status: str
    reason: str = ""  # one line, for everything that is not done
    record: RunRecord | None = None
    page: str = ""  # "runs/<slug>.html" where there is a record
    synthetic: tuple[str, ...] | None = None  # data sets that it or its stages saw; None where nothing is recorded
    adopted: tuple[RunRecord, ...] = ()  # which of it and its stages were adopted


@dataclass(frozen=True)
class Result:
    """One cell over its seeds.

    Attributes:
        outcomes: of the runs that are done and predict classes.
        note: goes with the number: that it is of an older version, why finished runs could not be put together.
        older: the runs are not of the config, code and data that the last plan asks for.
        training: how much a number varies from training to training on such clips; None where nothing says.
        clips: what they are called, where the numbers of this data set were measured on several kinds; else "".
        present: by seed, what became of what the last plan asks for: of ``runs`` those that it asks for.
        train_seconds: per done run of ``done``, its own training and that of all its stages; None where one is not
            known.
    """

    id: str
    runs: tuple[Run, ...]
    outcomes: Outcomes | None = None
    note: str = ""
    older: bool = False
    training: Training | None = None
    train_seconds: tuple[float | None, ...] = ()
    clips: str = ""
    present: tuple[Run, ...] = ()

    @cached_property
    def done(self) -> list[RunRecord]:
        records = [r.record for r in self.runs if r.status == "done" and r.record is not None]
        return [record for record in records if record.metrics is not None]

    @property
    def accuracies(self) -> list[float]:
        """Top-1 of each run of ``done``, as a fraction."""
        return [r.metrics.top1 for r in self.done if r.metrics is not None]

    @property
    def synthetic(self) -> tuple[str, ...] | None:
        """Synthetic data sets behind the number, None where no run says."""
        said = [r.synthetic for r in self.runs if r.status == "done" and r.synthetic is not None]
        return tuple(dict.fromkeys(name for names in said for name in names)) if said else None

    @property
    def adopted(self) -> list[RunRecord]:
        """Adopted runs behind the number, stages included, each once."""
        return list({r.key: r for run in self.runs if run.status == "done" for r in run.adopted}.values())

    @property
    def provisional(self) -> bool:
        """One training, and nothing says how another would have come out."""
        return len(self.done) == 1 and self.training is None

    @cached_property
    def top1(self) -> tuple[float, float | None]:
        return mean_std(self.accuracies)

    @cached_property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the accuracy: subjects, clips and trainings are drawn (``accuracy_interval``)."""
        if self.outcomes is None:
            return None
        return accuracy_interval(self.outcomes.correct, self.outcomes.subjects, self.training)

    @cached_property
    def chance(self) -> tuple[float, float] | None:
        """Chance level, and the largest p over the seeds of being at chance."""
        known = self._guessing
        return (known[0], max(known[1])) if known else None

    @property
    def guesses(self) -> bool:
        """None of its trainings is above chance. They say little of how trainings vary."""
        return self._guessing is not None and min(self._guessing[1]) >= AT_CHANCE

    @cached_property
    def _guessing(self) -> tuple[float, list[float]] | None:
        """Chance level, and of each seed the p of being at chance."""
        data = next((r.data for r in self.done if r.data is not None), None)
        if self.outcomes is None or data is None or not data.classes:
            return None
        right, n = self.outcomes.correct.sum(axis=1), self.outcomes.correct.shape[1]
        return 1 / len(data.classes), [binomial_p(int(k), n, len(data.classes)) for k in right]


def twins(results: Iterable[Result]) -> dict[str, str]:
    """Id of a result -> id of the one whose runs it shares: each run is compared and ranked once, under the cell that
    it was recorded for where that is among them."""
    found: dict[str, str] = {}
    first: dict[frozenset[str], str] = {}
    for r in sorted(results, key=lambda r: all(x.cell.model != r.runs[0].cell.model for x in r.done)):
        keys = frozenset(x.key for x in r.done)
        if keys and first.setdefault(keys, r.id) != r.id:
            found[r.id] = first[keys]
    return found


def by_kind_of_clips(results: Mapping[str, Result]) -> dict[str, dict[str, Result]]:
    """What the clips are called, where those of a data set are of several kinds, else "" -> the results that are
    measured on them, which alone are compared. Those that are not measured are in each."""
    kinds = dict.fromkeys(r.clips for r in results.values() if r.done) or {"": None}
    return {kind: {n: r for n, r in results.items() if not r.done or r.clips == kind} for kind in kinds}


def same_clips(results: list[Result]) -> list[Result]:
    """The largest set of results that were tested on the same clips; of equally large ones the first."""
    sets: dict[tuple, list[tuple[Result, Files]]] = {}
    for r in results:
        if r.outcomes is not None:
            sets.setdefault(r.outcomes.fingerprint, []).append((r, r.outcomes.files))
    return max(map(_of_the_same_files, sets.values()), key=len, default=[])


def on_other_clips(results: Mapping[str, Result]) -> list[str]:
    """Of these the names of those that were tested on other clips than most."""
    alike = {r.id for r in same_clips(list(results.values()))}
    return [name for name, r in results.items() if r.outcomes is not None and r.id not in alike]


def _of_the_same_files(found: list[tuple[Result, Files]]) -> list[Result]:
    """Those that read of each modality what most of them read."""
    read = Counter(files for _, files in found if files.content)
    usual = {files.modalities: files for files, _ in reversed(read.most_common())}
    return [r for r, files in found if files.may_be(usual.get(files.modalities, UNKNOWN))]
