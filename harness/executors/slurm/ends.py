"""What the end of a job of the cluster means."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass

from harness.errors import BadUsage
from harness.executors.base import Outcome
from harness.executors.node_script import CANNOT_START, TIMED_OUT, began_line, fault_of
from harness.executors.shared_files import logged_since
from harness.executors.slurm.client import Seen
from harness.executors.slurm.job import SlurmJob
from harness.ledger.run_dir import RECORD
from harness.worker.signals import EXIT_STOPPED

FORGOTTEN = "Slurm no longer knows how it ended: it keeps no accounts, and forgets jobs (MinJobAge) before it was asked"
CHECKED_EVERY_S = 90.0  # the controller looks at time limits now and then
AT_ONCE_S = 5.0  # a job that is cancelled within that many seconds of its start was so by Slurm, not by a person
# What Slurm's daemons write into the log of a job that they cannot start: no program, no interpreter, a failed prolog.
DAEMON_LINE = re.compile(r"slurm(?:step)?d\S*: error: (?!\*\*\*)(.+)|(Error running slurm prolog.*)")
OWN_ERRORS = range(-64, -31)  # Slurm's error numbers, from 4000 on, where it writes the status of a process


def end_of(job: SlurmJob, seen: Seen | None) -> Outcome:
    """How a job ended.

    Args:
        seen: what Slurm says of it; None where nobody knows it any more.

    Raises:
        BadUsage: the node lacks what every job needs, or has not started it.
    """
    if seen is None:
        return Outcome(None, "killed", FORGOTTEN)
    start = _start_of(job)
    _check_node(job, seen, start)
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
        case "CANCELLED" if seen.node and not (start.began or seen.code) and (start.said or _at_once(seen)):
            said = start.said or "Slurm gave it up as it started"
            return Outcome(None, "node_failure", f"{where} could not start it ({said}); --slurm exclude= leaves it out")
        case "CANCELLED" | "REVOKED":  # whether it stopped at its checkpoint or not: somebody wants it gone
            return Outcome(seen.code, "cancelled", f"cancelled on the cluster (job {seen.number}), not by the harness")
    return Outcome(seen.code)


def _check_node(job: SlurmJob, seen: Seen, start: _Start) -> None:
    """Raise BadUsage where a node lacks what every job needs, or has not started the job."""
    if job.run_dir is None or job.spec is None:
        return
    told = not start.began and bool(start.said) and seen.code != CANNOT_START  # an exit code of the daemon's, not ours
    if not told and (line := fault_of(seen.code, seen.node, job.run_dir, job.spec, start.said)):
        raise BadUsage(f"--backend slurm: {line}")
    if not start.began and seen.state in ("COMPLETED", "FAILED") and (told or seen.code in OWN_ERRORS):
        raise _never_began(seen, start)


def check_began(job: SlurmJob, seen: Seen) -> None:
    """Raise BadUsage where a job that Slurm calls completed has left no record, and nothing of it has run."""
    start = _start_of(job)
    if job.run_dir is not None and not start.began and not (job.run_dir / RECORD).exists():
        raise _never_began(seen, start)


@dataclass(frozen=True)
class _Start:
    """What the log says of a job's start.

    Args:
        began: its script ran. said: the last line of Slurm's daemons where it did not, of the node where it did; "".
    """

    began: bool
    said: str


def _start_of(job: SlurmJob) -> _Start:
    """How a job has started, by its log; one of another harness, whose log is not looked at, has begun."""
    if job.run_dir is None or job.spec is None:
        return _Start(True, "")
    lines = logged_since(job.run_dir, job.log_before)
    if own := [i for i, line in enumerate(lines) if line.startswith(began_line(job.spec))]:
        return _Start(True, lines[-1] if len(lines) - 1 > own[-1] else "")
    found = [match[1] or match[2] for line in lines if (match := DAEMON_LINE.fullmatch(line))]
    return _Start(False, found[-1] if found else "")


def _never_began(seen: Seen, start: _Start) -> BadUsage:
    """The error for a job that Slurm calls over although nothing of it has run."""
    said = start.said or f"Slurm calls it {seen.state}, {seen.reason}"
    return BadUsage(
        f"--backend slurm: node {seen.node} did not start job {seen.number} ({said}); have the node mended, or "
        f"leave it out: --slurm exclude={seen.node}"
    )


def _at_once(seen: Seen) -> bool:
    return (seen.used or 0.0) < AT_ONCE_S


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
