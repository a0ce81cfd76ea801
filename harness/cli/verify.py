"""``verify``: is the ledger sound?"""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.common import print_json
from harness.cli.group import Command
from harness.cli.options import json_option, old_work_dir_option
from harness.errors import count


@click.command("verify", cls=Command)
@old_work_dir_option
@json_option("{records, findings: a list of {run, problem}}")
def command(work_dir: Path, as_json: bool) -> int:
    """Recompute every metric from its predictions and check test sets, splits, parents and keys.

    Exit code 1 on findings.
    """
    from harness.ledger.layout import check_runs
    from harness.ledger.store import runs_dir
    from harness.ledger.verify import verify_ledger

    check_runs(work_dir)
    if not runs_dir(work_dir).is_dir():
        raise FileNotFoundError(f"{work_dir}: no ledger here (no folder 'runs'); give it with --work-dir")
    records, findings = verify_ledger(work_dir)
    if as_json:
        print_json({"records": records, "findings": [{"run": f.run, "problem": f.problem} for f in findings]})
        return 1 if findings else 0
    for f in findings:
        click.echo(f"{f.run}: {f.problem}")
    click.echo(f"{count(records, 'record')}, {count(len(findings), 'finding')}")
    return 1 if findings else 0
