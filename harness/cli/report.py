"""``report``: write the pages from the ledger."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import common
from harness.cli.group import Command
from harness.cli.options import configs_option, ledgers_options, site_option


@click.command("report", cls=Command)
@ledgers_options
@site_option
@configs_option
def command(work_dirs: tuple[Path, ...], profiles: tuple[str, ...], site: Path, configs: Path) -> int:
    """Write the pages from the ledger. Starts nothing and needs no data set.

    The pages show the whole ledger: for each cell its newest valid runs, whatever the last plan asked for.
    """
    from harness.site.pages import write_site
    from harness.suite import load_suite

    index = write_site(work_dirs, site, *load_suite(configs), profiles)
    common.say_verdicts(site)
    common.say_rejected(site, work_dirs)
    click.echo(f"leaderboard: {index}")
    common.say_address(site)
    return 0
