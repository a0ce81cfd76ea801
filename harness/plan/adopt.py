"""Adopt: declare an old run equivalent to what the plan now asks for, with a reason that the pages show."""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.errors import BadUsage
from harness.ledger.lock import RunLock
from harness.ledger.record import RunRecord
from harness.ledger.run_dir import LOCK, PASSING, RECORD
from harness.ledger.store import load_records, write_record
from harness.plan.jobs import Job
from harness.plan.run_state import folder_of, look_up


def adopt(job: Job, other: RunRecord, work_dir: Path, reason: str) -> Path:
    """Copy a run under the key that the plan asks for; the record says from where and why.

    Raises:
        ValueError: no reason, nothing to adopt, another cell's run, or the job is done already.
    """
    if not reason.strip():
        raise BadUsage("adopt needs --reason: why the old run stands for the new one; the pages show it")
    if (other.cell.model, other.cell.variant, other.cell.seed) != (
        job.cell.model,
        job.cell.variant,
        job.cell.seed,
    ):
        raise ValueError(f"run {other.key[:12]} is of {other.cell.model} seed {other.cell.seed}, not of {job.name}")
    records, _ = load_records(work_dir)
    if other.key not in records:
        raise ValueError(f"run {other.key[:12]} is not valid; `verify` says why")
    source, _ = records[other.key]
    folder = folder_of(job, work_dir)
    lock = RunLock(folder)
    if not lock.acquire():
        raise ValueError(f"{job.name} is being run by {lock.holder() or 'another harness'}; there is nothing to adopt")
    try:
        if look_up(job, work_dir).record is not None:
            raise ValueError(f"{job.name} has a run of its own; there is nothing to adopt")
        for left in folder.iterdir():
            if left.name != LOCK:
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
        ignored = shutil.ignore_patterns(RECORD, LOCK, *PASSING)
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=ignored)
        adopted = {
            "key": job.key,
            "identity": job.identity,
            "cell": job.cell,
            "adopted": reason.strip(),
            "adopted_from": other.key,
        }
        write_record(folder, other.model_copy(update=adopted), lock.check)
    finally:
        lock.release()
    return folder
