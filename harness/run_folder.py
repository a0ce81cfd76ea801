"""A job's folder in the ledger: where it lies, what an earlier attempt left in it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from harness.job_spec import SPEC, JobSpec, read_spec
from harness.ledger.files import write_text_atomically
from harness.ledger.judge import CHECKPOINT, PREDICTIONS, RECORD, RENDERED, verdicts_of
from harness.ledger.lock import RunLock
from harness.ledger.migrate import NewerSchema
from harness.ledger.record import RunRecord
from harness.ledger.store import PASSING, load_record, run_dir
from harness.plan.jobs import Job

HALF_WRITTEN = (RECORD, PREDICTIONS, CHECKPOINT, SPEC, "progress.json")


def folder_of(job: Job, work_dir: Path) -> Path:
    return run_dir(work_dir, job.name, job.key)


def output_of(job: Job, work_dir: Path) -> Path:
    """What a job leaves behind: its weights, the folder that a rendering wrote, the predictions where it only tests."""
    if job.kind == "train":
        return folder_of(job, work_dir) / CHECKPOINT
    evaluators = job.config.get("test_evaluator") or []
    evaluators = evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]
    renders = any("output_dir" in e for e in evaluators)
    return folder_of(job, work_dir) / ("store" if renders else PREDICTIONS)


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
        NewerSchema: a newer harness wrote it; its run is neither redone nor touched.
    """
    try:
        return Found(load_record(folder_of(job, work_dir), verdicts_of(Path(work_dir))))
    except FileNotFoundError:
        return Found()
    except NewerSchema:
        raise
    except ValueError as e:
        return Found(problem=str(e))


def set_aside(folder: Path, reason: str, name: str = RECORD) -> None:
    """Move what cannot be used aside, with the reason: never trusted, never deleted. The caller holds the lock."""
    number = 0
    while os.path.lexists(aside := folder / f"{name}.rejected{f'-{number}' if number else ''}"):
        number += 1
    os.replace(folder / name, aside)
    write_text_atomically(aside.with_name(f"{aside.name}.reason"), f"{reason}\n")


def last_attempt(job: Job, work_dir: Path) -> JobSpec | None:
    """What the last attempt at a job was told, None where there was none; it may have been killed without a record."""
    try:
        return read_spec(folder_of(job, work_dir))
    except (OSError, ValueError):  # none, or damaged: nothing is known of it
        return None


def tidy(folder: Path) -> None:
    """Remove what killed processes left in the folder of a run that is over, unless one is still at work there."""
    lock = RunLock(folder)
    left = [p for p in folder.iterdir() if p.name in PASSING or p.name.startswith(".")]
    if not (left or lock.is_stale()) or not lock.acquire():
        return
    for path in left:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    lock.release()


def remove_unfinished(folder: Path) -> None:
    """Remove what an attempt left in a folder that has no record: stores, strips, files that were about to be renamed.

    The caller holds the lock.
    """
    for left in folder.glob(".*.unfinished"):
        shutil.rmtree(left)
    for name in RENDERED:  # a rendering does not go on from where it was stopped
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in HALF_WRITTEN:
        for left in folder.glob(f".{name}.*"):
            left.unlink(missing_ok=True)
