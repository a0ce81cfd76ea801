"""What is said of a plan on standard error."""

from __future__ import annotations

from collections.abc import Container

import click


def print_remarks(ws, keys: Container[str] | None = None, wanted: Container[str] | None = None) -> None:
    """Cells that cannot be planned, what profiles override, runs that stand for several entries: one line each.

    Args:
        keys: of the only jobs that matter. wanted: names of the only cells that matter. None for all.
    """
    from harness.plan.remarks import note_lines, unplanned_lines

    for line in unplanned_lines(ws.plan, wanted):
        click.echo(line, err=True)
    for line in note_lines(ws.plan, ws.plan.jobs if keys is None else keys):
        click.echo(f"note: {line}", err=True)
