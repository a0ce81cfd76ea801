"""What the end of a job of the cluster means."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from harness.errors import BadUsage
from harness.executors.base import Outcome
from harness.executors.node_script import TIMED_OUT, fault_of
from harness.executors.slurm.client import Seen
from harness.worker.signals import EXIT_STOPPED

if TYPE_CHECKING:
    from harness.executors.slurm.executor import SlurmJob

FORGOTTEN = "Slurm no longer knows how it ended: it keeps no accounts, and forgets jobs (MinJobAge) before it was asked"
CHECKED_EVERY_S = 90.0  # the controller looks at time limits now and then


def end_of(job: SlurmJob, seen: Seen | None) -> Outcome:
    """How a job ended.

    Args:
        seen: what Slurm says of it; None where nobody knows it any more.

    Raises:
        BadUsage: the node lacks what every job needs.
    """
    if seen is None:
        return Outcome(None, "killed", FORGOTTEN)
    line = fault_of(seen.code, seen.node, job.run_dir, job.spec) if job.run_dir and job.spec else ""
    if line:
        raise BadUsage(f"--backend slurm: {line}")
    if job.asked:
        return Outcome(-signal.SIGKILL if job.killed else EXIT_STOPPED if _has_not_run(seen) else seen.code)
    if job.time_limit is not None and _passed(job.time_limit, seen):
        return Outcome(seen.code, "time_limit", "stopped at the time limit")
    if seen.state in ("TIMEOUT", "DEADLINE") or (seen.code == EXIT_STOPPED and _had_its_time(seen)):
        return _end_of_time(job, seen)
    where = f"node {seen.node}" if seen.node else "its node"
    match seen.state:
        case "PREEMPTED":
            return Outcome(EXIT_STOPPED)
        case "NODE_FAIL" | "BOOT_FAIL":
            return Outcome(None, "node_failure", f"{where} was lost")
        case "OUT_OF_MEMORY":
            said = f"killed on {where} at the memory that Slurm gave it; ask for more with --slurm mem=SIZE"
            return Outcome(seen.code, "out_of_memory", said, alone=True)
        case "CANCELLED" | "REVOKED":  # whether it stopped at its checkpoint or not: somebody wants it gone
            return Outcome(seen.code, "cancelled", f"cancelled on the cluster (job {seen.number}), not by the harness")
    return Outcome(seen.code)


def _passed(time_limit: float, seen: Seen) -> bool:
    """Whether timeout(1) asked a job to stop, or killed it some time later: it kills itself along with what it runs."""
    return seen.code == TIMED_OUT or (seen.code == -signal.SIGKILL and (seen.used or 0.0) >= time_limit)


def _has_not_run(seen: Seen) -> bool:
    return seen.state == "CANCELLED" and not seen.used


def _had_its_time(seen: Seen) -> bool:
    from harness.executors.slurm.options import warning

    return bool(seen.limit and seen.used and seen.used >= seen.limit - warning(seen.limit) - CHECKED_EVERY_S)


def _end_of_time(job: SlurmJob, seen: Seen) -> Outcome:
    """A job that the cluster stopped at its time limit goes on in another one, unless it would never get further."""
    if job.went_on:
        return Outcome(EXIT_STOPPED)
    return Outcome(
        seen.code,
        "time_limit",
        "the cluster's time limit came before a state was saved that it could go on from (one is after each epoch); "
        "ask for more with --slurm time=HH:MM:SS",
    )
