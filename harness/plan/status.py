"""The state of every job against the ledger, and what makes a run stale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import BadUsage, count, first_of, unknown_name
from harness.ledger.head import Head
from harness.ledger.identity import differences
from harness.ledger.layout import misplaced
from harness.ledger.record import CellInfo
from harness.ledger.run_dir import LOCK
from harness.ledger.store import Rejected, load_heads, read_record
from harness.plan.jobs import Job, Plan
from harness.plan.redo import unsettled
from harness.plan.remarks import names, unplanned, without_seed
from harness.plan.run_state import folder_of, holder_of
from harness.plan.workspace import Workspace

CellKey = tuple[str, str, int, str]  # model, variant, seed, profile


@dataclass(frozen=True)
class JobState:
    """``done``, ``failed``, ``running``, ``queued`` (in an engine's queue), ``rejected`` (its record is not valid),
    ``stale`` (another run of this cell is there), or ``missing``."""

    job: Job
    state: str
    detail: str = ""
    other: Path | None = None  # folder of the run that makes it stale


@dataclass(frozen=True)
class LedgerStatus:
    """``profiles``: how many valid runs the ledger has of each, whatever is planned."""

    jobs: list[JobState]
    rejected: list[Rejected]
    profiles: Mapping[str, int] = field(default_factory=dict)

    def elsewhere(self, profile: str) -> str:
        """Where the ledger has runs of other profiles and none of this one; "" else."""
        if not self.profiles or profile in self.profiles:
            return ""
        held = " and ".join(f"{count(n, 'run')} at {name}" for name, n in sorted(self.profiles.items()))
        return f"the ledger holds {held}, none at {profile}: give --profile {' or '.join(sorted(self.profiles))}"


def ledger_status(ws: Workspace, work_dir: Path) -> LedgerStatus:
    """The state of every job that the cells depend on. Reads the ledger, changes nothing."""
    records, rejected = load_heads(work_dir)
    by_cell: dict[CellKey, list[tuple[Path, Head]]] = {}
    for folder, r in records.values():
        by_cell.setdefault(_cell_of(r), []).append((folder, r))
    refused, aside = {r.path: r.line for r in rejected}, unsettled(work_dir)
    jobs = ws.needed().values()
    states = [_state(job, work_dir, records, refused, by_cell, aside) for job in jobs]
    return LedgerStatus(states, rejected, Counter(r.profile for _, r in records.values()))


def _cell_of(cell: CellInfo | Head) -> CellKey:
    return cell.model, cell.variant, cell.seed, cell.profile


def _state(
    job: Job,
    work_dir: Path,
    records: Mapping[str, tuple[Path, Head]],
    refused: dict[Path, str],
    by_cell: Mapping[CellKey, list[tuple[Path, Head]]],
    aside: Mapping[str, list[Path]],
) -> JobState:
    found = records.get(job.key)
    if found is not None and found[1].status == "done":
        return JobState(job, "done")
    folder = folder_of(job, work_dir)
    holder = holder_of(job, work_dir)
    if holder is not None:
        return JobState(job, "running", str(holder))
    if found is not None:
        return JobState(job, "failed", found[1].failure)
    if folder in refused:
        return JobState(job, "rejected", refused[folder])
    if kept := aside.get(folder.name):
        return JobState(job, "missing", f"its run was set aside to be run anew, {kept[0]}; `run` puts it back")
    for name, what in misplaced(folder).items():
        advice = "move it away" if name in ("", LOCK) else "`run` moves it aside"
        return JobState(job, "rejected", f"{folder / name}: {what}; {advice}")
    others = [o for o in by_cell.get(_cell_of(job.cell), []) if o[1].key != job.key and o[1].status == "done"]
    if others:
        other = max(others, key=lambda o: o[1].finished)[0]
        lines = differences(read_record(other).identity, job.identity)
        return JobState(job, "stale", first_of(lines), other)
    return JobState(job, "missing")


def explain(found: LedgerStatus, name: str, plan: Plan) -> list[str]:
    """Why a job is in its state, or a cell without a job, one line per fact.

    Args:
        name: of a job or cell; without ``-s<seed>`` that of all its seeds; or the beginning of a key.

    Raises:
        BadUsage: nothing in the plan has such a name or key.
    """
    jobs, lines = _named(found, name, plan), []
    failed = unplanned(plan)
    for full, state in jobs.items():
        lines += [f"{full}: cannot be planned - {failed[full]}"] if state is None else _explained(state, full)
    return lines


def are_done(found: LedgerStatus, name: str, plan: Plan) -> bool:
    """Whether all jobs of a name, as ``explain`` takes it, are planned and done."""
    return all(s is not None and s.state == "done" for s in _named(found, name, plan).values())


def _named(found: LedgerStatus, name: str, plan: Plan) -> dict[str, JobState | None]:
    """What has a name, or a key that begins so, by its full name; None for a cell that cannot be planned."""
    if not name:  # every key begins with it
        raise BadUsage("--why: is empty; name a job, `plan` lists them")
    known, failed = names(plan), unplanned(plan)
    by_key = {s.job.key: s for s in found.jobs}
    full_names = [full for full in {**known, **failed} if name in (full, without_seed(full))]
    jobs = {full: None if full in failed else by_key.get(known[full]) for full in full_names}
    jobs = {full: s for full, s in jobs.items() if s is not None or full in failed}
    jobs = jobs or {s.job.name: s for s in found.jobs if s.job.key.startswith(name)}
    if not jobs:
        choices = dict.fromkeys(choice for full in {**known, **failed} for choice in (full, without_seed(full)))
        raise BadUsage(f"--why: {unknown_name('job', name, choices, listed_by='plan')}")
    return jobs


def _explained(s: JobState, name: str) -> list[str]:
    """The facts about a job, asked for by one of its names."""
    also = f" (the same run as {name})" if s.job.name != name else ""
    lines = [f"{s.job.name}{also}: {s.state}{' - ' + s.detail if s.detail and s.other is None else ''}"]
    if s.other is not None:
        other = read_record(s.other)
        lines.append(f"  the run that is there: {other.key[:12]}, finished {other.finished}, commit {other.commit}")
        lines += [f"  {line}" for line in differences(other.identity, s.job.identity)]
    return [*lines, *(f"  {note}" for note in s.job.notes)]
