"""What a run page shows beyond the record itself: charts, confusion, hardest clips, predictions."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.ledger.record import RunRecord
from reports.ledger.collect import Ledger, train_seconds
from reports.ledger.results import right_and_predicted
from reports.plots.line_chart import Chart, training_charts
from reports.stats import statistics as st
from reports.tables.export import csv_text


@dataclass(frozen=True)
class ClassRow:
    """One true class: its clips by predicted class. ``shade`` is the share of the row's clips, in percent."""

    name: str
    clips: int
    right: int
    counts: tuple[int, ...]
    shades: tuple[int, ...]


@dataclass(frozen=True)
class Pair:
    true: str
    predicted: str
    clips: int


@dataclass(frozen=True)
class HardClip:
    clip_id: str
    subject: str
    true: str
    predicted: str
    margin: float  # own score minus the best other score


@dataclass(frozen=True)
class Subject:
    name: str
    right: int
    clips: int


@dataclass(frozen=True)
class Predictions:
    """A run's predictions, summed up."""

    clips: int
    right: int
    top1: float
    interval: tuple[float, float]  # 95 %, as on every page
    classes: tuple[ClassRow, ...]
    pairs: tuple[Pair, ...]
    hardest: tuple[HardClip, ...]
    subjects: tuple[Subject, ...]
    csv: str


@dataclass(frozen=True)
class Parent:
    stage: str
    key: str
    page: str  # "" where the ledger has no such record
    name: str


@dataclass(frozen=True)
class RunView:
    """One run page."""

    record: RunRecord
    name: str  # of its folder
    page: str
    charts: list[Chart]
    predictions: Predictions | None
    parents: tuple[Parent, ...]
    children: tuple[Parent, ...]
    used_by: tuple[str, ...]  # tables and figures
    state: str  # "" for a run that a number stands on, else why it is none
    synthetic: tuple[str, ...] | None  # data sets that it or its stages saw
    provisional: bool  # nothing says how another training would have come out
    train_seconds: float | None  # its own and those of its stages
    config: str  # pretty JSON

    @property
    def csv(self) -> str:
        """The download of its predictions, in the site."""
        return self.page.removesuffix(".html") + ".csv"


def run_views(ledger: Ledger) -> list[RunView]:
    """Views of all runs that have a page, in the order of their pages."""
    used: dict[str, list[str]] = {}
    for run in ledger.runs:
        used.setdefault(run.cell.key, []).extend(ledger.used_by[run.cell.id])
    known = {key: record for key, (_, record) in ledger.records.items()}
    older = {run.record.key for r in ledger.results.values() if r.older for run in r.runs if run.record is not None}
    children: dict[str, list[Parent]] = {}
    for key, page in ledger.pages.items():
        directory, record = ledger.records[key]
        for stage, parent in record.identity.parents.items():
            children.setdefault(parent, []).append(Parent(stage, key, page, directory.name))
    views = []
    for key, page in sorted(ledger.pages.items(), key=lambda item: item[1]):
        directory, record = ledger.records[key]
        views.append(
            RunView(
                record=record,
                name=directory.name,
                page=page,
                charts=training_charts(record.epochs),
                predictions=_predictions(ledger, key, record),
                parents=tuple(
                    Parent(
                        stage,
                        parent,
                        ledger.pages.get(parent, ""),
                        ledger.records[parent][0].name if parent in ledger.records else parent[:12],
                    )
                    for stage, parent in record.identity.parents.items()
                ),
                children=tuple(sorted(children.get(key, []), key=lambda c: c.name)),
                used_by=tuple(dict.fromkeys(used.get(key, []))),
                state="" if key in ledger.shown and key not in older else "older",
                synthetic=ledger.synthetic[key],
                provisional=record.cell.dataset not in ledger.training,
                train_seconds=train_seconds(key, known),
                config=json.dumps(record.identity.config, indent=2, sort_keys=True, ensure_ascii=False),
            )
        )
    return views


def _predictions(ledger: Ledger, key: str, record: RunRecord) -> Predictions | None:
    if key not in ledger.predictions:
        return None
    classes = record.data.classes if record.data else []
    return summarise(ledger.predictions[key], classes, ledger.training.get(record.cell.dataset))


def summarise(
    table: pd.DataFrame, classes: list[str], training: st.Training | None = None, top: int = 10
) -> Predictions:
    """Confusion, recall, confused pairs and hardest clips.

    Args:
        table: ``clip_id``, ``subject``, ``label``, ``scores`` as in the ledger, clips in order.
        classes: names by label; numbers stand in where they are missing.
        training: how much accuracy varies between trainings on this data set, None where that is not known.
    """
    scores = np.stack(table["scores"].to_numpy()).astype(np.float64)
    labels = table["label"].to_numpy(dtype=np.int64)
    right, predicted = right_and_predicted(table)
    k = scores.shape[1]
    names = [classes[i] if i < len(classes) else str(i) for i in range(k)]
    confusion = np.zeros((k, k), dtype=np.int64)
    np.add.at(confusion, (labels, predicted), 1)

    rows = []
    for i in range(k):
        n = int(confusion[i].sum())
        shades = tuple(round(100 * c / n) if n else 0 for c in confusion[i].tolist())
        rows.append(ClassRow(names[i], n, int(confusion[i, i]), tuple(confusion[i].tolist()), shades))
    off = [(int(confusion[i, j]), i, j) for i in range(k) for j in range(k) if i != j and confusion[i, j]]
    off.sort(key=lambda t: (-t[0], t[1], t[2]))

    index = np.arange(len(labels))
    others = scores.copy()
    others[index, labels] = -np.inf
    margin = scores[index, labels] - others.max(axis=1)
    hardest = [int(i) for i in np.argsort(margin, kind="stable")[:top] if not right[i]]
    subjects = table["subject"].astype(str)
    by_subject = [
        Subject(s, int(right[mask].sum()), int(mask.sum()))
        for s in sorted(set(subjects), key=natural)
        for mask in [(subjects == s).to_numpy()]
    ]
    return Predictions(
        clips=len(labels),
        right=int(right.sum()),
        top1=float(right.mean()),
        interval=st.accuracy_interval(right[None, :], subjects.tolist(), training),
        classes=tuple(rows),
        pairs=tuple(Pair(names[i], names[j], n) for n, i, j in off[:top]),
        hardest=tuple(
            HardClip(table["clip_id"][i], subjects[i], names[labels[i]], names[predicted[i]], float(margin[i]))
            for i in hardest
        ),
        subjects=tuple(by_subject),
        csv=_csv(table, names, predicted, scores),
    )


def natural(text: str) -> list[tuple[int, int, str]]:
    """A sorting key that puts s2 before s10."""
    return [(0, int(x), "") if x.isdigit() else (1, 0, x) for x in re.split(r"(\d+)", text) if x]


def _csv(table: pd.DataFrame, names: list[str], predicted: np.ndarray, scores: np.ndarray) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["clip_id", "subject", "label", "label_name", "predicted", "predicted_name", "score"])
    labels = table["label"].tolist()
    for clip, subject, label, p, row in zip(
        table["clip_id"], table["subject"], labels, predicted.tolist(), scores, strict=True
    ):
        clip, subject, own, guess = map(csv_text, (clip, subject, names[label], names[p]))
        writer.writerow([clip, subject, label, own, p, guess, f"{row[p]:.6g}"])
    return out.getvalue()
