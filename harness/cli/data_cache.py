"""``data cache``: the clip stores of a plan."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from harness.cli.common import open_suite, say_remarks
from harness.cli.group import Command
from harness.cli.options import SuiteOptions, cell_option, jobs_option, suite_options
from harness.cli.types import NEW_FOLDER
from harness.errors import count

log = logging.getLogger(__name__)


@click.command("cache", cls=Command)
@suite_options
@jobs_option
@click.option(
    "--codec",
    type=click.Choice(["raw", "jpeg"]),
    default=None,
    help="raw: fastest, exact. jpeg: RGB as JPEG (lossy), depth and infrared as PNG (exact).  "
    "[default: raw, where there is no store yet]",
)
@click.option("--store", type=NEW_FOLDER, default=None, help="[default: WORK_DIR/clip_store]")
@click.option(
    "--check", is_flag=True, help="Compare stores that are there with their checksums, too; build damaged ones anew."
)
@cell_option
def cache(
    suite: SuiteOptions, jobs: int | None, codec: str | None, store: Path | None, check: bool, chosen: tuple[str, ...]
) -> int:
    """Decode once what the plan's runs will read many times. Goes on where it was stopped or killed.

    Exit code 1 where none of them can be planned.
    """
    from harness.data.store.cache import build_for_datasets
    from harness.plan.loaders import dataset_configs
    from harness.plan.workspace import check_planned
    from harness.schedule.run import jobs_to_run
    from harness.system.environment import usable_cores

    ws = open_suite(suite, chosen=chosen)
    planned = jobs_to_run(ws)
    say_remarks(ws, planned, ws.chosen or None)
    check_planned(ws, suite.work_dir)
    datasets = [d for job in planned.values() for d in dataset_configs(job.config).values()]
    root = store or suite.work_dir / "clip_store"
    folders = build_for_datasets(datasets, root, jobs or usable_cores(), log.info, codec, check)
    sound = ": sound, all frames compared with their checksums or written now" if check and folders else ""
    click.echo(f"{count(len(folders), 'clip store')} in {root}{sound}")
    return int(not planned)
