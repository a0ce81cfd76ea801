"""``run-all``: from nothing to a leaderboard."""

from __future__ import annotations

import time
from pathlib import Path

import click

from harness.cli.counter import counter
from harness.cli.options import NEW_FOLDER, choice_options, execution_options, suite_options


@click.command("run-all")
@suite_options
@execution_options
@choice_options
@click.option(
    "--site",
    type=NEW_FOLDER,
    default=Path("site"),
    show_default=True,
    help="Where the pages go.",
)
def command(
    profile, data_root, work_dir, configs, tables, seeds, quarantine, init, site, chosen, force, **execution
) -> int:
    """Plan, run and report: from nothing to a leaderboard.

    Without --data-root the embedded synthetic data is made first; the pages say so.
    """
    from harness.cli.run import check_choice, executor_for, run_workspace
    from harness.plan.workspace import open_workspace
    from harness.site.manifest import check_site
    from harness.system.disk import check_writable, is_disk_full

    began = time.monotonic()
    check_choice(chosen, force)
    executor_for(execution)
    check_writable(work_dir, "--work-dir")
    check_site(site, work_dir)
    ws = open_workspace(configs, profile, data_root, tables, seeds, quarantine, init, make_synthetic, chosen)
    full = None
    try:
        code = run_workspace(ws, work_dir, execution, force=force)
    except OSError as e:
        if not is_disk_full(e, work_dir):
            raise
        full, code = e, 1
        click.echo("the disk is full: pages of what is done are written, if they fit", err=True)
    try:
        _write_pages(ws, work_dir, site, configs, began)
    except OSError as e:
        if full is None or not is_disk_full(e, work_dir):
            raise
        click.echo(f"{site}: the pages did not fit; those from before stay", err=True)
    if full is not None:
        raise full
    return code


def _write_pages(ws, work_dir: Path, site: Path, configs: Path, began: float) -> None:
    """Statistics of the data and the pages, where they do not show already what the ledger holds."""
    from harness.cli.report import write_site
    from harness.data.describe.summary import save_summaries
    from harness.site import freshness as pages
    from harness.system.duration import duration

    save_summaries(work_dir, ws.settings.data_root, ws.settings.quarantine, lambda line: click.echo(line, err=True))
    made_from = pages.sources(work_dir, configs)
    unchanged = pages.are_current(work_dir, site, made_from)
    if not unchanged:
        write_site([work_dir], site, ws.benchmark, ws.entries)
        pages.remember(work_dir, site, made_from)
    spent = duration(time.monotonic() - began)
    click.echo(f"leaderboard: {site / 'index.html'}  ({spent}{', pages unchanged' if unchanged else ''})")


def make_synthetic(root: Path, preset: str) -> None:
    """Make the embedded data where it is not there yet."""
    from harness.data.synthesize import synthesize

    show = counter()
    synthesize(
        root,
        preset=preset,
        progress=lambda name, done, total: show(f"clips of synthetic {name} in {root}", done, total),
    )
