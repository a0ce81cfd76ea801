"""Which jobs of a ledger an executor still has, as that executor says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from harness.executors.checked import ExecutorFault, ask
from harness.executors.registry import executors
from harness.ledger.submission import Submission, recall
from harness.plan.run_state import folder_of
from harness.plan.status import JobState

WAITS = "PENDING"  # in the words of Slurm and of Ray


def with_submitted(states: Iterable[JobState], work_dir: Path) -> tuple[list[JobState], list[str]]:
    """States of jobs, ``running`` where an executor has the job, ``queued`` where it waits there, with what it says.

    Returns also the executors that could not be asked, a line each.
    """
    found = list(states)
    left = {s.job.key: _submission(folder_of(s.job, work_dir)) for s in found if s.state != "done"}
    said: dict[tuple[str, str], str] = {}
    faults = []
    for backend in sorted({at.backend for at in left.values() if at}):
        describe = getattr(executors().get(backend), "describe", None)
        if describe is None:
            continue
        ids = [at.id for at in left.values() if at and at.backend == backend]
        try:
            lines: Mapping[str, str] = ask(backend, "describe", describe, ids)
        except (ExecutorFault, OSError) as e:
            faults.append(str(e))
            continue
        said |= {(backend, job_id): line for job_id, line in lines.items()}
    shown = []
    for s in found:
        at = left.get(s.job.key)
        line = said.get((at.backend, at.id)) if at else None
        shown.append(_with_line(s, at.backend, line) if at and line else s)
    return shown, faults


def _submission(folder: Path) -> Submission | None:
    """Where a folder's job was submitted; None also where this user may not see it, which its state says."""
    try:
        return recall(folder)
    except PermissionError:
        return None


def _with_line(state: JobState, backend: str, line: str) -> JobState:
    """``line``: the job's id, the engine's word for where it stands, and more."""
    word = (line.split() + [""])[1]
    return replace(state, state="queued" if word == WAITS else "running", detail=f"{backend} job {line}", other=None)
