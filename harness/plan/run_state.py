"""A job's folder in the ledger: where it lies, what an earlier attempt left in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.ledger.lock import Claim, RunLock
from harness.ledger.migrate import LeftAlone
from harness.ledger.record import RunRecord
from harness.ledger.run_dir import CHECKPOINT, PREDICTIONS, STORE
from harness.ledger.store import load_record, run_dir
from harness.ledger.verdicts import verdicts_of
from harness.plan.jobs import Job
from harness.worker.spec import JobSpec, read_spec


def folder_of(job: Job, work_dir: Path) -> Path:
    return run_dir(work_dir, job.name, job.key)


def output_of(job: Job, work_dir: Path) -> Path:
    """What a job leaves behind: its weights, the folder that a rendering wrote, the predictions where it only tests."""
    if job.kind == "train":
        return folder_of(job, work_dir) / CHECKPOINT
    return folder_of(job, work_dir) / (STORE if job.renders else PREDICTIONS)


@dataclass(frozen=True)
class Found:
    """What lies in a job's folder: its valid record, or why there is none although there is a file (one line)."""

    record: RunRecord | None = None
    problem: str = ""

    @property
    def done(self) -> bool:
        return self.record is not None and self.record.status == "done"


def look_up(job: Job, work_dir: Path) -> Found:
    """The valid record of a job; changes nothing.

    Raises:
        LeftAlone: a newer harness wrote it, or it cannot be read now; its run is neither redone nor touched.
    """
    try:
        return Found(load_record(folder_of(job, work_dir), verdicts_of(Path(work_dir))))
    except FileNotFoundError:
        return Found()
    except LeftAlone:
        raise
    except ValueError as e:
        return Found(problem=str(e))


def last_attempt(job: Job, work_dir: Path) -> JobSpec | None:
    """What the last attempt at a job was told, None where there was none; it may have been killed without a record."""
    try:
        return read_spec(folder_of(job, work_dir))
    except (OSError, ValueError):  # none, or damaged: nothing is known of it
        return None


def holder_of(job: Job, work_dir: Path) -> Claim | None:
    """Who runs a job; None where nobody does, or this user may not see who: what its record says is another matter."""
    try:
        return RunLock(folder_of(job, work_dir)).holder()
    except PermissionError:
        return None


def job_state(job: Job, work_dir: Path) -> str:
    """``done``, ``running``, ``failed`` or ``missing``, read from the ledger without changing it."""
    try:
        record = look_up(job, work_dir).record
    except LeftAlone:
        record = None
    if record is not None and record.status == "done":
        return "done"
    if holder_of(job, work_dir) is not None:
        return "running"
    return "missing" if record is None else "failed"
