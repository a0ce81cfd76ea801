"""``run-all``: from nothing to a leaderboard."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import click

from harness.cli import common
from harness.cli.options import (
    ChoiceOptions,
    ExecutionOptions,
    SuiteOptions,
    choice_options,
    execution_options,
    site_option,
    suite_options,
)

log = logging.getLogger(__name__)


@click.command("run-all")
@suite_options
@execution_options
@choice_options
@site_option
def command(suite: SuiteOptions, execution: ExecutionOptions, choice: ChoiceOptions, site: Path) -> int:
    """Plan, run and report: from nothing to a leaderboard.

    Without --data-root the built-in synthetic data is made first; the pages say so.
    """
    from harness.site.manifest import check_site
    from harness.site.pages import refresh_site
    from harness.system.disk import check_writable, is_disk_full
    from harness.system.duration import duration

    began = time.monotonic()
    work_dir = suite.work_dir
    common.check_choice(choice)
    common.executor_for(execution)
    check_writable(work_dir, "--work-dir")
    check_site(site, work_dir)
    ws = common.open_suite(suite, common.make_synthetic, choice.chosen)
    full = None
    try:
        code = common.run_jobs(ws, work_dir, execution, force=choice.force)
    except OSError as e:
        if not is_disk_full(e, work_dir):
            raise
        full, code = e, 1
        log.warning("the disk is full: pages of what is done are written, if they fit")
    try:
        written = refresh_site(ws, work_dir, site)
        spent = duration(time.monotonic() - began)
        common.say_result(f"leaderboard: {site / 'index.html'}  ({spent}{'' if written else ', pages unchanged'})")
    except OSError as e:
        if full is None or not is_disk_full(e, work_dir):
            raise
        log.warning("%s: the pages did not fit; those from before stay", site)
    if full is not None:
        raise full
    return code
