"""How costs grow with the work: planning, the commands that look at a whole ledger, and data sets of many clips.

Each is measured in a process of its own at n, 2 n and 4 n; its exponent is the slope of the logarithm of its processor
time against that of n. Ledgers are made up (``harness.bench.made_up``), clips are links to a few files.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.bench.clip_set import DATA_SET_CLASS, write_clip_set
from harness.bench.made_up import finish
from harness.bench.orchestration import command_of, jobs_for, planning_command
from harness.plan.workspace import Workspace
from harness.system.environment import environment, hardware

LIMITS = {
    "exponent": 1.1,
    "status_s": 3.0,
    "status_mib": 400,
    "verify_mib": 300,
    "report_s": 60.0,
    "report_mib": 1024,
}  # of 20,000 records, but for the exponent, which is that of all

FINGERPRINT = """
import sys
from harness.data.clips import select
select({"type": sys.argv[2], "data_root": sys.argv[1], "split": "train", "modalities": ("rgb", "depth", "ir")})
"""
DATASET = """
import sys
from mmengine.registry import init_default_scope
from mmaction.registry import DATASETS
import mtcd_plugin.register
init_default_scope("mmaction")
pipeline = [
    {"type": "SampleClipFrames", "clip_len": 8}, {"type": "LoadModalities", "size": (32, 32)}, {"type": "PackClip"}
]
more = {"data_root": sys.argv[1], "split": "train", "modalities": ("rgb", "depth", "ir")}
DATASETS.build({"type": sys.argv[2], "pipeline": pipeline, **more})
"""


@dataclass(frozen=True)
class Cost:
    """Processor seconds and peak memory (MiB) of a process that did ``n`` of something."""

    n: int
    seconds: float
    mib: float


@dataclass(frozen=True)
class Sizes:
    cells: int = 100_000
    records: int = 20_000
    clips: int = 31_020  # of MGR-Dark, as the paper has it


QUICK = Sizes(2_000, 1_000, 2_000)


def bench_scale(ws: Workspace, sizes: Sizes, say: Callable[[str], None]) -> dict[str, Any]:
    """Exponents, and seconds and MiB of the largest size.

    Args:
        sizes: the largest; a half and a quarter of them are measured as well.
        say: gets a line for each size that was measured.
    """
    found: dict[str, list[Cost]] = {}
    for share in (4, 2, 1):
        found.setdefault("plan", []).append(_cost(*planning_command(ws, sizes.cells // share)))
        for name, cost in (_ledger(ws, sizes.records // share) | _clips(sizes.clips // share)).items():
            found.setdefault(name, []).append(cost)
        for name, costs in found.items():
            say(f"{name}: {costs[-1].n} in {costs[-1].seconds:.2f} s, {costs[-1].mib:.0f} MiB")
    result: dict[str, Any] = {}
    for name, costs in found.items():
        last = costs[-1]
        result |= {f"{name}_exponent": exponent(costs), f"{name}_n": last.n}
        result |= {f"{name}_s": last.seconds, f"{name}_mib": last.mib}
    return {**result, "limits": LIMITS, "hardware": hardware(), "environment": environment()}


def exponent(costs: list[Cost]) -> float:
    """Slope of log seconds against log n by least squares; what does not grow makes it smaller."""
    return float(np.polyfit(np.log([c.n for c in costs]), np.log([c.seconds for c in costs]), 1)[0])


def _ledger(ws: Workspace, records: int) -> dict[str, Cost]:
    """The commands that look at every record, over a made-up ledger."""
    jobs, seeds = jobs_for(ws, records)
    with tempfile.TemporaryDirectory(prefix="harness-bench-") as folder:
        work, n = Path(folder) / "work", len(jobs)
        finish(jobs.values(), work)
        status = [*command_of("status", ws, work), "--seeds", str(seeds)]
        python = [sys.executable, "-m", "harness"]
        report = ["report", "--work-dir", str(work), "--site", f"{folder}/site", "--configs", str(ws.settings.configs)]
        _cost(status, n)  # judges every record
        return {
            "status": _cost(status, n),
            "verify": _cost([*python, "verify", "--work-dir", str(work)], n),
            "report": _cost([*python, *report], n),
            "report_again": _cost([*python, *report], n),
        }


def _clips(clips: int) -> dict[str, Cost]:
    """Reading a data set of so many clips: what identifies it, and the data set that a training starts with."""
    with tempfile.TemporaryDirectory(prefix="harness-bench-") as folder:
        root = write_clip_set(Path(folder), 2, frames=8, size=(64, 48), other_size=(64, 48))
        link_clips(root, clips)
        time.sleep(2.1)  # a file that was just written is hashed each time that it is asked for
        return {
            "fingerprint": _cost([sys.executable, "-c", FINGERPRINT, str(root), DATA_SET_CLASS], clips),
            "dataset": _cost([sys.executable, "-c", DATASET, str(root), DATA_SET_CLASS], clips),
        }


def link_clips(root: Path, clips: int) -> None:
    """Give a data set of ``write_clip_set`` so many clips: hard links to the files of those that it has."""
    with open(root / "annotations.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    made = list(rows)
    for number in range(len(rows), clips):
        row = dict(rows[number % len(rows)])
        for column in (c for c in row if c.endswith("_file")):
            place = row[column].replace(row["clip_id"], f"clip{number}")
            os.link(root / row[column], root / place)
            row[column] = place
        made.append(row | {"clip_id": f"clip{number}", "pair_id": f"clip{number}"})
    with open(root / "annotations.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(made)


def _cost(command: list[str], n: int) -> Cost:
    """What a process costs. ValueError where it fails, with its last words."""
    with tempfile.TemporaryFile() as said:
        started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        _, code, used = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(code)
        if started.returncode:
            said.seek(0)
            words = said.read().decode(errors="replace").strip()[-300:]
            raise ValueError(f"{' '.join(command[1:4])} failed: {words}")
    return Cost(n, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def falls_short(found: dict[str, Any]) -> list[str]:
    """What is above its limit, a line each. Limits of times and memory are those of the full size."""
    limits = {**LIMITS, **{name: LIMITS["exponent"] for name in found if name.endswith("_exponent")}}
    return [
        f"{name}: {found[name]:.2f}, at most {limit:g}"
        for name, limit in limits.items()
        if name in found and found[name] > limit
    ]
