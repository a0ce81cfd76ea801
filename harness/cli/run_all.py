"""``run-all``: from nothing to a leaderboard."""

from __future__ import annotations

import logging
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli import common
from harness.cli.counter import counter
from harness.cli.group import Command
from harness.cli.options import (
    ChoiceOptions,
    ExecutionOptions,
    SuiteOptions,
    choice_options,
    execution_options,
    quick_option,
    site_option,
    suite_options,
)

if TYPE_CHECKING:
    from harness.plan.workspace import Workspace

log = logging.getLogger(__name__)


@click.command("run-all", cls=Command)
@suite_options
@execution_options
@choice_options
@site_option
@quick_option("The shortest honest look: the few cells that benchmark.yml names under `quick`.")
def command(suite: SuiteOptions, execution: ExecutionOptions, choice: ChoiceOptions, site: Path, quick: bool) -> int:
    """Plan, run and report: from nothing to a leaderboard.

    Without --data-root the built-in synthetic data is made first; the pages say so. They are there before the first
    job, and grow as results arrive.
    """
    from harness.ledger.site_manifest import check_site
    from harness.system.disk import check_writable, is_disk_full

    began = time.monotonic()
    work_dir = suite.work_dir
    common.check_quick(quick, suite, choice.chosen)
    common.check_choice(choice)
    common.executor_for(execution)
    check_writable(work_dir, "--work-dir")
    check_site(site, work_dir)
    ws = common.open_suite(suite, common.make_synthetic, choice.chosen, quick)
    full = None
    try:
        code = _run(ws, work_dir, execution, choice, site)
    except OSError as e:
        if not is_disk_full(e, work_dir):
            raise
        full, code = e, 1
        log.warning("the disk is full: pages of what is done are written, if they fit")
    try:
        _finish(ws, work_dir, site, began)
    except OSError as e:
        if full is None or not is_disk_full(e, work_dir):
            raise
        log.warning("%s: the pages did not fit; those from before stay", site)
    if full is not None:
        raise full
    return code


def _run(ws: Workspace, work_dir: Path, execution: ExecutionOptions, choice: ChoiceOptions, site: Path) -> int:
    """Run what is missing, with pages that grow."""
    from harness.site.live import LivePages
    from harness.site.pages import write_site

    with LivePages(lambda running: write_site([work_dir], site, ws.benchmark, ws.entries, running=running)) as pages:
        return common.run_jobs(ws, work_dir, execution, force=choice.force, watch=pages.show)


def _finish(ws: Workspace, work_dir: Path, site: Path, began: float) -> None:
    """Write the pages a last time, and say what they say and where they are."""
    from harness.site.pages import refresh_site
    from harness.system.duration import duration

    written = refresh_site(ws, work_dir, site, partial(counter(), "pages of runs written anew"))
    spent = duration(time.monotonic() - began)
    common.say_verdicts(site, ws.tables)
    unchanged = "" if written else "; pages unchanged"
    common.say_result(f"leaderboard: {site / 'index.html'}  (run-all took {spent}{unchanged})")
    common.say_address(site)
