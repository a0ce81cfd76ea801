"""Run a finished job anew: the run that is there is kept aside, and compared with the new one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from harness import PACKAGED_CONFIGS
from harness.ledger.lock import RunLock
from harness.ledger.record import RunRecord
from harness.ledger.run_dir import LOCK, RECORD, SUBMITTED
from harness.plan.jobs import Job
from harness.plan.run_state import folder_of, look_up
from harness.plan.workspace import Workspace, synthetic_root

REPLACED = "replaced"  # in the work dir, beside runs/: no ledger reads it


@dataclass(frozen=True)
class Replaced:
    """A run that was set aside, and where it lies now."""

    record: RunRecord
    folder: Path


def set_aside(job: Job, work_dir: Path) -> Replaced | None:
    """Move a job's run out of the ledger, all its files; None where it has no valid record.

    Raises:
        ValueError: somebody is running it.
    """
    folder = folder_of(job, work_dir)
    record = look_up(job, work_dir).record
    if record is None:
        return None
    lock = RunLock(folder)
    if not lock.acquire():
        raise ValueError(f"{job.name} is being run by {lock.holder() or 'another harness'}; wait for it, or stop it")
    try:
        number = 1
        while any(
            map(os.path.lexists, _with_unfinished(place := Path(work_dir) / REPLACED / f"{folder.name}.{number}"))
        ):
            number += 1
        place.mkdir(parents=True)
        entries = [e for e in sorted(os.listdir(folder)) if e != LOCK]
        for name in sorted(entries, key=lambda n: n != RECORD):  # the record first: what is left is no run
            os.rename(folder / name, place / name)
    finally:
        lock.release()
    return Replaced(record, place)


def _with_unfinished(place: Path) -> tuple[Path, Path]:
    """A place of what was set aside, and of what the new run left where it was put back."""
    return place, place.with_name(f"{place.name}.unfinished")


def put_back(old: Replaced, job: Job, work_dir: Path) -> bool:
    """Move a run that was set aside back into the ledger, where no new one is done; True if it is there again.

    What the new one left takes its place beside the ledger. Nothing is moved while somebody runs the job, or a cluster
    has it.
    """
    folder = folder_of(job, work_dir)
    if look_up(job, work_dir).done or os.path.lexists(folder / SUBMITTED):
        return False
    lock = RunLock(folder)
    if not lock.acquire():
        return False
    try:
        _, unfinished = _with_unfinished(old.folder)
        unfinished.mkdir()
        for name in sorted(e for e in os.listdir(folder) if e != LOCK):
            os.rename(folder / name, unfinished / name)
        for name in sorted(os.listdir(old.folder), key=lambda n: n == RECORD):  # the record last: then it is a run
            os.rename(old.folder / name, folder / name)
        old.folder.rmdir()
    finally:
        lock.release()
    return True


def compared(old: Replaced, job: Job, work_dir: Path) -> str:
    """How the new run compares with the one that was set aside, in one line. Where none is done, the one from before is
    put back."""
    new = look_up(job, work_dir).record
    if new is None or new.status != "done":
        if old.record.status != "done":
            return f"no new run is done; the one before had failed, and is in {old.folder}"
        if put_back(old, job, work_dir):
            left = f"{REPLACED}/{_with_unfinished(old.folder)[1].name}"
            return f"no new run is done; the one from before stands again, what the new one left is in {left}"
        return f"the new run is not done yet; the one from before is in {old.folder}"
    if old.record.status != "done":
        return "done; the one before had failed"
    if new.metrics is None or old.record.metrics is None:
        same = new.checkpoint_sha256 == old.record.checkpoint_sha256 and new.measurements == old.record.measurements
        return "equal to the one before" if same else "not equal to the one before in its weights or measurements"
    if new.predictions_sha256 == old.record.predictions_sha256:
        return f"top-1 {100 * new.metrics.top1:.1f} %, predictions equal to the last digit to those before"
    before = 100 * old.record.metrics.top1
    return f"top-1 {100 * new.metrics.top1:.1f} %, {before:.1f} % before: predictions differ"


def redo_command(ws: Workspace, gpus_per_job: int = 1, precision: str = "auto", compiled: bool = False) -> str:
    """The command that redoes a job, whose name takes the place of ``{job}``; the user's own places are DIR and FILE.

    It works in a fresh clone, where the built-in synthetic data is made first, and where the job is done already.
    """
    s = ws.settings
    parts = ["python -m harness run", f"--profile {s.profile}", f"--seeds {ws.seeds}"]
    if ws.tables != ws.benchmark.usual:
        parts.append(f"--tables {','.join(ws.tables)}")
    if s.profile == "paper" or s.data_root != synthetic_root(s.profile):
        parts.append("--data-root DIR")
    if s.configs.resolve() != PACKAGED_CONFIGS:
        parts.append("--configs DIR")
    parts += [f"--quarantine {name}=FILE" for name in sorted(s.quarantine)]
    if s.init != ws.benchmark.init.get(s.profile, "scratch"):
        parts.append(f"--init {s.init}")
    if gpus_per_job > 1:
        parts.append(f"--gpus-per-job {gpus_per_job}")
    if precision != "auto":
        parts.append(f"--precision {precision}")
    if compiled:
        parts.append("--compile")
    parts.append("--cell '{job}' --force")
    return " ".join(parts)
