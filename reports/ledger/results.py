"""The result of a cell: its runs over seeds on the same clips, or why there are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.ledger.judge import labels_fingerprint, read_predictions
from harness.ledger.planfile import PlannedCell
from harness.ledger.record import RunRecord
from harness.ledger.run_dir import PREDICTIONS
from mtcd_plugin.accuracy import predicted_classes
from reports.ledger.config import look
from reports.ledger.shared import Once
from reports.stats.intervals import accuracy_interval
from reports.stats.remembered import remembered
from reports.stats.significance import binomial_p
from reports.stats.training import Training, mean_std

if TYPE_CHECKING:
    import pandas as pd

HARDEST = 10  # clips of a run that its page names

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
class ClipList:
    """The clips that runs were tested on, in order of their id; one object for all that were tested on the same."""

    clips: tuple[str, ...]
    subjects: tuple[str, ...]
    labels: np.ndarray  # int [clips]

    @cached_property
    def fingerprint(self) -> tuple:
        """Equal for the same clips with the same labels."""
        return (self.clips, self.labels.tobytes())


@dataclass(frozen=True)
class Files:
    """What a run has read of its test clips.

    Attributes:
        modalities: joined names. content: fingerprint of their files, "" where the record does not say.
    """

    modalities: str = ""
    content: str = ""

    def may_be(self, other: Files) -> bool:
        """False where both read the same modalities of other files: of other modalities nothing tells."""
        known = self.content and other.content and self.modalities == other.modalities
        return not known or self.content == other.content


UNKNOWN = Files()


@dataclass(frozen=True)
class Answers:
    """Which clips a run has right: a bit a clip, packed as ``numpy.packbits`` does."""

    test: ClipList
    bits: np.ndarray  # uint8
    hardest: tuple[str, ...] = ()  # ids of the clips that are furthest from right, the furthest first
    files: Files = UNKNOWN

    @property
    def correct(self) -> np.ndarray:
        """bool [clips]"""
        return np.unpackbits(self.bits, count=len(self.test.clips)).astype(bool)


@dataclass(frozen=True)
class Outcomes:
    """Predictions of the seeds of one cell on the same clips, clips in order of their id."""

    clips: tuple[str, ...]
    subjects: tuple[str, ...]
    labels: np.ndarray  # int [clips]
    correct: np.ndarray  # bool [seeds, clips]
    files: Files = UNKNOWN

    @cached_property
    def fingerprint(self) -> tuple:
        """Equal for cells that were tested on clips of the same names with the same labels."""
        return (self.clips, self.labels.tobytes())

    def on_clips_of(self, other: Outcomes) -> bool:
        """Whether both were tested on the same clips."""
        return self.fingerprint == other.fingerprint and self.files.may_be(other.files)


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


def right_and_predicted(predictions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Correctness bool [clips] and predicted class int [clips], by the one rule for ties."""
    predicted = predicted_classes(np.stack(predictions["scores"].to_numpy()))
    return predicted == predictions["label"].to_numpy(dtype=np.int64), predicted


def hardest(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The clips that are furthest from right, the furthest first.

    Args:
        scores: [clips, classes]. labels: int [clips].

    Returns:
        Their numbers, ``HARDEST`` at most, none that is right; and the margins of all clips: the score of the true
        class less the highest other score.
    """
    index = np.arange(len(labels))
    others = scores.copy()
    others[index, labels] = -np.inf
    margins = scores[index, labels] - others.max(axis=1)
    first = np.argsort(margins, kind="stable")[:HARDEST]
    return first[predicted_classes(scores)[first] != labels[first]], margins


@dataclass(frozen=True)
class _Predictions:
    """A file of predictions. Its content alone counts where an answer is ``remembered``."""

    sha256: str
    path: Path = field(repr=False)


def answers_of(folder: Path, record: RunRecord, known: dict[str, ClipList]) -> Answers:
    """What a valid run has right, from its predictions: looked up where an earlier report has read the same.

    Args:
        known: test sets of other runs by ``labels_fingerprint``; a new one is added.

    Raises:
        FileNotFoundError, ValueError: no predictions, one line.
    """
    path = folder / PREDICTIONS
    named = record.identity.data.get("test_labels", "") if record.data is not None else ""  # held against the file
    if named not in known:
        clips, subjects, labels, _ = predictions_by_clip(path)
        named = named or labels_fingerprint(zip(clips, subjects, labels.tolist(), strict=True))
        known.setdefault(named, ClipList(tuple(clips), tuple(subjects), labels))
    test = known[named]
    bits, *furthest = _answered(_Predictions(record.predictions_sha256, path))
    return Answers(
        test, np.frombuffer(bytes.fromhex(bits), np.uint8), tuple(test.clips[i] for i in furthest), files_of(record)
    )


def files_of(record: RunRecord) -> Files:
    """What a run has read of its test clips."""
    modalities = look(record.identity.config, "test_dataloader.dataset.modalities")
    names = [modalities] if isinstance(modalities, str) else modalities
    joined = ",".join(sorted(map(str, names))) if isinstance(names, (list, tuple)) else ""
    return Files(joined, record.identity.data.get("test", ""))


@remembered(list)
def _answered(predictions: _Predictions) -> list[Any]:
    """``Answers.bits`` as hex, then the numbers of the hardest clips; clips in order of their id."""
    _, _, labels, scores = predictions_by_clip(predictions.path)
    right = predicted_classes(scores) == labels
    return [np.packbits(right).tobytes().hex(), *hardest(scores, labels)[0].tolist()]


def predictions_by_clip(path: Path) -> tuple[list[str], list[str], np.ndarray, np.ndarray]:
    """``read_predictions`` in order of the ids of clips; labels int64, scores float64."""
    clips, subjects, labels, scores = read_predictions(path)
    order = _once(clips, _order)
    labels, scores = np.asarray(labels, dtype=np.int64)[order], np.asarray(scores, dtype=np.float64)[order]
    return [clips[i] for i in order], [subjects[i] for i in order], labels, scores


_once = Once()  # runs that were tested on the same have the same clips


def _order(clips: Sequence[str]) -> list[int]:
    return sorted(range(len(clips)), key=clips.__getitem__)


def outcomes_of(answers: list[Answers]) -> Outcomes | str:
    """Answers of several seeds put together, or one line why they cannot be; at least one."""
    test = answers[0].test
    others = [a for a in answers[1:] if a.test is not test and a.test.fingerprint != test.fingerprint]
    if others or not all(a.files.may_be(answers[0].files) for a in answers):
        return "the seeds were tested on different clips: no common interval"
    return Outcomes(test.clips, test.subjects, test.labels, np.stack([a.correct for a in answers]), answers[0].files)
