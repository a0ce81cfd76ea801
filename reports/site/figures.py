"""The figures of single runs as files, for those who want them: a site with all of them would be large and slow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from harness.errors import count
from harness.ledger.ancestry import synthetic_data
from harness.ledger.files import writing_to
from harness.ledger.record import RunRecord
from harness.ledger.store import load_predictions, read_record
from harness.suite.run_names import runs_called
from reports.format import short_commit, slug
from reports.ledger.answers import right_and_predicted
from reports.ledger.strips import read_strips
from reports.ledger.work_dir import read_work_dir
from reports.plots import run_charts
from reports.plots.drawing import Drawing, to_files


def run_figures(work_dir: Path, names: Sequence[str], out: Path) -> list[Path]:
    """Write training curves, confusion matrix and strips of runs to ``out`` as PDF, PNG and SVG; returns the paths.

    Args:
        names: of runs (as their pages and folders are called), or of jobs or cells: all their runs.

    Raises:
        BadUsage: a name that is none of a valid run, job or cell.
        OSError: ``out`` cannot be written.
    """
    ledger = read_work_dir(work_dir)
    records = ledger.records
    cells = {key: (folder, record.cell) for key, (folder, record) in records.items()}
    keys = list(dict.fromkeys(k for name in names for k in runs_called(work_dir, name, cells, ledger.rejected)))
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for key in keys:
        folder = records[key][0]
        note = _note(key, {k: r for k, (_, r) in records.items()})
        for what, drawing in _drawings(folder, read_record(folder)):
            for kind, content in to_files(drawing, note).items():
                path = out / f"{folder.name}_{what}.{kind}"
                with writing_to(path):
                    path.write_bytes(content)
                written.append(path)
    return written


def _note(key: str, records: Mapping[str, RunRecord]) -> str:
    """How the numbers of a run were made."""
    record, names = records[key], synthetic_data(key, records)
    data, made = record.cell.dataset, f" (synthetic data: {', '.join(names)})" if names else ""
    if record.data is not None:  # the number of people tells the data set itself from other clips in its layout
        people = count(len({*record.data.train_subjects, *record.data.test_subjects}), "subject")
        data = record.data.name if made else f"{record.data.name} ({people})"
    return (
        f"{data}{made} · profile {record.cell.profile} · seed {record.cell.seed} · commit {short_commit(record.commit)}"
    )


def _drawings(folder: Path, record: RunRecord) -> Iterator[tuple[str, Drawing]]:
    if record.epochs:
        yield "training", run_charts.training(record.epochs, folder.name)
    if record.metrics is not None:
        predictions = load_predictions(folder)
        _, predicted = right_and_predicted(predictions)
        size = len(predictions["scores"].iloc[0])
        counts = np.zeros((size, size), dtype=np.int64)
        np.add.at(counts, (predictions["label"].to_numpy(dtype=np.int64), predicted), 1)
        known = record.data.classes if record.data is not None else []
        classes = [known[i] if i < len(known) else str(i) for i in range(size)]
        yield "confusion", run_charts.confusion(counts, classes, folder.name)
    strips, _ = read_strips(folder)
    for clip, (picture, rows) in strips.items():
        yield f"strip_{slug(clip)}", run_charts.strip(picture, rows, clip, folder.name)
