"""What the harness costs around the training: planning, status, doing nothing, starting jobs, filling slots.

Commands are measured as whole processes, as a user has them, less the import of MMEngine, which is not the harness's.
Nothing is trained but the jobs of ``measure_jobs``; the ledgers are made up (``harness.bench.made_up``).
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from harness.bench.made_up import finish
from harness.errors import count
from harness.ledger.record import RunRecord
from harness.ledger.store import load_records
from harness.plan.jobs import Job
from harness.plan.loaders import dataset_configs
from harness.plan.planner import make_plan
from harness.plan.resolve import stands_alone
from harness.plan.workspace import Workspace, synthetic_root
from harness.suite import Cell, expand
from harness.system.environment import environment, hardware

REPEATS = 3  # of each command; the fastest counts: everything else the machine does only adds
LIMITS = {  # seconds; a gain is at least its limit
    "plan_s": 2.0,
    "status_s": 2.0,
    "run_all_no_op_s": 1.0,
    "job_overhead_s": 2.0,
    "two_slots_gain": 1.7,
}

PLAN = """
import json, sys, time, pathlib
import mmengine.config
began = time.perf_counter()
from harness.plan.workspace import open_workspace
asked = json.loads(sys.argv[1])
ws = open_workspace(*[pathlib.Path(asked[k]) if k in ("configs", "data_root") else asked[k] for k in asked])
print(json.dumps([time.perf_counter() - began, len(ws.cells), len(ws.plan.errors)]))
"""


def planning_command(ws: Workspace, cells: int) -> tuple[list[str], int]:
    """What plans at least ``cells`` cells (the suite with more seeds), and how many."""
    seeds = math.ceil(cells * ws.seeds / len(ws.cells))
    asked = {
        "configs": str(ws.settings.configs),
        "profile": ws.settings.profile,
        "data_root": str(ws.settings.data_root),
        "tables": ",".join(ws.tables),
        "seeds": seeds,
    }
    return [sys.executable, "-c", PLAN, json.dumps(asked)], seeds * len(ws.cells) // ws.seeds


def measure_planning(ws: Workspace, cells: int = 10_000) -> dict[str, Any]:
    """Seconds to discover, read and plan at least ``cells`` cells in a fresh process."""
    outs = [_run(planning_command(ws, cells)[0]) for _ in range(REPEATS)]
    seconds, planned, errors = min(json.loads(out.splitlines()[-1]) for out in outs)
    return {"plan_s": seconds, "plan_cells": planned, "plan_errors": errors}


def with_jobs(ws: Workspace, records: int) -> Workspace:
    """The suite with as many seeds as it takes for at least ``records`` jobs."""
    seeds, jobs, grown = 0, 0, ws
    while jobs < records:  # stages that other cells share have fewer seeds than cells have
        seeds = max(seeds + 1, math.ceil(records / len(ws.needed())), math.ceil(seeds * records / max(1, jobs)))
        cells = expand(ws.benchmark, ws.entries, ws.settings.profile, ws.tables, seeds, all_methods=not ws.left_out)
        grown = replace(ws, cells=cells, plan=make_plan(cells, ws.entries, ws.settings), seeds=seeds)
        jobs = len(grown.needed())
    return grown


def measure_status(ws: Workspace, records: int = 5_000) -> dict[str, Any]:
    """Seconds of ``status`` over a made-up ledger of at least ``records`` runs."""
    grown = with_jobs(ws, records)
    jobs, seeds = grown.needed(), grown.seeds
    with tempfile.TemporaryDirectory(prefix="harness-bench-") as folder:
        finish(jobs.values(), Path(folder))
        command = [*command_of("status", ws, Path(folder)), "--seeds", str(seeds)]
        seconds, out = _fastest(command)
    _expect(out, f"{count(len(jobs), 'job')}: {len(jobs)} done")
    return {"status_s": seconds - import_seconds(), "status_records": len(jobs)}


def measure_no_op(ws: Workspace) -> dict[str, Any]:
    """Seconds of a ``run-all`` on a finished ledger whose pages are written."""
    jobs = ws.needed()
    with tempfile.TemporaryDirectory(prefix="harness-bench-") as folder:
        finish(jobs.values(), Path(folder) / "work")
        command = command_of("run-all", ws, Path(folder) / "work")
        command += ["--seeds", str(ws.seeds), "--site", f"{folder}/site"]
        _run(command)
        seconds, out = _fastest(command)
    _expect(out, f"{count(len(jobs), 'job')}: {len(jobs)} done before, 0 run")
    return {"run_all_no_op_s": seconds - import_seconds(), "run_all_jobs": len(jobs)}


def measure_jobs(ws: Workspace, cells: int = 6) -> dict[str, Any]:
    """Start-up of a job, and the gain of two slots, on fresh runs of the first network that stands alone.

    ``job_overhead_s`` is the median of a job's time that is neither an epoch nor testing: from the start of its process
    (imports are paid by the fork server) to the first training step, and from the last to its record.
    """
    from harness.bench.execution import execute_all
    from harness.data.store.cache import build_for_datasets
    from harness.executors.local import LocalExecutor
    from harness.schedule.options import Options

    entry = next(e for e in ws.entries.values() if stands_alone(e, ws.settings.profile))
    plan = make_plan([Cell(entry, seed=1000 + i) for i in range(cells)], ws.entries, ws.settings)
    if plan.errors:
        raise ValueError(next(iter(plan.errors.values())))
    warm = {k: j for k, j in list(plan.jobs.items())[:1]}
    result: dict[str, Any] = {"job_model": entry.name, "job_profile": ws.settings.profile}
    with tempfile.TemporaryDirectory(prefix="harness-bench-", ignore_cleanup_errors=True) as folder:
        store = "" if ws.settings.profile == "paper" else f"{folder}/clip_store"  # as run-all has it
        if store:
            datasets = [d for job in plan.jobs.values() for d in dataset_configs(job.config).values()]
            build_for_datasets(datasets, Path(store), 2, lambda _: None)
        for slots in (1, 2):
            executor = LocalExecutor(jobs=slots, cores=slots)
            execute_all(warm, executor, Options(Path(folder) / f"warm{slots}", store), lambda *_: None)
            clock = _Clock()
            began = time.perf_counter()
            execute_all(plan.jobs, executor, Options(Path(folder) / f"{slots}", store), clock.report)
            result[f"{cells}_jobs_{slots}_slots_s"] = time.perf_counter() - began
            if slots == 1:
                records = load_records(Path(folder) / "1")[0]
                result["job_overhead_s"] = median(clock.took[k] - worked(r) for k, (_, r) in records.items())
    result["two_slots_gain"] = result[f"{cells}_jobs_1_slots_s"] / result[f"{cells}_jobs_2_slots_s"]
    return result


def worked(record: RunRecord) -> float:
    """Seconds of epochs and testing."""
    return sum(e.seconds or 0.0 for e in record.epochs) + (record.cost.test_seconds or 0.0)


class _Clock:
    """Seconds from a job's start to its end, by key."""

    def __init__(self) -> None:
        self.began: dict[str, float] = {}
        self.took: dict[str, float] = {}

    def report(self, event: str, job: Job, _detail: str) -> None:
        now = time.perf_counter()
        if event == "started":
            self.began[job.key] = now
        elif event == "done":
            self.took[job.key] = now - self.began[job.key]


