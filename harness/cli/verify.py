"""``verify``: is the ledger sound?"""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import NEW_FOLDER


@click.command("verify")
@click.option(
    "--work-dir",
    type=NEW_FOLDER,
    default=Path("work_dirs"),
    show_default=True,
    help="The ledger.",
)
def command(work_dir: Path) -> int:
    """Recompute every metric from its predictions and check test sets, splits, parents and keys.

    Exit code 1 on findings.
    """
    from harness.ledger.store import runs_dir
    from harness.ledger.verify import verify_ledger

    if not runs_dir(work_dir).is_dir():
        raise FileNotFoundError(f"{work_dir}: no ledger here (no folder 'runs'); give it with --work-dir")
    count, findings = verify_ledger(work_dir)
    for f in findings:
        click.echo(f"{f.run}: {f.problem}")
    click.echo(f"{count} records, {len(findings)} findings")
    return 1 if findings else 0
