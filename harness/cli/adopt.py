"""``adopt``: declare a stale run equivalent instead of training again."""

from __future__ import annotations

import click

from harness.cli.common import open_suite
from harness.cli.options import SuiteOptions, suite_options
from harness.errors import BadUsage, near


@click.command("adopt")
@suite_options
@click.argument("job")
@click.option("--reason", required=True, help="Why the old run stands for the new one; the pages show it.")
def command(suite: SuiteOptions, job: str, reason: str) -> int:
    """Declare the stale run of JOB equivalent to what the plan asks for now."""
    from harness.ledger.identity import differences
    from harness.plan.adopt import adopt
    from harness.plan.remarks import names, unplanned
    from harness.plan.status import ledger_status

    ws = open_suite(suite)
    if (reason_not := unplanned(ws.plan).get(job)) is not None:
        raise ValueError(f"{job} cannot be planned: {reason_not}")
    found = next((s for s in ledger_status(ws, suite.work_dir).jobs if s.job.key == names(ws.plan).get(job)), None)
    if found is None:
        raise BadUsage(f"{job}: no such job in this plan{near(job, names(ws.plan))}; `plan` lists them")
    if found.other is None:
        raise ValueError(f"{job} is {found.state}, not stale: there is no other run of it to adopt")
    for line in differences(found.other.identity, found.job.identity):
        click.echo(f"  {line}")
    click.echo(f"adopted: {adopt(found.job, found.other, suite.work_dir, reason)}")
    return 0
