"""Run jobs for a measurement: all of them, or an error."""

from __future__ import annotations

from collections.abc import Callable

from harness.executors.local import LocalExecutor
from harness.plan.jobs import Job
from harness.schedule.scheduler import Options, execute


def execute_all(
    jobs: dict[str, Job], executor: LocalExecutor, options: Options, report: Callable[[str, Job, str], None]
) -> None:
    """Execute jobs. Raises KeyboardInterrupt where it was asked to stop, ValueError where a job failed."""
    state = execute(jobs, executor, options, report)
    if state.stopped:
        raise KeyboardInterrupt
    if state.failed or state.blocked:
        raise ValueError(f"a job of the measurement failed: {next(iter((state.failed | state.blocked).values()))}")
