"""``plan``: list cells and jobs without starting anything."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.common import check_quick, open_suite, print_json, say_remarks
from harness.cli.cost_lines import say, say_json
from harness.cli.costs import CardOptions, predict
from harness.cli.group import Command
from harness.cli.options import SuiteOptions, cell_option, json_option, quick_option, suite_options
from harness.cli.types import COUNT, OLD_FILE, FiniteRange
from harness.errors import BadUsage, count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.plan.jobs import Job
    from harness.plan.workspace import Workspace
    from harness.suite import Cell

STATES = ("done", "running", "missing", "failed")


@click.command("plan", cls=Command)
@suite_options
@json_option(
    "{profile, cells: a list of {id, seed, key, used_by, error}, jobs: a list of {name, key, kind, state, parents, "
    "and with --cost seconds, seconds_from}, left_out: names of entries that the profile leaves out}; with --device "
    "{device, hours, wall_hours, share, share_from, tables, seeds, jobs, stores, codec, ledger, sources, ...}"
)
@click.option("--cost", is_flag=True, help="Predict the time of each job and of all, from the ledger's history.")
@click.option(
    "--probe",
    is_flag=True,
    help="With --cost: time one step of each model that never ran here (seconds each, minutes at paper on a CPU).",
)
@click.option(
    "--device",
    metavar="CARD",
    help="With --cost: hours on h200, h100, h100-pcie, a100, l40s, rtx4090 or rtx3090, from multiply-adds; and what "
    "clip stores take. Neither the card nor, at profile paper, data are needed.",
)
@click.option("--devices", type=COUNT, default=1, show_default=True, help="With --device: how many of them.")
@click.option(
    "--share",
    type=FiniteRange(0, 1, min_open=True),
    help="With --device: of the card's peak that training reaches.  [default: as in the ledger, else 0.2, assumed]",
)
@click.option(
    "--measured",
    type=OLD_FILE,
    help="With --device: what `bench gpu --json` has measured on such a card, in place of --share.",
)
@cell_option
@quick_option("Only what `run-all --quick` runs.")
@click.option("--list-cells", is_flag=True, help="List every cell with the tables that use it, not the jobs.")
@click.option("--cells", is_flag=True, hidden=True)  # its name until --cell
def command(
    suite: SuiteOptions,
    as_json: bool,
    cost: bool,
    probe: bool,
    chosen: tuple[str, ...],
    quick: bool,
    list_cells: bool,
    cells: bool,
    device: str | None,
    devices: int,
    share: float | None,
    measured: Path | None,
) -> int:
    """List cells and jobs (done, running, missing, failed) without starting anything, table by table; last one line a
    table of what it lacks.

    Cells that cannot be planned are named, one line per reason. Exit code 1 where none can be planned.
    """
    if device is None and (devices != 1 or share is not None or measured is not None):
        raise BadUsage("--devices, --share and --measured say how fast a card is; name it with --device")
    if device is not None:
        if probe or list_cells or cells or chosen or quick:
            raise BadUsage("--device: predicts from multiply-adds; leave --probe, --list-cells, --cell and --quick out")
        found = predict(suite, CardOptions(device, devices, share, measured))
        (say_json if as_json else say)(found)
        return 0
    check_quick(quick, suite, chosen)
    return _listed(suite, as_json, cost, probe, list_cells or cells, chosen, quick)


def _listed(
    suite: SuiteOptions,
    as_json: bool,
    cost: bool,
    probe: bool,
    show_cells: bool,
    chosen: tuple[str, ...],
    quick: bool,
) -> int:
    """The plan itself."""
    from harness.plan.by_table import by_table
    from harness.plan.remarks import cell_name
    from harness.plan.run_state import job_state
    from harness.plan.workspace import check_planned
    from harness.schedule.run import jobs_to_run

    ws = open_suite(suite, chosen=chosen, quick=quick)
    jobs = jobs_to_run(ws)
    cells = [c for c in ws.cells if not ws.chosen or cell_name(c.id, c.seed) in ws.chosen]
    states = {key: job_state(job, suite.work_dir) for key, job in ws.needed().items()}
    wanted = {key: states[key] for key in jobs}
    costs = job_costs(jobs, wanted, suite.work_dir, probe) if cost or probe else {}
    tables = by_table(ws, states, {})
    if as_json:
        print_json(_as_json(ws, cells, jobs, states, costs))
        check_planned(ws, suite.work_dir)
        return int(not jobs)
    if show_cells:
        for c in cells:
            click.echo(_cell_line(c, states.get(ws.plan.keys.get((c.id, c.seed), ""), "cannot be planned")))
    else:
        for table in tables:
            keys = [key for key in table.keys if key in jobs]
            if keys or not ws.chosen:
                click.echo(table.heading)
            for key in keys:
                click.echo(f"  {states[key]:7s} {key[:12]}  {jobs[key].name}")
    if cost or probe:
        print_cost(jobs, wanted, costs)
    say_remarks(ws, jobs if ws.chosen else None, ws.chosen or None)
    check_planned(ws, suite.work_dir)
    for table in () if ws.chosen else tables:
        click.echo(table.line)
    counts = Counter(wanted.values())
    asked = [t for t in ws.tables if not ws.chosen or any(t in c.used_by for c in cells)]
    of_tables = f" of {', '.join(asked)}" if asked else ""  # none: stages alone
    click.echo(
        f"{count(len(cells), 'cell')}{of_tables} at profile {suite.profile}: "
        f"{count(len(jobs), 'job')}, " + ", ".join(f"{counts[s]} {s}" for s in STATES if counts[s] or s != "running")
    )
    return int(not jobs)


def _cell_line(cell: Cell, state: str) -> str:
    return f"{state:17s} {cell.id} seed {cell.seed}  [{', '.join(cell.used_by)}]"


def _as_json(
    ws: Workspace,
    chosen: Iterable[Cell],
    jobs: Mapping[str, Job],
    states: Mapping[str, str],
    costs: dict[str, tuple[float, str]],
) -> dict[str, Any]:
    cells = [
        {
            "id": c.id,
            "seed": c.seed,
            "key": ws.plan.keys.get((c.id, c.seed), ""),
            "used_by": list(c.used_by),
            "error": ws.plan.errors.get((c.id, c.seed), ""),
        }
        for c in chosen
    ]
    listed = [
        {
            "name": job.name,
            "key": key,
            "kind": job.kind,
            "state": states[key],
            "parents": sorted(job.parents.values()),
            **({"seconds": costs[key][0], "seconds_from": costs[key][1]} if key in costs else {}),
        }
        for key, job in jobs.items()
    ]
    left_out = [e.name for e in ws.left_out]
    return {"profile": ws.settings.profile, "cells": cells, "jobs": listed, "left_out": left_out}


def job_costs(
    jobs: dict[str, Job], states: Mapping[str, str], work_dir: Path, probed: bool
) -> dict[str, tuple[float, str]]:
    """Predicted seconds of each job still to run, and whether ``history`` or a ``probe`` says so.

    History is the mean of done runs of the same model and profile in this ledger.
    """
    from harness.executors.local import default_jobs
    from harness.schedule.progress import history
    from harness.system.environment import usable_cores

    todo = [k for k, s in states.items() if s != "done"]
    known = history(work_dir, jobs)
    costs = {k: (known[k], "history") for k in todo if k in known}
    unknown = [k for k in todo if k not in known]
    if probed and unknown:
        from harness.measure.probe import probe

        found = probe(unknown, jobs, max(1, usable_cores() // default_jobs()))
        costs.update({k: (seconds, "probe") for k, seconds in found.items()})
    return costs


def print_cost(jobs: Mapping[str, Job], states: Mapping[str, str], costs: dict[str, tuple[float, str]]) -> None:
    """One line per job still to run, and the sum."""
    todo = [k for k, s in states.items() if s != "done"]
    for key in todo:
        seconds, source = costs.get(key, (None, ""))
        shown = "unknown" if seconds is None else _in_words(seconds)
        click.echo(f"{shown:>9s}  {jobs[key].name}{'  (probed)' if source == 'probe' else ''}")
    unknown = len(todo) - len(costs)
    probed = sum(source == "probe" for _, source in costs.values())
    click.echo(
        f"{_in_words(sum(s for s, _ in costs.values()))} of one slot's time for {count(len(costs), 'job')}"
        + (f", {probed} of them probed (without data loading)" if probed else "")
        + (
            f"; {count(unknown, 'job')} of models that never ran at this profile not in it, --probe times them"
            if unknown
            else ""
        )
    )


def _in_words(seconds: float) -> str:
    """With tenths of a second where there are few, so that a sum is not less than its parts."""
    from harness.system.duration import duration

    return f"{seconds:.1f} s" if seconds < 9.95 else duration(seconds)
