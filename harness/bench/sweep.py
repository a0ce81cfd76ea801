"""What training a sweep's students side by side saves against training each on its own, in one run on one slot."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.bench.execution import execute_all
from harness.errors import BadUsage
from harness.executors.local import LocalExecutor
from harness.ledger.record import RunRecord
from harness.ledger.store import load_record
from harness.plan.jobs import Job, dependency_closure
from harness.plan.run_state import folder_of
from harness.plan.workspace import Workspace
from harness.schedule.options import Options
from harness.system.environment import hardware


def bench_sweep(
    workspace: Workspace, work_dir: Path, clip_store: str, quick: bool, say: Callable[[str], None]
) -> dict[str, Any]:
    """Train the points of the figures' sweeps separately and side by side, on one CPU slot, after their common stages.

    The common stages (translator, teacher, assistant) come from ``work_dir`` and are trained there where they are
    missing; the students themselves are trained afresh in temporary folders. ``equal``: weights, predictions and losses
    agree bit for bit.

    Args:
        quick: three points instead of all. say: gets a line per job.

    Raises:
        ValueError: no points to train, or a stage or a point failed.
    """
    jobs = workspace.plan.jobs
    students = _students(workspace, 3 if quick else None)
    stages = {k: j for k, j in dependency_closure(jobs, students).items() if k not in students}
    options = Options(work_dir=work_dir, clip_store=clip_store)
    executor = LocalExecutor(jobs=1, cores=1)

    def report(event: str, job: Job, detail: str) -> None:
        say(f"{event:9s} {job.name}{'  ' + detail if detail else ''}")

    execute_all(stages, executor, options, report)
    seconds: dict[bool, float] = {}
    records: dict[bool, dict[str, RunRecord]] = {}
    for fuse in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            _bring(stages, work_dir, Path(folder))
            own = replace(options, work_dir=Path(folder), fuse=fuse, retries=0)
            began = time.perf_counter()
            execute_all({**stages, **students}, executor, own, report)
            seconds[fuse] = time.perf_counter() - began
            records[fuse] = {k: load_record(folder_of(j, Path(folder))) for k, j in students.items()}
    return {
        "points": len(students),
        "separate_s": seconds[False],
        "fused_s": seconds[True],
        "fused_over_separate": seconds[True] / seconds[False],
        "equal": all(_same(records[False][k], records[True][k]) for k in students),
        "profile": workspace.settings.profile,
        "hardware": hardware(),
    }


def _students(workspace: Workspace, most: int | None) -> dict[str, Job]:
    """The jobs of the figures' points, the first ``most`` of them. Raises BadUsage where there is none."""
    keys = {
        workspace.plan.keys[c.id, c.seed]
        for c in workspace.cells
        if (c.id, c.seed) in workspace.plan.keys and any(u.startswith("figure") for u in c.used_by)
    }
    if not keys:
        raise BadUsage(f"{', '.join(workspace.tables)}: no sweep to train; choose a figure with --tables")
    return {k: workspace.plan.jobs[k] for k in sorted(keys)[:most]}


def _same(a: RunRecord, b: RunRecord) -> bool:
    """Whether weights, predictions and losses agree bit for bit."""
    return (a.checkpoint_sha256, a.predictions_sha256, [e.losses for e in a.epochs]) == (
        b.checkpoint_sha256,
        b.predictions_sha256,
        [e.losses for e in b.epochs],
    )


def _bring(stages: dict[str, Job], source: Path, target: Path) -> None:
    """Copy the finished stages into another work dir."""
    for job in stages.values():
        shutil.copytree(folder_of(job, source), folder_of(job, target))
