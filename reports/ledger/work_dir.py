"""A work dir as it lies on disk: its plan, its records, and what cannot be trusted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.ledger.planfile import PlanFile, read_plan
from harness.ledger.record import RunRecord
from harness.ledger.run_dir import PLAN
from harness.ledger.store import Rejected, load_records
from reports.ledger.shared import Shared


@dataclass(frozen=True)
class WorkDir:
    """One ledger. ``problem``: why its plan cannot be used, "" where there is none to mention. ``records``: without
    epochs, as ``Shared`` leaves them."""

    path: Path
    plan: PlanFile | None
    problem: str
    records: dict[str, tuple[Path, RunRecord]]
    rejected: list[Rejected]


def read_work_dir(path: Path) -> WorkDir:
    """Plan and records of a work dir. A bad record is no error; it is listed. So is a plan that cannot be read."""
    plan, problem = None, ""
    try:
        plan = read_plan(Path(path) / PLAN)
    except FileNotFoundError:
        pass
    except ValueError as e:
        problem = str(e)
    records, rejected = load_records(path, keep=Shared())
    return WorkDir(Path(path), plan, problem, records, rejected)


def profiles_of(work_dirs: Sequence[WorkDir]) -> list[str]:
    """Profiles that were planned or run: that of the first plan, then those with most runs.

    Raises:
        FileNotFoundError, ValueError: nothing was planned or run; one line.
    """
    counts = Counter(r.cell.profile for w in work_dirs for _, r in w.records.values())
    counts.update({w.plan.profile: 0 for w in work_dirs if w.plan is not None})
    first = next((w.plan.profile for w in work_dirs if w.plan is not None), None)
    found = sorted(counts, key=lambda p: (p != first, -counts[p], p))
    if not found:
        problem = next((w.problem for w in work_dirs if w.problem), "")
        if problem:
            raise ValueError(problem)
        raise FileNotFoundError(
            f"{work_dirs[0].path}: nothing planned here yet; `python -m harness run` or `run-all` plans"
        )
    return found


@dataclass(frozen=True)
class Repeated:
    """A run that was made in several ledgers, with different accuracies; ``top1``: of each, as fractions."""

    record: RunRecord
    top1: tuple[float, ...]


def repeated(work_dirs: Sequence[WorkDir], profile: str) -> list[Repeated]:
    """Those of a profile, the furthest apart first."""
    made: dict[str, list[RunRecord]] = {}
    for w in work_dirs:
        for key, (_, record) in w.records.items():
            if record.cell.profile == profile and record.metrics is not None:
                made.setdefault(key, []).append(record)
    found = [Repeated(r[0], tuple(dict.fromkeys(x.metrics.top1 for x in r if x.metrics))) for r in made.values()]
    return sorted((r for r in found if len(r.top1) > 1), key=lambda r: min(r.top1) - max(r.top1))


def newest_records(work_dirs: Sequence[WorkDir], profile: str) -> dict[str, tuple[Path, RunRecord]]:
    """Key -> folder and record of the runs of a profile; of one that lies in several work dirs the newest,
    a finished one before a failed one."""
    found: dict[str, tuple[Path, RunRecord]] = {}

    def age(record: RunRecord) -> tuple[bool, str]:
        return record.status == "done", record.finished

    for w in work_dirs:
        for key, (folder, record) in w.records.items():
            if record.cell.profile == profile and (key not in found or age(record) > age(found[key][1])):
                found[key] = (folder, record)
    return found
