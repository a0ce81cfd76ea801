"""A run's predictions summed up: confusion, hardest clips, accuracy by subject."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from harness.ledger.run_dir import PREDICTIONS
from mtcd_plugin.accuracy import predicted_classes
from reports.format import natural
from reports.ledger.answers import hardest, predictions_by_clip
from reports.tables.export import csv_text

PAIRS = 10  # of classes that are named as most confused


class ClassRow(NamedTuple):
    """One true class, by its number. ``cells``: predicted class -> clips, and their share of the row in percent; of
    those that any clip was taken for."""

    name: str
    number: int
    clips: int
    right: int
    cells: Mapping[int, tuple[int, int]]


class Pair(NamedTuple):
    true: str
    predicted: str
    clips: int


class HardClip(NamedTuple):
    clip_id: str
    subject: str
    true: str
    predicted: str
    margin: float  # own score minus the best other score


class Subject(NamedTuple):
    name: str
    right: int
    clips: int


@dataclass(frozen=True)
class Predictions:
    """A run's predictions, summed up."""

    clips: int
    right: int
    top1: float
    classes: tuple[ClassRow, ...]
    pairs: tuple[Pair, ...]
    hardest: tuple[HardClip, ...]
    subjects: tuple[Subject, ...]
    csv: str  # "" where no page leads to it


@dataclass(frozen=True)
class PredictedClips:
    """Predictions of a run, clips in order of their id."""

    clips: list[str]
    subjects: list[str]
    labels: np.ndarray  # int [clips]
    scores: np.ndarray  # float64 [clips, classes]


def tested(folder: Path) -> PredictedClips:
    """The predictions in a run's folder. Raises FileNotFoundError or ValueError, one line."""
    return PredictedClips(*predictions_by_clip(folder / PREDICTIONS))


def summarise(
    table: PredictedClips,
    classes: list[str],
    listed: bool = True,
) -> Predictions:
    """Confusion, recall, confused pairs and hardest clips.

    Args:
        classes: names by label; numbers stand in where they are missing.
        listed: with all clips as CSV.
    """
    scores, labels = table.scores, table.labels
    predicted = predicted_classes(scores)
    right = predicted == labels
    k = scores.shape[1]
    names = [classes[i] if i < len(classes) else str(i) for i in range(k)]
    confusion = np.zeros((k, k), dtype=np.int64)
    np.add.at(confusion, (labels, predicted), 1)

    of_class = confusion.sum(axis=1)
    true, taken_for = np.nonzero(confusion)
    clips = confusion[true, taken_for]
    shares = np.rint(100 * clips / of_class[true]).astype(int)
    found = list(zip(true.tolist(), taken_for.tolist(), clips.tolist(), shares.tolist(), strict=True))
    cells: list[dict[int, tuple[int, int]]] = [{} for _ in names]
    for i, j, n, share in found:
        cells[i][j] = n, share
    rows = [ClassRow(names[i], i, n, cells[i].get(i, (0, 0))[0], cells[i]) for i, n in enumerate(of_class.tolist())]
    off = sorted(((n, i, j) for i, j, n, _ in found if i != j), key=lambda t: (-t[0], t[1], t[2]))

    furthest, margins = hardest(scores, labels)
    subjects = np.array(table.subjects)
    by_subject = [
        Subject(s, int(right[mask].sum()), int(mask.sum()))
        for s in sorted(set(table.subjects), key=natural)
        for mask in [subjects == s]
    ]
    return Predictions(
        clips=len(labels),
        right=int(right.sum()),
        top1=float(right.mean()),
        classes=tuple(rows),
        pairs=tuple(Pair(names[i], names[j], n) for n, i, j in off[:PAIRS]),
        hardest=tuple(
            HardClip(table.clips[i], table.subjects[i], names[labels[i]], names[predicted[i]], float(margins[i]))
            for i in furthest.tolist()
        ),
        subjects=tuple(by_subject),
        csv=_csv(table, names, predicted, scores) if listed else "",
    )


def _csv(table: PredictedClips, names: list[str], predicted: np.ndarray, scores: np.ndarray) -> str:
    """One row per clip: its class, the predicted one, and those with the next four highest scores. Of equal scores the
    lowest class index comes first, as in ``mtcd_plugin.accuracy``."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    best = np.argsort(-scores, axis=1, kind="stable")[:, 1:5]
    further = [f"{what}_{i}" for i in range(2, best.shape[1] + 2) for what in ("predicted", "score")]
    writer.writerow(["clip_id", "subject", "label", "label_name", "predicted", "predicted_name", "score", *further])
    for clip, subject, label, p, others, row in zip(
        table.clips, table.subjects, table.labels.tolist(), predicted.tolist(), best.tolist(), scores, strict=True
    ):
        clip, subject, own, guess = map(csv_text, (clip, subject, names[label], names[p]))
        more = [x for c in others for x in (c, f"{row[c]:.6g}")]
        writer.writerow([clip, subject, label, own, p, guess, f"{row[p]:.6g}", *more])
    return out.getvalue()
