"""Taking a job for this harness, where several share a work dir."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.executors.checked import CheckedExecutor
from harness.ledger.submission import Submission, recall
from harness.plan.jobs import Job
from harness.plan.run_state import look_up
from harness.schedule.repair import repair
from harness.schedule.task import JobState, Task
from harness.system.process import is_alive

Report = Callable[[str, Job, str], None]  # event, job, detail


def claim(task: Task, executor: CheckedExecutor, work_dir: Path, report: Report) -> bool:
    """Take a job for this harness; False where another one runs it or has just finished it.

    Raises:
        OSError: its folder cannot be locked. LeftAlone: its record is of a later version, or cannot be read now.
        ExecutorFault: the executor cannot say whether it runs the job.
    """
    left = recall(task.folder)  # by a harness that is gone, perhaps before the job has joined its lock
    known = left is not None and left.backend == executor.name and executor.is_known(left.id)
    if holder := _holder(task, left if known else None):
        ours = left is not None and known and not _is_of_a_living_harness(task)
        if task.wait_for(holder, left.id if left and ours else ""):
            report("elsewhere", task.job, f"being run by {holder}")
        return False
    found = look_up(task.job, work_dir)
    if found.done:
        task.found_done()
        return False
    for line in repair(task.folder, found):
        report("repair", task.job, line)
    return True


def what_it_waits_for(tasks: Sequence[Task]) -> tuple[Job, str] | None:
    """The job that a harness waits for which runs nothing itself, and a line on that; None where no other runs any."""
    others = [t for t in tasks if t.state is JobState.ELSEWHERE]
    if not others:
        return None
    first, left = others[0], sum(t.state is JobState.WAITING for t in tasks)
    more = f" ({len(others) - 1} more run elsewhere)" if len(others) > 1 else ""
    takes = " and takes a slot here, too" if first.submitted else ""
    to_come = f", {left} to come" if left else ""
    return first.job, f"{first.message} runs it{takes}{more}; nothing starts here before it ends{to_come}"


def _is_of_a_living_harness(task: Task) -> bool:
    """Whether another harness runs a job, in a slot of its own; what one that is gone has left takes a slot of ours, as
    does, until it was seen to live, that of one on another machine.
    """
    claim = task.lock.holder()
    if claim is None:
        return False
    if not claim.made_here():
        return task.watch.sees_it()
    pid, started = claim.processes[0]  # who made the claim; workers join it
    return pid != os.getpid() and is_alive(pid, started)


def _holder(task: Task, submitted: Submission | None) -> str:
    """Who else runs a job, or what of an earlier harness's still does; "" where this harness has acquired it."""
    if submitted:
        return str(task.lock.holder() or submitted)
    return "" if task.lock.acquire() else str(task.lock.holder() or "another harness")
