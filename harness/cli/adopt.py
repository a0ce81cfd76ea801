"""``adopt``: declare stale runs equivalent instead of training again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from harness.cli.common import open_suite
from harness.cli.group import Command
from harness.cli.options import SuiteOptions, suite_options
from harness.errors import BadUsage, unknown_name

if TYPE_CHECKING:
    from harness.plan.adopt import Adoption
    from harness.plan.status import JobState
    from harness.plan.workspace import Workspace


@click.command("adopt", cls=Command)
@suite_options
@click.argument("job", required=False)
@click.option("--all-stale", is_flag=True, help="All stale jobs of the plan; --tables chooses some of them.")
@click.option(
    "--component",
    "components",
    multiple=True,
    type=click.Choice(("code", "config", "data", "parents", "version")),
    help="With --all-stale: in what a run may differ from its job; by default code and version (of the rule for "
    "keys: an older rule hashed code differently). Repeatable.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be adopted and what not, and change nothing.")
@click.option(
    "--reason", default="", help="Why the old run stands for the new one; the pages show it. --dry-run needs none."
)
def command(
    suite: SuiteOptions, job: str | None, all_stale: bool, components: tuple[str, ...], dry_run: bool, reason: str
) -> int:
    """Declare the stale run of JOB, or those of all stale jobs, equivalent to what the plan asks for now."""
    from harness.ledger.run_dir import PLAN
    from harness.plan.adopt import COMPONENTS, USUAL, adopt_all, adoptions, tell_plan
    from harness.plan.asked import last_plan
    from harness.plan.status import ledger_status
    from harness.plan.workspace import save_plan

    if (job is None) != all_stale:
        raise BadUsage("adopt: name a job or give --all-stale, one of the two; `status` lists what is stale")
    if components and not all_stale:
        raise BadUsage("adopt: --component goes with --all-stale; a job that is named is adopted whatever differs")
    if not (dry_run or reason.strip()):
        raise BadUsage("adopt needs --reason: why the old run stands for the new one; the pages show it")
    if not suite.work_dir.is_dir():
        raise BadUsage(f"--work-dir {suite.work_dir}: no such folder; there is no run to adopt")
    before = last_plan(suite.work_dir, suite.profile)  # one that is damaged is said before anything changes
    ws = open_suite(suite)
    states = ledger_status(ws, suite.work_dir).jobs
    if job is not None:
        states = [_named(ws, states, job)]
    found = adoptions(states, suite.work_dir, (components or USUAL) if all_stale else COMPONENTS)
    _show(found)
    if dry_run:
        click.echo(f"{len(found)} stale: {sum(not a.refused for a in found)} would be adopted; nothing was changed")
        return 0
    adopted = adopt_all(found, suite.work_dir, reason)
    for folder in adopted:
        click.echo(f"adopted: {folder}")
    if adopted and before is not None:
        tell_plan(before, ws.plan.keys, found, suite.work_dir)
    elif adopted and not (suite.work_dir / PLAN).exists():
        # pages go by the plan: without one nothing tells an adopted run from its origin
        save_plan(replace(ws, chosen=tuple(a.job.name for a in found if not a.refused)), suite.work_dir)
    refused = sum(bool(a.refused) for a in found)
    if all_stale:
        click.echo(f"{len(found)} stale: {len(found) - refused} adopted, {refused} refused")
    return 1 if refused else 0


def _named(ws: Workspace, states: Sequence[JobState], job: str) -> JobState:
    """The stale job of a name. Raises ValueError for one that is not stale, or cannot be planned."""
    from harness.plan.remarks import names, unplanned

    if (reason_not := unplanned(ws.plan).get(job)) is not None:
        raise ValueError(f"{job} cannot be planned: {reason_not}")
    found = next((s for s in states if s.job.key == names(ws.plan).get(job)), None)
    if found is None:
        raise BadUsage(unknown_name("job", job, names(ws.plan), listed_by="plan"))
    if found.other is None:
        raise ValueError(f"{job} is {found.state}, not stale: there is no other run of it to adopt")
    return found


def _show(found: Sequence[Adoption]) -> None:
    """What differs, job by job, and what is refused."""
    for a in found:
        if a.refused:
            click.echo(f"refused {a.job.name}: {a.refused}")
            continue
        click.echo(f"{a.job.name} from run {a.other.key[:12]}")
        for line in a.differences:
            click.echo(f"  {line}")
