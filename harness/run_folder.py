"""A job's folder in the ledger: where it lies, what an earlier attempt left in it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pydantic import ValidationError

from harness import claims
from harness.job_spec import SPEC, JobSpec, read_spec
from harness.ledger.judge import verdicts_of
from harness.ledger.migrate import NewerSchema
from harness.ledger.record import RunRecord
from harness.ledger.store import PREDICTIONS, RECORD, load_record, run_dir
from harness.plan.jobs import Job

HALF_WRITTEN = (RECORD, PREDICTIONS, SPEC, "progress.json")
PASSING = ("mm", "points", "checkpoint.tmp")  # what a job needs until its record is written


def folder_of(job: Job, work_dir: Path) -> Path:
    return run_dir(work_dir, job.name, job.key)


def output_of(job: Job, work_dir: Path) -> Path:
    """What a job leaves behind: its weights, the folder that a rendering wrote, the predictions where it only tests."""
    if job.kind == "train":
        return folder_of(job, work_dir) / "checkpoint.pth"
    evaluators = job.config.get("test_evaluator") or []
    evaluators = evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]
    renders = any("output_dir" in e for e in evaluators)
    return folder_of(job, work_dir) / ("store" if renders else PREDICTIONS)


def existing_record(job: Job, work_dir: Path) -> RunRecord | None:
    """The valid record of a job, None where there is none. One that is not is moved aside, never trusted, never deleted.

    Raises:
        NewerSchema: a newer harness wrote it; its run is neither redone nor touched.
    """
    folder = folder_of(job, work_dir)
    try:
        return load_record(folder, verdicts_of(Path(work_dir)))
    except FileNotFoundError:
        return None
    except NewerSchema:
        raise
    except ValueError as e:
        aside = folder / f"{RECORD}.rejected"
        if aside.is_dir() and not aside.is_symlink():
            shutil.rmtree(aside)
        os.replace(folder / RECORD, aside)
        (folder / f"{RECORD}.rejected.reason").write_text(f"{e}\n", encoding="utf-8")
        return None


def last_attempt(job: Job, work_dir: Path) -> JobSpec | None:
    """What the last attempt at a job was told, None where there was none; it may have been killed without a record."""
    try:
        return read_spec(folder_of(job, work_dir))
    except (FileNotFoundError, ValidationError):
        return None


def tidy(folder: Path) -> None:
    """Remove what killed processes left in the folder of a run that is over, unless one is still at work there."""
    left = [p for p in folder.iterdir() if p.name in PASSING or p.name.startswith(".") or p.name == claims.CLAIM]
    if not left or ((folder / claims.CLAIM).exists() and not claims.is_void(folder)):
        return
    for path in left:
        if path.name.startswith(f".{claims.CLAIM}.") and not claims.is_abandoned(path):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what a killed attempt left half-written in a folder: stores, and files that were about to be renamed.

    The caller holds the folder's claim, but others may be asking for it: their files stay.
    """
    for left in folder.glob(".*.unfinished"):
        shutil.rmtree(left)
    for name in HALF_WRITTEN:
        for left in folder.glob(f".{name}.*"):
            left.unlink(missing_ok=True)
    for left in folder.glob(f".{claims.CLAIM}.*"):
        if claims.is_abandoned(left):
            left.unlink(missing_ok=True)