def import_seconds() -> float:
    """Seconds of a process that imports MMEngine's configs and does nothing else."""
    return _fastest([sys.executable, "-c", "import mmengine.config"])[0]


def command_of(name: str, ws: Workspace, work_dir: Path) -> list[str]:
    s = ws.settings
    command = [sys.executable, "-m", "harness", name, "--profile", s.profile, "--configs", str(s.configs)]
    command += ["--work-dir", str(work_dir), "--tables", ",".join(ws.tables)]
    command += [] if ws.left_out else ["--all-methods"]
    if s.data_root != synthetic_root(s.profile):
        command += ["--data-root", str(s.data_root)]
    return command + [x for q, path in s.quarantine.items() for x in ("--quarantine", f"{q}={path}")]


def _fastest(command: list[str]) -> tuple[float, str]:
    best, out = math.inf, ""
    for _ in range(REPEATS):
        began = time.perf_counter()
        out = _run(command)
        best = min(best, time.perf_counter() - began)
    return best, out


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise ValueError(f"{' '.join(command[1:4])} failed: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout


def _expect(out: str, words: str) -> None:
    if words not in out:
        raise ValueError(f"the measured command did something else: expected '{words}' in '{out.strip()[-200:]}'")


def bench_harness(ws: Workspace, quick: bool) -> dict[str, Any]:
    """All of the above as one JSON-serialisable dict, with the limits and the hardware it was measured on."""
    return {
        **measure_planning(ws, 1_000 if quick else 10_000),
        **measure_status(ws, 500 if quick else 5_000),
        **measure_no_op(ws),
        **measure_jobs(ws, 2 if quick else 8),
        "import_mmengine_s": import_seconds(),
        "limits": LIMITS,
        "hardware": hardware(),
        "environment": environment(),
    }
