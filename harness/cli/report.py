"""``report``: write the pages from the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from harness.cli.options import NEW_FOLDER, configs_option, ledgers_options


@click.command("report")
@ledgers_options
@click.option(
    "--site",
    type=NEW_FOLDER,
    default=Path("site"),
    show_default=True,
    help="Where the pages go.",
)
@configs_option
def command(work_dirs: tuple[Path, ...], profiles: tuple[str, ...], site: Path, configs: Path) -> int:
    """Write the pages from the ledger, all of it: for each cell its newest valid runs, whatever the last plan asked
    for.

    Starts nothing and needs no data set.
    """
    from harness.suite import load_benchmark, load_entries

    benchmark = load_benchmark(configs / "benchmark.yml")
    index = write_site(work_dirs, site, benchmark, load_entries(configs, benchmark), profiles)
    click.echo(f"leaderboard: {index}")
    return 0


def write_site(work_dirs: Sequence[Path], site: Path, benchmark, entries, profiles: Sequence[str] = ()) -> Path:
    """The pages of ledgers, with the statistics of the data at hand that these keep. Returns the index page."""
    from harness.data.describe.summary import load_summaries
    from reports import build

    def say(line: str) -> None:
        click.echo(line, err=True)

    statistics = {name: about for w in reversed(work_dirs) for name, about in load_summaries(w, say).items()}
    build(work_dirs, site, benchmark, entries, statistics, profiles)
    return site / "index.html"
