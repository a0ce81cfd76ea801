"""Whether and how a failed job is tried again in the same invocation."""

from __future__ import annotations

from dataclasses import dataclass

from harness.executors.base import Outcome
from harness.ledger.record import Failure
from harness.schedule.dispatch import largest_batch
from harness.schedule.task import Task

NODE_LOSSES = 5  # that a job may meet: they are not its own fault, unless it is what brings them about


@dataclass(frozen=True)
class Retry:
    """Another attempt.

    Attributes:
        why: one line. alone: no longer side by side with others. one_at_a_time: from now on one job runs at a time.
        divide: the micro-batch by this.
    """

    why: str
    alone: bool = False
    one_at_a_time: bool = False
    divide: int = 1


def retry_of(task: Task, failure: Failure, outcome: Outcome, retries: int, beside: int, alone: bool) -> Retry | None:
    """The next attempt at a job that failed, None where it is not tried again.

    Args:
        retries: how often a killed job is tried again. beside: how many jobs trained in the same process.
        alone: whether no other process ran.
    """
    said = f"{failure.kind}: {failure.message}"
    if beside:
        return Retry(f"alone, after {failure.kind} side by side", alone=True)
    if outcome.cause == failure.kind == "out_of_memory" and retries and not (alone or outcome.alone):
        return Retry(f"one job at a time from now on, after {failure.message}", one_at_a_time=True)
    if failure.kind == "out_of_memory" and retries and task.accumulate * 2 <= largest_batch(task.job):
        return Retry(said, divide=2)
    if failure.kind == "node_failure" and retries:
        return Retry(said) if task.tried <= max(retries, NODE_LOSSES) else None
    return Retry(said) if failure.kind == "killed" and task.tried <= retries else None
