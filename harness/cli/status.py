"""``status``: what is done, missing, stale, failed or running, and why."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.common import check_quick, open_suite, print_json, say_remarks
from harness.cli.group import Command
from harness.cli.options import SuiteOptions, json_option, quick_option, suite_options
from harness.errors import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.plan.by_table import TableJobs
    from harness.plan.status import LedgerStatus

log = logging.getLogger(__name__)


@click.command("status", cls=Command)
@suite_options
@quick_option("Only what `run-all --quick` runs.")
@click.option(
    "--why",
    default=None,
    metavar="JOB",
    help="Explain one job: what differs from the run that is there. Without -s<seed>: all seeds.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Exit code 1 unless every job is done and every cell could be planned; with --why: unless that job is done.",
)
@json_option("a list of {job, key, state, detail}; with --why {job, lines}")
def command(suite: SuiteOptions, quick: bool, why: str | None, check: bool, as_json: bool) -> int:
    """What is done, missing, stale, failed or running, table by table; last one line a table of what it lacks, and why.

    A run is stale when its cell now has another key.
    """
    from harness.plan.by_table import by_table
    from harness.plan.remarks import unplanned
    from harness.plan.status import are_done, explain, ledger_status
    from harness.schedule.submitted import with_submitted

    check_quick(quick, suite)
    _check_work_dir(suite.work_dir)
    ws = open_suite(suite, quick=quick)
    found = ledger_status(ws, suite.work_dir)
    jobs, faults = with_submitted(found.jobs, suite.work_dir)
    found = replace(found, jobs=jobs)
    for line in faults:
        log.warning("%s", line)
    lacking = len(ws.plan.errors)
    code = int(check and (bool(lacking) or any(s.state != "done" for s in found.jobs)))
    if why is not None:
        lines = explain(found, why, ws.plan)
        if as_json:
            print_json({"job": why, "lines": lines})
        else:
            click.echo("\n".join(lines))
        return int(check and not are_done(found, why, ws.plan))
    if as_json:
        planned = [{"job": s.job.name, "key": s.job.key, "state": s.state, "detail": s.detail} for s in found.jobs]
        without = [
            {"job": name, "key": "", "state": "cannot be planned", "detail": reason}
            for name, reason in unplanned(ws.plan).items()
        ]
        print_json(planned + without)
        return code
    states, details = (
        {s.job.key: text for s in found.jobs if (text := getattr(s, what))} for what in ("state", "detail")
    )
    tables = by_table(ws, states, details)
    _print(found, tables, suite.work_dir)
    say_remarks(ws, ws.needed())
    for table in tables:
        click.echo(table.line)
    counts = ", ".join(f"{n} {s}" for s, n in sorted(Counter(s.state for s in found.jobs).items()))
    click.echo(
        count(len(found.jobs), "job")
        + (f": {counts}" if counts else "")
        + (f"; {count(lacking, 'cell')} cannot be planned" if lacking else "")
    )
    if line := found.elsewhere(suite.profile):
        log.info("note: %s", line)
    return code


def _check_work_dir(work_dir: Path) -> None:
    """Raises FileNotFoundError for a folder of something else, NotADirectoryError where the folder of runs is none;
    says where nothing has run yet.
    """
    from harness.ledger.layout import check_runs
    from harness.ledger.run_dir import PLAN
    from harness.ledger.store import runs_dir

    check_runs(work_dir)
    if runs_dir(work_dir).is_dir() or (work_dir / PLAN).is_file():
        return
    if work_dir.is_dir() and any(work_dir.iterdir()):
        raise FileNotFoundError(f"{work_dir}: no ledger here (no folder 'runs'); give it with --work-dir")
    log.info("note: %s: no ledger here yet; it is made by the first run", work_dir)


def _print(found: LedgerStatus, tables: Sequence[TableJobs], work_dir: Path) -> None:
    """Every job below the table that asks for it, every record that is not valid, everything that is misplaced in the
    work dir: one line each."""
    from harness.ledger.layout import misplaced_beside

    jobs = {s.job.key: s for s in found.jobs}
    for table in tables:
        click.echo(table.heading)
        for s in (jobs[key] for key in table.keys):
            click.echo(f"  {s.state:8s} {s.job.key[:12]}  {s.job.name}{'  ' + s.detail if s.detail else ''}")
    shown = {s.detail for s in found.jobs if s.state == "rejected"}
    for rejected in found.rejected:
        if rejected.line not in shown:
            click.echo(f"rejected {rejected.path.name}  {rejected.line}")
    for name, what in misplaced_beside(work_dir).items():
        click.echo(f"{work_dir / name}: {what}")
