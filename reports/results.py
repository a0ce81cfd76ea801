"""What the ledger says about each planned cell: its runs over seeds on the same clips, or why there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from harness.ledger.planfile import PlanFile, PlannedCell, read_plan
from harness.ledger.record import RunRecord
from harness.ledger.store import Rejected, load_predictions, load_records
from mtcd_plugin.accuracy import predicted_classes
from reports import statistics as st

STATUS = {
    "done": "done",
    "failed": "failed",
    "missing": "not run",
    "blocked": "not run",  # something that it stands on failed
    "unplanned": "could not be planned",
    "rejected": "record rejected",
}


@dataclass(frozen=True)
class Run:
    """One planned run of a cell, and what became of it. ``status`` is a key of ``STATUS``."""

    cell: PlannedCell
    status: str
    reason: str = ""  # one line, for everything that is not done
    record: RunRecord | None = None
    page: str = ""  # "runs/<slug>.html" where there is a record


@dataclass(frozen=True)
class Outcomes:
    """Predictions of the seeds of one cell on the same clips, clips in order of their id."""

    clips: tuple[str, ...]
    subjects: tuple[str, ...]
    labels: np.ndarray  # int [clips]
    correct: np.ndarray  # bool [seeds, clips]

    @cached_property
    def fingerprint(self) -> tuple:
        """Equal for cells that were tested on the same clips with the same labels."""
        return (self.clips, self.labels.tobytes())


@dataclass(frozen=True)
class Result:
    """One cell of a table over its seeds."""

    id: str
    runs: tuple[Run, ...]
    outcomes: Outcomes | None = None  # of the runs that are done and predict classes
    note: str = ""  # why done runs could not be put together

    @property
    def done(self) -> list[RunRecord]:
        return [r.record for r in self.runs if r.record is not None and r.record.metrics is not None]

    @property
    def synthetic(self) -> bool:
        return any(r.data is not None and r.data.synthetic for r in self.done)

    @cached_property
    def top1(self) -> tuple[float, float | None]:
        return st.mean_std([r.metrics.top1 for r in self.done])

    @cached_property
    def interval(self) -> tuple[float, float] | None:
        """95 % cluster bootstrap interval of the accuracy."""
        if self.outcomes is None:
            return None
        return st.interval(st.cluster_bootstrap([self.outcomes.correct], self.outcomes.subjects)[:, 0])

    @cached_property
    def chance(self) -> tuple[float, float] | None:
        """Chance level, and the largest p over the seeds of being at chance."""
        data = next((r.data for r in self.done if r.data is not None), None)
        if self.outcomes is None or data is None or not data.classes:
            return None
        right, n = self.outcomes.correct.sum(axis=1), self.outcomes.correct.shape[1]
        return 1 / len(data.classes), max(st.binomial_p(int(k), n, len(data.classes)) for k in right)


@dataclass(frozen=True)
class Ledger:
    """The plan of a work dir with the records that answer it."""

    work_dir: Path
    plan: PlanFile
    results: dict[str, Result]  # cell id -> result
    records: dict[str, tuple[Path, RunRecord]]
    pages: dict[str, str]  # key of a run that has a page -> its page
    predictions: dict[
        str, pd.DataFrame
    ]  # key of a run that has a page and predicts -> clips in order of their id
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def runs(self) -> list[Run]:
        return [run for result in self.results.values() for run in result.runs]

    @property
    def unused(self) -> int:
        """Records that no cell of the plan uses, nor any of their parents."""
        return len(self.records) - len(self.pages)


def same_clips(results: list[Result]) -> list[Result]:
    """The largest set of results that were tested on the same clips; of equally large ones the first."""
    sets: dict[tuple, list[Result]] = {}
    for r in results:
        if r.outcomes is not None:
            sets.setdefault(r.outcomes.fingerprint, []).append(r)
    return max(sets.values(), key=len, default=[])


def slug(directory: Path) -> str:
    """The name of a run's page: that of its folder, with nothing that a URL would have to quote."""
    return re.sub(r"[^A-Za-z0-9._=-]", "_", Path(directory).name)


def right_and_predicted(predictions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Correctness bool [clips] and predicted class int [clips], by the rule that counts everywhere."""
    predicted = predicted_classes(np.stack(predictions["scores"].to_numpy()))
    return predicted == predictions["label"].to_numpy(dtype=np.int64), predicted


def read_ledger(work_dir: Path) -> Ledger:
    """Read plan and records.

    Raises:
        FileNotFoundError, ValueError: there is no plan, or it cannot be read. A bad record is no error; it
        is listed.
    """
    plan = read_plan(Path(work_dir) / "plan.json")
    records, rejected = load_records(work_dir)
    refused = {r.path.name[-12:]: r.reason for r in rejected}
    used = _with_parents([c.key for c in plan.cells], records)
    pages = {key: f"runs/{slug(records[key][0])}.html" for key in sorted(used)}

    predictions = {
        key: load_predictions(records[key][0]).sort_values("clip_id", ignore_index=True)
        for key in pages
        if records[key][1].metrics is not None
    }

    by_id: dict[str, list[Run]] = {}
    for cell in plan.cells:
        by_id.setdefault(cell.id, []).append(_run(cell, records, refused, pages))
    results = {
        i: _result(i, sorted(runs, key=lambda r: r.cell.seed), predictions) for i, runs in by_id.items()
    }
    return Ledger(Path(work_dir), plan, results, records, pages, predictions, rejected)


def _with_parents(keys: list[str], records: dict) -> set[str]:
    found: set[str] = set()
    todo = [k for k in keys if k in records]
    while todo:
        key = todo.pop()
        if key not in found:
            found.add(key)
            todo += [k for k in records[key][1].identity.parents.values() if k in records]
    return found


def _run(cell: PlannedCell, records: dict, refused: dict[str, str], pages: dict[str, str]) -> Run:
    if cell.key in records:
        record = records[cell.key][1]
        if record.status == "done":
            return Run(cell, "done", record=record, page=pages[cell.key])
        return Run(cell, "failed", failure_line(record), record, pages[cell.key])
    if cell.key[:12] in refused:
        return Run(cell, "rejected", refused[cell.key[:12]])
    if cell.error:
        return Run(cell, "blocked" if cell.key else "unplanned", cell.error)
    return Run(cell, "missing", "no run in the ledger yet")


def failure_line(record: RunRecord) -> str:
    """Why a run failed, in one line."""
    f = record.failure
    return f"{f.kind.replace('_', ' ')}: {f.message}" if f else "no reason was recorded"


def _result(cell_id: str, runs: list[Run], predictions: dict[str, pd.DataFrame]) -> Result:
    tables = [predictions[r.cell.key] for r in runs if r.status == "done" and r.cell.key in predictions]
    if not tables:
        return Result(cell_id, tuple(runs))
    first = tables[0]
    for other in tables[1:]:
        if not first[["clip_id", "label"]].equals(other[["clip_id", "label"]]):
            return Result(
                cell_id, tuple(runs), note="the seeds were tested on different clips: no common interval"
            )
    return Result(
        cell_id,
        tuple(runs),
        Outcomes(
            clips=tuple(first["clip_id"]),
            subjects=tuple(first["subject"].astype(str)),
            labels=first["label"].to_numpy(dtype=np.int64),
            correct=np.stack([right_and_predicted(t)[0] for t in tables]),
        ),
    )
