"""``run-all``: from nothing to a leaderboard."""

from __future__ import annotations

import time
from pathlib import Path

import click

from harness.cli.options import execution_options, suite_options
from harness.usage import BadUsage


@click.command("run-all")
@suite_options
@execution_options
@click.option(
    "--site",
    type=click.Path(path_type=Path),
    default=Path("site"),
    show_default=True,
    help="Where the pages go.",
)
def command(profile, data_root, work_dir, configs, tables, seeds, quarantine, site, **execution) -> int:
    """Plan, run and report: from nothing to a leaderboard.

    Without --data-root the embedded synthetic data is made first; the pages say so.
    """
    from harness import pages
    from harness.cli.report import write_site
    from harness.cli.run import run_workspace
    from harness.data.summary import save_summaries
    from harness.progress import duration
    from harness.workspace import check_profile, open_workspace, synthetic_root

    began = time.monotonic()
    check_profile(configs, profile)
    if execution["jobs"] is not None and execution["jobs"] < 1:
        raise BadUsage(f"--jobs {execution['jobs']}: at least 1 is needed")
    if data_root is None and profile != "paper":
        make_synthetic(synthetic_root(profile), "smoke" if profile == "smoke" else "demo")
    ws = open_workspace(configs, profile, data_root, tables, seeds, quarantine)
    code = run_workspace(ws, work_dir, execution)
    save_summaries(work_dir, ws.settings.data_root)
    made_from = pages.sources(work_dir, configs)
    unchanged = pages.are_current(work_dir, site, made_from)
    if not unchanged:
        write_site(work_dir, site, ws.benchmark, ws.entries, None)
        pages.remember(work_dir, site, made_from)
    spent = duration(time.monotonic() - began)
    click.echo(f"leaderboard: {site / 'index.html'}  ({spent}{', pages unchanged' if unchanged else ''})")
    return code


def make_synthetic(root: Path, preset: str) -> None:
    """Make the embedded data where it is not there yet."""
    from harness.data.synthesize import synthesize

    shown = [0.0]

    def progress(dataset: str, done: int, total: int) -> None:
        if time.monotonic() - shown[0] > 10.0 or done == total:
            shown[0] = time.monotonic()
            click.echo(f"synthetic {dataset} in {root}: {done} of {total} clips")

    synthesize(root, preset=preset, progress=progress)
