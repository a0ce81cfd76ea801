"""What the end of a job's process means: its record, a stop on request, or a full disk."""

from __future__ import annotations

import errno
import signal
from pathlib import Path

from harness.executors.base import Outcome
from harness.ledger.logs import log_tail
from harness.ledger.percent import top1_text
from harness.ledger.record import Failure, FailureKind, RunRecord
from harness.ledger.run_dir import PROGRESS, RECORD
from harness.ledger.store import load_record, write_record
from harness.schedule.task import Task
from harness.system.disk import NEEDED_BYTES, DiskFull
from harness.system.environment import commit, environment, hardware
from harness.worker.signals import DISK_FULL_LINE, EXIT_DISK_FULL, EXIT_STOPPED


def record_outcome(task: Task, outcome: Outcome, command: str) -> RunRecord | None:
    """The record of a job whose process ended; writes one where the process could not.

    Args:
        task: its job, folder and attempts, and the lock that this harness holds on it.
        command: what redoes the job.

    Returns None for a job that stopped on request.

    Raises:
        OSError: one line, for a job that stopped at a full disk.
        LockLost: another harness has taken the job over; its record is not this one's to write.
    """
    job, folder = task.job, task.folder
    task.lock.check()
    if (folder / RECORD).is_file():
        return load_record(folder)
    if outcome.exit_code == EXIT_STOPPED and outcome.cause is None:
        return None
    if outcome.exit_code == EXIT_DISK_FULL:
        said = [line for line in log_tail(folder, 200) if line.startswith(DISK_FULL_LINE)]
        raise disk_full(folder, said[-1][len(DISK_FULL_LINE) :].strip() if said else "")
    record = RunRecord(
        key=job.key,
        status="failed",
        kind=job.kind,
        cell=job.cell,
        identity=job.identity,
        data=job.data,
        failure=_failure(outcome, folder),
        environment=environment(),
        hardware=hardware(),
        commit=commit(),
        command=command,
        attempts=task.attempts,
    )
    try:
        write_record(folder, record, task.lock.check)
    except OSError as e:
        if e.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(folder) from e
        raise
    return record


def failure_line(record: RunRecord, folder: Path, command: str) -> str:
    """Why a job failed, in a line; where its network could not be built, or crashed in its first step, with the command
    that tries it by itself.

    Args:
        command: what redoes the job.
    """
    failure = record.failure or Failure(kind="crash", message="failed, and its record does not say why")
    said = f"{failure.kind}: {failure.message}"
    at_planning = any("in check_code" in line for line in failure.log_tail)  # the code had changed since
    if failure.kind != "crash" or record.kind != "train" or at_planning or (folder / PROGRESS).exists():
        return said
    configs = " --configs DIR" if "--configs DIR" in command else ""
    return f"{said}; `python -m harness models check {record.cell.model}{configs}` says more"


def summary_of(record: RunRecord) -> str:
    """A job that is done, in a few words."""
    seconds = f"{record.cost.total_seconds or 0:.0f} s"
    return f"top-1 {top1_text(record)}, {seconds}" if record.metrics else seconds


def _failure(outcome: Outcome, folder: Path) -> Failure:
    """Why a process ended that left no record."""
    code, said = outcome.exit_code, log_tail(folder)
    kind: FailureKind = "killed"
    if outcome.cause is not None:
        kind, message = outcome.cause, outcome.message
    elif code is None:
        message = "killed with the process that had started it"
    elif code < 0:
        named = next((s.name for s in signal.Signals if s == -code), f"signal {-code}")
        message = f"killed by {named}"
    else:
        last = next((line.strip() for line in reversed(said) if line.strip()), "its log is empty")
        kind, message = "crash", f"ended with exit code {code} and no record: {last}"
    return Failure(kind=kind, message=message, log_tail=said)


def disk_full(folder: Path, need: str = "") -> DiskFull:
    """The error for a disk that is full. ``need``: how much is needed, as the job said it."""
    need = need or f"at least {NEEDED_BYTES >> 20} MiB are needed"
    return DiskFull(
        f"{folder}: the disk is full, {need}; every job was stopped, those with a checkpoint go on from it: free "
        "some space and run the same command again"
    )
