"""What a plan asks for: all cells of its tables; with ``--cell`` those alone, beside what was asked for or has run."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.ledger.planfile import PlanFile, read_plan
from harness.ledger.run_dir import PLAN
from harness.ledger.store import runs_dir
from harness.plan.jobs import Plan
from harness.plan.remarks import cell_name
from harness.suite import Cell


@dataclass(frozen=True)
class Asked:
    """``cells``: that the ledger is to answer. ``tables``: that were asked for, with them."""

    cells: tuple[Cell, ...]
    tables: tuple[str, ...]


def asked(everything: Asked, plan: Plan, chosen: Collection[str], work_dir: Path, profile: str) -> Asked:
    """What is asked for of all cells of the tables, where ``chosen`` are the names of the only jobs to run, if any.

    With ``--cell`` the others of its tables are planned, and not asked for: they count where the last plan of this
    profile asked for them, or where there is a run of theirs, which may be of another version by now.
    """
    if not chosen:
        return everything
    before = None
    with suppress(ValueError):  # one that cannot be read is replaced in any case
        before = last_plan(work_dir, profile)
    known = {(c.id, c.seed) for c in before.cells} if before is not None else set()
    tables = set(before.tables) if before is not None else set()
    there = _jobs_with_runs(work_dir)
    cells = []
    for cell in everything.cells:
        job = plan.jobs.get(plan.keys.get((cell.id, cell.seed), ""))
        names = {cell_name(cell.id, cell.seed), *([job.name] if job is not None else [])}
        if names & set(chosen):
            tables.update(cell.used_by)
        if names & (set(chosen) | there) or (cell.id, cell.seed) in known:
            cells.append(cell)
    return Asked(tuple(cells), tuple(t for t in everything.tables if t in tables)) if cells else everything


def last_plan(work_dir: Path, profile: str) -> PlanFile | None:
    """The plan of a work dir; None where there is none, or one of another profile.

    Raises:
        ValueError: it cannot be read, or was edited; one line.
    """
    with suppress(FileNotFoundError):
        plan = read_plan(Path(work_dir) / PLAN)
        return plan if plan.profile == profile else None
    return None


def _jobs_with_runs(work_dir: Path) -> set[str]:
    """Names of the jobs that have a folder in the ledger, which is called ``<job>-<beginning of the key>``."""
    try:
        return {path.name.rpartition("-")[0] for path in runs_dir(work_dir).iterdir()}
    except (FileNotFoundError, NotADirectoryError):
        return set()
