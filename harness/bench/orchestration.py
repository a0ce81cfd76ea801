"""What the harness costs around the training: planning, status, doing nothing, starting jobs, filling slots."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.environment import environment, hardware
from harness.identity import IDENTITY_VERSION, run_key
from harness.ledger.record import CellInfo, Identity, RunRecord
from harness.ledger.store import run_dir, write_record
from harness.plan.jobs import Settings, make_plan
from harness.status import survey
from harness.suite import Cell, Entry
from harness.workspace import Workspace


def measure_planning(entries: dict[str, Entry], settings: Settings, count: int = 10_000) -> float:
    """Seconds to plan ``count`` cells: every entry with many seeds. MMEngine is imported before the clock starts."""
    import mmengine.config  # noqa: F401

    chosen = list(entries.values())
    cells = [Cell(chosen[i % len(chosen)], seed=i // len(chosen)) for i in range(count)]
    began = time.perf_counter()
    make_plan(cells, entries, settings)
    return time.perf_counter() - began


def measure_status(workspace: Workspace, count: int = 5_000) -> float:
    """Seconds for ``status`` over a ledger of ``count`` made-up records, in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        for i in range(count):
            write_record_of(Path(folder), i)
        began = time.perf_counter()
        survey(workspace, Path(folder))
        return time.perf_counter() - began


def write_record_of(work_dir: Path, seed: int) -> None:
    """A record without predictions, to fill a ledger with."""
    cell = CellInfo(
        model="filler",
        method="Filler",
        stage="single",
        dataset="mgr_dark",
        train_modalities=["rgb"],
        test_modality="rgb",
        seed=seed,
        profile="smoke",
    )
    identity = Identity(version=IDENTITY_VERSION, config={}, data={}, parents={}, code={}, seed=seed)
    record = RunRecord(key=run_key(identity), status="done", cell=cell, identity=identity)
    folder = run_dir(work_dir, f"filler-s{seed}", record.key)
    folder.mkdir(parents=True)
    write_record(folder, record)


def measure_no_op(work_dir: Path, profile: str) -> dict[str, float]:
    """Seconds of a ``run-all`` that finds everything done, as a whole process, and of importing MMEngine alone."""
    with tempfile.TemporaryDirectory() as site:
        command = [
            sys.executable,
            "-m",
            "harness",
            "run-all",
            "--profile",
            profile,
            "--work-dir",
            str(work_dir),
            "--site",
            f"{site}/site",
        ]
        whole = min(_timed(command) for _ in range(3))
    importing = min(_timed([sys.executable, "-c", "import mmengine.config"]) for _ in range(3))
    return {"run_all_no_op_s": whole, "import_mmengine_s": importing, "beyond_import_s": whole - importing}


def measure_jobs(workspace: Workspace, cells: int = 4) -> dict[str, float]:
    """Start-up of a job and the gain of two slots, on fresh runs of the first single-network entry.

    ``start_to_first_step_s`` is the time from starting a job's process (imports are paid by the fork server) to the end
    of its first training step, less that step.
    """
    from harness.execute import Options, execute
    from harness.executors.local import LocalExecutor

    entry = next(e for e in workspace.entries.values() if e.stage == "single")
    plan = make_plan(
        [Cell(entry, seed=1000 + i) for i in range(cells)], workspace.entries, workspace.settings
    )
    result: dict[str, float] = {}
    for slots in (1, 2):
        folder = Path(tempfile.mkdtemp())
        try:
            executor = LocalExecutor(jobs=slots, cores=slots)
            warm = {k: j for k, j in list(plan.jobs.items())[:1]}
            execute(warm, executor, Options(work_dir=folder / "warm"), lambda *a: None)
            began = time.perf_counter()
            execute(plan.jobs, executor, Options(work_dir=folder / "real"), lambda *a: None)
            result[f"{cells}_jobs_{slots}_slots_s"] = time.perf_counter() - began
        finally:
            shutil.rmtree(folder)
    result["two_slots_gain"] = result[f"{cells}_jobs_1_slots_s"] / result[f"{cells}_jobs_2_slots_s"]
    return result


def _timed(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def bench_harness(workspace: Workspace, work_dir: Path, profile: str, quick: bool) -> dict[str, Any]:
    """All of the above as one JSON-serialisable dict with the hardware it was measured on."""
    settings = replace(workspace.settings)
    planning = 1_000 if quick else 10_000
    records = 500 if quick else 5_000
    return {
        f"plan_{planning}_cells_s": measure_planning(workspace.entries, settings, planning),
        f"status_{records}_records_s": measure_status(workspace, records),
        **measure_no_op(work_dir, profile),
        **measure_jobs(workspace, 2 if quick else 6),
        "hardware": hardware(),
        "environment": environment(),
    }
