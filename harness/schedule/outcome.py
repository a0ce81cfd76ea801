"""What the end of a job's process means: its record, a stop on request, or a full disk."""

from __future__ import annotations

import errno
import signal
from pathlib import Path

from harness.executors import Outcome
from harness.ledger.lock import RunLock
from harness.ledger.logs import log_tail
from harness.ledger.record import Failure, RunRecord
from harness.ledger.run_dir import RECORD
from harness.ledger.store import load_record, write_record
from harness.plan.jobs import Job
from harness.system.disk import NEEDED_BYTES, DiskFull
from harness.system.environment import commit, environment, hardware
from harness.worker.signals import DISK_FULL_LINE, EXIT_DISK_FULL, EXIT_STOPPED

EXIT_UNKNOWN = 255  # what multiprocessing says of a job whose fork server is gone
KILLED_FOR_MEMORY = "killed by the system, which had run out of memory"


def record_outcome(
    job: Job, outcome: Outcome, attempts: int, command: str, lock: RunLock, starved: bool = False
) -> RunRecord | None:
    """The record of a job whose process ended; writes one where the process could not.

    Args:
        starved: the system killed a process for want of memory while the job ran.

    Returns None for a job that stopped on request.

    Raises:
        OSError: one line, for a job that stopped at a full disk.
        LockLost: another harness has taken the job over; its record is not this one's to write.
    """
    folder = outcome.directory
    lock.check()
    if (folder / RECORD).is_file():
        return load_record(folder)
    if outcome.exitcode == EXIT_STOPPED and not outcome.timed_out:
        return None
    if outcome.exitcode == EXIT_DISK_FULL:
        said = [line for line in log_tail(folder, 200) if line.startswith(DISK_FULL_LINE)]
        raise disk_full(folder, said[-1][len(DISK_FULL_LINE) :].strip() if said else "")
    if outcome.timed_out:
        failure = Failure(kind="time_limit", message="stopped at the time limit", log_tail=log_tail(folder))
    elif starved and outcome.exitcode in (-signal.SIGKILL, EXIT_UNKNOWN):
        failure = Failure(
            kind="out_of_memory",
            message=f"{KILLED_FOR_MEMORY}; fewer jobs at a time need less: run with a lower --jobs",
            log_tail=log_tail(folder),
        )
    elif outcome.exitcode < 0:
        name = signal.Signals(-outcome.exitcode).name
        failure = Failure(kind="killed", message=f"killed by {name}", log_tail=log_tail(folder))
    elif outcome.exitcode == EXIT_UNKNOWN:
        failure = Failure(kind="killed", message="killed with the fork server", log_tail=log_tail(folder))
    else:
        failure = Failure(
            kind="crash",
            message=f"ended with exit code {outcome.exitcode} and no record",
            log_tail=log_tail(folder),
        )
    record = RunRecord(
        key=job.key,
        status="failed",
        kind=job.kind,
        cell=job.cell,
        identity=job.identity,
        data=job.data,
        failure=failure,
        environment=environment(),
        hardware=hardware(),
        commit=commit(),
        command=command,
        attempts=attempts,
    )
    try:
        write_record(folder, record, lock.check)
    except OSError as e:
        if e.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(folder) from e
        raise
    return record


def disk_full(folder: Path, need: str = "") -> DiskFull:
    """The error for a disk that is full. ``need``: how much is needed, as the job said it."""
    need = need or f"at least {NEEDED_BYTES >> 20} MiB are needed"
    return DiskFull(
        f"{folder}: the disk is full, {need}; every job was stopped at its last checkpoint: free some space and "
        "run the same command again"
    )
