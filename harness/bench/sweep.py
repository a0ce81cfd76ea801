"""What training a sweep's students side by side saves against training each on its own, in one run on one slot."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.errors import BadUsage
from harness.executors.local import LocalExecutor
from harness.ledger.store import load_record
from harness.plan.jobs import Job, dependency_closure
from harness.plan.run_state import folder_of
from harness.plan.workspace import Workspace
from harness.schedule.scheduler import Options, State, execute
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
    keys = {
        workspace.plan.keys[c.id, c.seed]
        for c in workspace.cells
        if (c.id, c.seed) in workspace.plan.keys and any(u.startswith("figure") for u in c.used_by)
    }
    students = {k: workspace.plan.jobs[k] for k in sorted(keys)}
    if not students:
        raise BadUsage(f"{', '.join(workspace.tables)}: no sweep to train; choose a figure with --tables")
    if quick:
        students = dict(list(students.items())[:3])
    stages = {k: j for k, j in dependency_closure(workspace.plan.jobs, students).items() if k not in students}
    options = Options(work_dir=work_dir, clip_store=clip_store)
    executor = LocalExecutor(jobs=1, cores=1)

    def report(event: str, job: Job, detail: str) -> None:
        say(f"{event:9s} {job.name}{'  ' + detail if detail else ''}")

    done = execute(stages, executor, options, report)
    if done.stopped:
        raise KeyboardInterrupt
    if done.failed or done.blocked:
        raise ValueError(
            f"a stage that the sweep stands on failed: {next(iter((done.failed | done.blocked).values()))}"
        )
    seconds, records = {}, {}
    for fuse in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            _bring(stages, work_dir, Path(folder))
            own = replace(options, work_dir=Path(folder), fuse=fuse, retries=0)
            began = time.perf_counter()
            state: State = execute({**stages, **students}, executor, own, report)
            seconds[fuse] = time.perf_counter() - began
            if state.stopped:
                raise KeyboardInterrupt
            if state.failed:
                raise ValueError(f"a point of the sweep failed: {next(iter(state.failed.values()))}")
            records[fuse] = {k: load_record(folder_of(j, Path(folder))) for k, j in students.items()}
    equal = all(
        (a.checkpoint_sha256, a.predictions_sha256, [e.losses for e in a.epochs])
        == (b.checkpoint_sha256, b.predictions_sha256, [e.losses for e in b.epochs])
        for a, b in ((records[False][k], records[True][k]) for k in students)
    )
    return {
        "points": len(students),
        "separate_s": seconds[False],
        "fused_s": seconds[True],
        "fused_over_separate": seconds[True] / seconds[False],
        "equal": equal,
        "profile": workspace.settings.profile,
        "hardware": hardware(),
    }


def _bring(stages: dict[str, Job], source: Path, target: Path) -> None:
    """Copy the finished stages into another work dir."""
    for job in stages.values():
        shutil.copytree(folder_of(job, source), folder_of(job, target))
