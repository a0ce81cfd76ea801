"""What a run has right, clip by clip, from its predictions; and that of several seeds put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.ledger.judge import labels_fingerprint, read_predictions
from harness.ledger.record import RunRecord
from harness.ledger.run_dir import PREDICTIONS
from mtcd_plugin.accuracy import predicted_classes
from reports.ledger.config import look
from reports.ledger.shared import Once
from reports.stats.remembered import remembered

if TYPE_CHECKING:
    import pandas as pd

HARDEST = 10  # clips of a run that its page names


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
