"""The demo from nothing: what it takes, part by part, and whether it reaches what it has to."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from harness.bench.must_reach import LIMITS, check_all
from harness.bench.start import Start
from harness.errors import BadUsage
from harness.ledger.planfile import read_plan
from harness.ledger.record import RunRecord
from harness.ledger.run_dir import PLAN
from harness.ledger.store import load_records
from harness.system.environment import environment, hardware

WORK, SITE = "work", "site"
EVERY_SECONDS = 1.0  # between two looks at the processes
PARTS = {"plan": "plan", "synthesis": "data", "clip store": "stores", "jobs": "jobs", "report": "pages"}


class Meter:
    """Wall and processor seconds of each part of a command, and the most memory that its processes had at once.

    Processor time is what all processes have used that live, with those of their children that have ended; what a
    process used after the last look at it is missing where nobody waits for it.
    """

    def __init__(self) -> None:
        self.wall = dict.fromkeys(PARTS.values(), 0.0)
        self.cpu = dict.fromkeys(PARTS.values(), 0.0)
        self.peak_bytes = 0
        self._last = time.monotonic()
        self._used = 0.0

    def look(self, phase: str, family: list[psutil.Process]) -> None:
        """Add the time since the last look to the part of a phase (of ``Start.phase``)."""
        now, used, size = time.monotonic(), 0.0, 0
        for process in family:
            try:
                times = process.cpu_times()
                size += memory_of(process)
            except psutil.Error:  # it has ended
                continue
            used += times.user + times.system + times.children_user + times.children_system
        part = PARTS[phase]
        self.wall[part] += now - self._last
        self.cpu[part] += max(0.0, used - self._used)
        self.peak_bytes = max(self.peak_bytes, size)
        self._last, self._used = now, max(used, self._used)

    def parts(self) -> dict[str, dict[str, float]]:
        return {name: {"wall_s": self.wall[name], "cpu_s": self.cpu[name]} for name in self.wall}


def memory_of(process: psutil.Process) -> int:
    """Bytes of a process; what several share is divided between them, where the system tells."""
    try:
        full = process.memory_full_info()
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
    return int(getattr(full, "pss", full.rss))


def run_all_command(data_root: Path | None, quick: bool, seeds: int | None) -> list[str]:
    """``run-all`` of the demo with its folders relative to where it is started."""
    command = [sys.executable, "-m", "harness", "run-all", "--profile", "demo", "--work-dir", WORK, "--site", SITE]
    command += ["--data-root", str(data_root.resolve())] if data_root else []
    command += ["--quick"] if quick else []
    return command + (["--seeds", str(seeds)] if seeds else [])


def bench_demo(
    folder: Path, command: list[str], quick: bool, say: Callable[[str], None], every: float = EVERY_SECONDS
) -> dict[str, Any]:
    """Run a demo in an empty folder and hold it against its limits; one JSON-serialisable dict.

    Args:
        command: that runs it there, with the work dir ``WORK``.
        quick: it runs but some of the cells.
        say: told each line that the command prints.

    Raises:
        BadUsage: the folder is not empty.
        ValueError: it left no plan, or it hangs.
    """
    if any(folder.iterdir()):
        raise BadUsage(f"{folder}: not empty; give an empty or a new folder with --work-dir")
    start, meter, began, told = Start(command, folder), Meter(), time.monotonic(), 0
    try:
        while not start.over:
            start.wait(every)
            meter.look(start.phase, start.family())
            for line in start.lines[told:]:
                say(line)
                told += 1
        seconds = time.monotonic() - began
        code = start.result()
    except BaseException:  # interrupted: nothing runs on by itself
        start.end()
        raise
    try:
        plan = read_plan(folder / WORK / PLAN)
    except FileNotFoundError:
        raise ValueError(f"the demo ended with code {code} and planned nothing: {' '.join(start.lines[-3:])}") from None
    records = {key: record for key, (_, record) in load_records(folder / WORK)[0].items()}
    checks = check_all(seconds, meter.peak_bytes, plan.cells, records, quick)
    return {
        "code": code,
        "total_s": seconds,
        "peak_bytes": meter.peak_bytes,
        "parts": meter.parts(),
        **_of_records(list(records.values())),
        "checks": [{"name": c.name, "ok": c.ok, "detail": c.detail, "line": c.line} for c in checks],
        "limits": LIMITS,
        "hardware": hardware(),
        "environment": environment(),
    }


def _of_records(records: list[RunRecord]) -> dict[str, Any]:
    """What the jobs say themselves: how many, and the seconds of a slot that trainings and tests took."""
    return {
        "jobs": len(records),
        "failed": sorted(f"{r.cell.model}: {r.failure.kind}" for r in records if r.failure is not None),
        "training_s": sum(r.cost.train_seconds or 0.0 for r in records),
        "testing_s": sum(r.cost.test_seconds or 0.0 for r in records),
    }


def lines_of(found: dict[str, Any]) -> list[str]:
    """What was measured, as lines."""
    lines = [f"{name:8s} {p['wall_s']:8.1f} s  {p['cpu_s']:8.1f} s of processors" for name, p in found["parts"].items()]
    lines.append(f"{'all':8s} {found['total_s']:8.1f} s, {found['peak_bytes'] / 2**30:.1f} GiB at most")
    lines.append(
        f"{found['jobs']} jobs, {len(found['failed'])} failed; trainings {found['training_s']:.0f} s of a slot, "
        f"tests and renderings {found['testing_s']:.0f} s"
    )
    lines += [f"failed: {name}" for name in found["failed"]]
    return lines + [check["line"] for check in found["checks"]]


def reached(found: dict[str, Any]) -> bool:
    """Whether all jobs are done and nothing falls short."""
    return found["code"] == 0 and all(check["ok"] is not False for check in found["checks"])
