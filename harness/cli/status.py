"""``status``: what is done, missing, stale, failed or running, and why."""

from __future__ import annotations

import json

import click

from harness.cli.options import suite_options
from harness.cli.remarks import print_remarks


@click.command("status")
@suite_options
@click.option("--why", default=None, metavar="CELL", help="Explain one job: what differs from the run that is there.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(profile, data_root, work_dir, configs, tables, seeds, quarantine, init, why, as_json) -> int:
    """What is done, missing, stale, failed or running. A run is stale when its cell now has another key."""
    from harness.ledger.layout import misplaced_beside
    from harness.plan.remarks import unplanned
    from harness.plan.status import explain, ledger_status
    from harness.plan.workspace import open_workspace

    ws = open_workspace(configs, profile, data_root, tables, seeds, quarantine, init)
    found = ledger_status(ws, work_dir)
    if why is not None:
        for line in explain(found, why, ws.plan):
            click.echo(line)
        return 0
    if as_json:
        click.echo(
            json.dumps(
                [{"job": s.job.name, "key": s.job.key, "state": s.state, "detail": s.detail} for s in found.jobs]
                + [
                    {"job": name, "key": "", "state": "unplannable", "detail": reason}
                    for name, reason in unplanned(ws.plan).items()
                ],
                indent=1,
            )
        )
        return 0
    for s in found.jobs:
        click.echo(f"{s.state:8s} {s.job.key[:12]}  {s.job.name}{'  ' + s.detail if s.detail else ''}")
    shown = {s.detail for s in found.jobs if s.state == "rejected"}
    for rejected in found.rejected:
        if rejected.line not in shown:
            click.echo(f"rejected {rejected.path.name}  {rejected.line}")
    for name, what in misplaced_beside(work_dir).items():
        click.echo(f"{work_dir / name}: {what}")
    counts: dict[str, int] = {}
    for s in found.jobs:
        counts[s.state] = counts.get(s.state, 0) + 1
    print_remarks(ws, ws.needed())
    lacking = len(ws.plan.errors)
    click.echo(
        f"{len(found.jobs)} jobs: "
        + ", ".join(f"{n} {s}" for s, n in sorted(counts.items()))
        + (f"; {lacking} cells cannot be planned" if lacking else "")
    )
    return 0
