"""``plan``: list cells and jobs without starting anything."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harness.cli.options import suite_options
from harness.cli.remarks import print_remarks


@click.command("plan")
@suite_options
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
@click.option("--cost", is_flag=True, help="Predict the time of each job and of all, from the ledger's history.")
@click.option(
    "--probe",
    is_flag=True,
    help="With --cost: time one step of each model that never ran here (seconds each, minutes at paper on a CPU).",
)
@click.option("--cells", "show_cells", is_flag=True, help="List every cell with the tables that use it, not the jobs.")
def command(
    profile, data_root, work_dir, configs, tables, seeds, quarantine, init, as_json, cost, probe, show_cells
) -> int:
    """List cells and jobs (cached, missing, failed) without starting anything."""
    from harness.plan.workspace import open_workspace

    ws = open_workspace(configs, profile, data_root, tables, seeds, quarantine, init)
    jobs = ws.needed()
    states = {key: job_state(job, work_dir) for key, job in jobs.items()}
    costs = job_costs(jobs, states, work_dir, probe) if cost or probe else {}
    if as_json:
        click.echo(
            json.dumps(
                {
                    "profile": profile,
                    "cells": [
                        {
                            "id": c.id,
                            "seed": c.seed,
                            "key": ws.plan.keys.get((c.id, c.seed), ""),
                            "used_by": list(c.used_by),
                            "error": ws.plan.errors.get((c.id, c.seed), ""),
                        }
                        for c in ws.cells
                    ],
                    "jobs": [
                        {
                            "name": j.name,
                            "key": k,
                            "kind": j.kind,
                            "state": states[k],
                            "parents": sorted(j.parents.values()),
                            **({"seconds": costs[k][0], "seconds_from": costs[k][1]} if k in costs else {}),
                        }
                        for k, j in jobs.items()
                    ],
                },
                indent=1,
            )
        )
        return 0
    if show_cells:
        for c in ws.cells:
            key = ws.plan.keys.get((c.id, c.seed))
            click.echo(f"{states[key] if key else 'unplannable':11s} {c.id} seed {c.seed}  [{', '.join(c.used_by)}]")
    else:
        for key, job in jobs.items():
            click.echo(f"{states[key]:11s} {key[:12]}  {job.name}")
    if cost or probe:
        print_cost(jobs, states, costs)
    print_remarks(ws)
    counts = {s: list(states.values()).count(s) for s in ("cached", "missing", "failed")}
    click.echo(
        f"{len(ws.cells)} cells of {', '.join(ws.tables)} at profile {profile}: {len(jobs)} jobs, "
        + ", ".join(f"{n} {s}" for s, n in counts.items())
    )
    return 0


def job_state(job, work_dir: Path) -> str:
    """``cached``, ``failed`` or ``missing``, read from the ledger without changing it."""
    from harness.ledger.judge import verdicts_of
    from harness.ledger.store import load_record
    from harness.plan.run_state import folder_of

    try:
        record = load_record(folder_of(job, work_dir), verdicts_of(work_dir))
    except (FileNotFoundError, ValueError):
        return "missing"
    return "failed" if record.status == "failed" else "cached"


def job_costs(jobs, states, work_dir: Path, probed: bool) -> dict[str, tuple[float, str]]:
    """Predicted seconds of each job still to run, and whether ``history`` or a ``probe`` says so.

    History is the mean of done runs of the same model and profile in this ledger.
    """
    from harness.cli.run import default_jobs, usable_cores
    from harness.schedule.progress import history

    todo = [k for k, s in states.items() if s != "cached"]
    known = history(work_dir, jobs)
    costs = {k: (known[k], "history") for k in todo if k in known}
    unknown = [k for k in todo if k not in known]
    if probed and unknown:
        from harness.measure.probe import probe

        found = probe(unknown, jobs, max(1, usable_cores() // default_jobs(None)))
        costs.update({k: (seconds, "probe") for k, seconds in found.items()})
    return costs


def print_cost(jobs, states, costs: dict[str, tuple[float, str]]) -> None:
    """One line per job still to run, and the sum."""
    from harness.system.duration import duration

    todo = [k for k, s in states.items() if s != "cached"]
    for key in todo:
        seconds, source = costs.get(key, (None, ""))
        shown = "unknown" if seconds is None else duration(seconds)
        click.echo(f"{shown:>9s}  {jobs[key].name}{'  (probed)' if source == 'probe' else ''}")
    unknown = len(todo) - len(costs)
    probed = sum(source == "probe" for _, source in costs.values())
    click.echo(
        f"{duration(sum(s for s, _ in costs.values()))} of one slot's time for {len(costs)} jobs"
        + (f", {probed} of them probed (without data loading)" if probed else "")
        + (
            f"; {unknown} jobs of models that never ran at this profile are not in it, --probe times them"
            if unknown
            else ""
        )
    )
