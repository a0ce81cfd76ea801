"""``run``: run what the plan lacks."""

from __future__ import annotations

import click

from harness.cli import common
from harness.cli.group import Command
from harness.cli.options import (
    ChoiceOptions,
    ExecutionOptions,
    SuiteOptions,
    choice_options,
    execution_options,
    suite_options,
)


@click.command("run", cls=Command)
@suite_options
@execution_options
@choice_options
def command(suite: SuiteOptions, execution: ExecutionOptions, choice: ChoiceOptions) -> int:
    """Run what the plan lacks. Exit code 1 where a job failed, 130 where it was interrupted.

    Without --data-root the built-in synthetic data is made first.
    """
    from harness.system.disk import check_writable

    common.check_choice(choice)
    common.executor_for(execution)
    check_writable(suite.work_dir, "--work-dir")
    ws = common.open_suite(suite, common.make_synthetic, choice.chosen)
    return common.run_jobs(ws, suite.work_dir, execution, force=choice.force)
