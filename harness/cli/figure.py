"""``figure``: the figures of runs as files for a paper."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.group import Command
from harness.cli.options import old_work_dir_option
from harness.cli.types import NEW_FOLDER
from harness.errors import count


@click.command("figure", cls=Command)
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option(
    "--to",
    "folder",
    type=NEW_FOLDER,
    default=Path("figures"),
    show_default=True,
    help="Where the files go.",
)
@old_work_dir_option
def command(runs: tuple[str, ...], folder: Path, work_dir: Path) -> int:
    """Write training curves, confusion matrix and strips of RUNs as PDF, PNG and SVG, each where a run has it: a
    training has curves, what classifies a confusion matrix, a rendering strips of its clips.

    A RUN is called as its page and its folder in the ledger are, or is a job as `status` lists it, or a cell: all
    runs of it.
    """
    from harness.site.figures import write_figures

    written = write_figures(work_dir, runs, folder)
    click.echo(f"{count(len(written), 'file')} in {folder}")
    return 0
