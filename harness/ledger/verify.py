"""Integrity of a ledger: what would make a page say something that the runs do not bear out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from harness.ledger.files import kind_of, read_file
from harness.ledger.head import Head
from harness.ledger.layout import misplaced, misplaced_beside
from harness.ledger.planfile import PlanFile, PlannedCell, read_plan
from harness.ledger.redo_advice import LARGEST, redo_advice
from harness.ledger.run_dir import PLAN, SPEC, STATISTICS
from harness.ledger.statistics import problems
from harness.ledger.store import folders_of, load_heads, runs_dir


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: the run's folder (or a file of the work dir) and what, in one line."""

    run: str
    problem: str


def verify_ledger(work_dir: Path) -> tuple[int, list[Finding]]:
    """Check every record of a work dir. Returns the number of records, sound or not, and what is wrong.

    Each record is judged anew, without the verdicts that were reached before (``judge.problems_of``); parents must be
    there, done and valid; the plan must be as the planner wrote it, and say of each run what the run says of itself.
    """
    records, rejected = load_heads(work_dir, anew=True)
    findings = [Finding(r.path.name, r.line) for r in rejected]
    for folder, record in records.values():
        findings += [Finding(folder.name, p) for p in _job_problems(folder, record.key)]
        for stage, parent in record.parents.items():
            if parent not in records:
                findings.append(
                    Finding(
                        folder.name, f"its parent stage '{stage}' ({parent[:12]}) is not in this ledger, or not valid"
                    )
                )
            elif records[parent][1].status != "done":
                findings.append(Finding(folder.name, f"its parent stage '{stage}' ({parent[:12]}) is not done"))
    said = {r.path: r.reason for r in rejected}
    for folder in folders_of(runs_dir(work_dir)):
        for name, what in misplaced(folder).items():
            if not name or name not in said.get(folder, ""):
                findings.append(Finding(folder.name, f"{folder / name}: {what}; {_way_out(folder, name)}"))
    findings += [Finding(name, what) for name, what in misplaced_beside(work_dir).items() if name != PLAN]
    findings += [Finding(PLAN, p) for p in _plan_problems(Path(work_dir) / PLAN, records)]
    if kind_of(Path(work_dir) / STATISTICS) == "file":
        findings += [Finding(STATISTICS, p) for p in problems(work_dir)]
    return len(records) + len(rejected), findings


def _job_problems(folder: Path, key: str) -> list[str]:
    """What is wrong with the file that a sound run's worker was told its job by; nothing where it is gone."""
    path = folder / SPEC
    if kind_of(path) != "file":  # what else lies there is a finding of its own
        return []
    try:
        found = json.loads(read_file(path, LARGEST))
    except PermissionError as e:
        return [f"{path}: cannot be read ({e.strerror}); change its permissions"]
    except (OSError, ValueError, RecursionError):
        return [f"{path}: is damaged; {redo_advice(folder)}"]
    own = isinstance(found, dict) and found.get("key") == key
    return [] if own else [f"{path}: is of another job, or damaged; {redo_advice(folder)}"]


def _way_out(folder: Path, name: str) -> str:
    """What to do about something in the place of a file or folder of a run."""
    return redo_advice(folder) if name == SPEC else "move it away"


def _plan_problems(path: Path, records: dict[str, tuple[Path, Head]]) -> list[str]:
    try:
        plan = read_plan(path)
    except FileNotFoundError:
        return []
    except ValueError as e:
        return [str(e)]
    return [p for cell in plan.cells if cell.key in records for p in _cell_problems(plan, cell, records[cell.key][1])]


def _cell_problems(plan: PlanFile, cell: PlannedCell, record: Head) -> list[str]:
    where = f"cell {cell.id}, seed {cell.seed}"
    found = []
    if record.dataset != cell.dataset or record.test_modality != cell.test_modality:
        found.append(f"{where}: its run {record.key[:12]} was tested on {record.dataset}, {record.test_modality}")
    if record.profile != plan.profile:
        found.append(f"{where}: its run {record.key[:12]} has profile {record.profile}")
    return found
