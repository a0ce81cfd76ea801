"""``report``: write the pages from the ledger."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import configs_option


@click.command("report")
@click.option(
    "--work-dir",
    type=click.Path(path_type=Path),
    default=Path("work_dirs"),
    show_default=True,
    help="The ledger.",
)
@click.option(
    "--site",
    type=click.Path(path_type=Path),
    default=Path("site"),
    show_default=True,
    help="Where the pages go.",
)
@configs_option
def command(work_dir: Path, site: Path, configs: Path) -> int:
    """Write the pages from the ledger. Starts nothing and needs no data set."""
    from harness.suite import load_benchmark, load_entries

    benchmark = load_benchmark(configs / "benchmark.yml")
    index = write_site(work_dir, site, benchmark, load_entries(configs, benchmark), None)
    click.echo(f"leaderboard: {index}")
    return 0


def write_site(work_dir: Path, site: Path, benchmark, entries, data_root: Path | None) -> Path:
    """Statistics of the data at hand (kept in the work dir), then the pages. Returns the index page."""
    from harness.data.summary import load_summaries, save_summaries
    from reports import build

    if data_root is not None:
        save_summaries(work_dir, data_root)
    build(work_dir, site, benchmark, entries, load_summaries(work_dir))
    return site / "index.html"
