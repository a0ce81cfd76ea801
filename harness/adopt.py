"""Adopt: declare an old run equivalent to what the plan now asks for, with a reason that the pages show."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from harness import claims
from harness.ledger.record import RunRecord
from harness.ledger.store import RECORD, load_records, write_record
from harness.plan.jobs import Job
from harness.run_folder import existing_record, folder_of
from harness.usage import BadUsage


def adopt(job: Job, other: RunRecord, work_dir: Path, reason: str) -> Path:
    """Copy a run under the key that the plan asks for; the record says from where and why.

    Raises:
        ValueError: no reason, nothing to adopt, another cell's run, or the job is done already.
    """
    if not reason.strip():
        raise BadUsage("adopt needs --reason: why the old run stands for the new one; the pages show it")
    if existing_record(job, work_dir) is not None:
        raise ValueError(f"{job.name} has a run of its own; there is nothing to adopt")
    if (other.cell.model, other.cell.variant, other.cell.seed) != (
        job.cell.model,
        job.cell.variant,
        job.cell.seed,
    ):
        raise ValueError(
            f"run {other.key[:12]} is of {other.cell.model} seed {other.cell.seed}, not of {job.name}"
        )
    records, _ = load_records(work_dir)
    if other.key not in records:
        raise ValueError(f"run {other.key[:12]} is not valid; `verify` says why")
    source, _ = records[other.key]
    folder = folder_of(job, work_dir)
    staged = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".adopt."))
    try:
        shutil.copytree(
            source, staged, dirs_exist_ok=True, ignore=shutil.ignore_patterns(RECORD, claims.CLAIM, "mm")
        )
        write_record(
            staged,
            other.model_copy(
                update={
                    "key": job.key,
                    "identity": job.identity,
                    "cell": job.cell,
                    "adopted": reason.strip(),
                    "adopted_from": other.key,
                }
            ),
        )
        if folder.exists():
            shutil.rmtree(folder)
        os.rename(staged, folder)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return folder
