"""Run jobs for a measurement: all of them, or an error."""

from __future__ import annotations

from collections.abc import Callable

from harness.executors.local import LocalExecutor
from harness.plan.jobs import Job
from harness.schedule.options import Options
from harness.schedule.scheduler import execute


def execute_all(
    jobs: dict[str, Job], executor: LocalExecutor, options: Options, report: Callable[[str, Job, str], None]
) -> None:
    """Execute jobs. Raises KeyboardInterrupt where it was asked to stop, ValueError where a job failed."""
    status = execute(jobs, executor, options, report)
    if status.stopped:
        raise KeyboardInterrupt
    if status.failed or status.blocked:
        raise ValueError(f"a job of the measurement failed: {next(iter({**status.failed, **status.blocked}.values()))}")
