"""How costs grow with the work: planning, the commands that look at a whole ledger, and data sets of many clips.

Each is measured in a process of its own at n, 2 n and 4 n; its exponent is the slope of the logarithm of its processor
time against that of n. Ledgers are made up (``harness.bench.made_up``), clips are links to a few files.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from harness.bench.clip_set import DATA_SET_CLASS, write_clip_set
from harness.bench.demo import memory_of
from harness.bench.made_up import finish
from harness.bench.orchestration import command_of, planning_command, with_jobs
from harness.plan.workspace import Workspace, save_plan
from harness.system.environment import environment, hardware

LIMITS = {
    "exponent": 1.1,
    "status_s": 3.0,
    "status_mib": 400,
    "verify_mib": 300,
    "report_s": 60.0,
    "report_mib": 1024,
    "site_s": 15.0,
    "site_again_s": 3.0,
}  # of 20,000 records; but the exponent is that of all, and a site is one of ``SITE``

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

# A program that a large process starts begins in its memory, and is said to have needed as much; this one is small.
MEASURED = """
import json, resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    json.dump([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024], file)
sys.exit(code % 256)
"""


@dataclass(frozen=True)
class Cost:
    """Processor seconds of a process that did ``n`` of something, with those that it started; the most memory (MiB)
    that they had at once; and the seconds that passed."""

    n: int
    seconds: float
    mib: float
    wall: float = 0.0


@dataclass(frozen=True)
class Sizes:
    cells: int = 100_000
    records: int = 20_000
    clips: int = 31_020  # of MGR-Dark, as the paper has it


QUICK = Sizes(2_000, 1_000, 2_000)
SHARES = (4, 2, 1)  # of the sizes
EVERY_SECONDS = 0.5  # between two looks at the memory of several processes
SITE = 1_000  # runs of the site that has limits of its own


def bench_scale(ws: Workspace, sizes: Sizes, say: Callable[[str], None]) -> dict[str, Any]:
    """Exponents, and seconds and MiB of the largest size; seconds of the reports of ``SITE`` runs, or a word that there
    are not so many.

    Args:
        sizes: the largest; a half and a quarter of them are measured as well.
        say: gets a line for each size that was measured.
    """
    found: dict[str, list[Cost]] = {}

    def measured(costs: dict[str, Cost], of_growth: bool = True) -> None:
        for name, cost in costs.items():
            if of_growth:
                found.setdefault(name, []).append(cost)
            say(f"{name}: {cost.n} in {cost.seconds:.2f} s ({cost.wall:.2f} s passed), {cost.mib:.0f} MiB")

    for share in SHARES:
        measured({"plan": cost_of(*planning_command(ws, sizes.cells // share))})
        measured(_clips(sizes.clips // share))
    result: dict[str, Any] = {"site": f"not measured: no ledger of {SITE} runs among those of up to {sizes.records}"}
    grown = [sizes.records // share for share in SHARES]
    with tempfile.TemporaryDirectory(prefix="harness-bench-") as folder:  # one ledger, that grows
        done: set[str] = set()
        for records in sorted({*grown, SITE} if sizes.records > SITE else grown):
            costs = _ledger(ws, records, Path(folder), done)
            measured(costs, records in grown)
            if records == SITE:
                first, again = costs["report"], costs["report_again"]
                result = {"site_n": first.n, "site_s": first.seconds, "site_again_s": again.seconds}
    for name, of_size in found.items():
        last = of_size[-1]
        result |= {f"{name}_exponent": exponent(of_size), f"{name}_n": last.n}
        result |= {f"{name}_s": last.seconds, f"{name}_mib": last.mib, f"{name}_wall_s": last.wall}
    return {**result, "limits": LIMITS, "hardware": hardware(), "environment": environment()}


def exponent(costs: list[Cost]) -> float:
    """Slope of log seconds against log n by least squares; what does not grow makes it smaller."""
    return float(np.polyfit(np.log([c.n for c in costs]), np.log([c.seconds for c in costs]), 1)[0])


def _ledger(ws: Workspace, records: int, folder: Path, done: set[str]) -> dict[str, Cost]:
    """The commands that look at every record, over a made-up ledger and its plan; ``report_again`` is after one new
    run.

    Args:
        folder: holds the ledger, to which runs are added. done: their keys, added to.
    """
    grown = with_jobs(ws, records)
    jobs, seeds = grown.needed(), grown.seeds
    work, site, n = folder / "work", folder / "site", len(jobs)
    parents = {key for job in jobs.values() for key in job.identity.parents.values()}
    usual = [key for key, job in jobs.items() if key not in parents and not job.cell.variant]  # no point of a sweep
    last = next(key for key in reversed(usual) if key not in done)
    finish([job for key, job in jobs.items() if key not in done and key != last], work)
    save_plan(grown, work)  # as `run` does: without it each page says anew how many seeds there are
    status = [*command_of("status", ws, work), "--seeds", str(seeds)]
    python = [sys.executable, "-m", "harness"]
    report = ["report", "--work-dir", str(work), "--site", str(site), "--configs", str(ws.settings.configs)]
    cost_of(status, n)  # judges every record
    for old in (site, folder / "cache"):  # which holds drawings and statistics of the reports before
        shutil.rmtree(old, ignore_errors=True)
    own = {"XDG_CACHE_HOME": f"{folder}/cache", "MPLCONFIGDIR": font_cache()}
    costs = {"report": cost_of([*python, *report], n, own)}
    finish([jobs[last]], work)
    done.update(jobs)
    costs["report_again"] = cost_of([*python, *report], n, own)
    cost_of(status, n)
    return costs | {"status": cost_of(status, n), "verify": cost_of([*python, "verify", "--work-dir", str(work)], n)}


def _clips(clips: int) -> dict[str, Cost]:
    """Reading a data set of so many clips: what identifies it, and the data set that a training starts with."""
    with tempfile.TemporaryDirectory(prefix="harness-bench-") as folder:
        root = write_clip_set(Path(folder), 2, frames=8, size=(64, 48), other_size=(64, 48))
        link_clips(root, clips)
        time.sleep(2.1)  # a file that was just written is hashed each time that it is asked for
        return {
            "fingerprint": cost_of([sys.executable, "-c", FINGERPRINT, str(root), DATA_SET_CLASS], clips),
            "dataset": cost_of([sys.executable, "-c", DATASET, str(root), DATA_SET_CLASS], clips),
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


def font_cache() -> str:
    """Where Matplotlib keeps its list of fonts, which the first drawing of a new machine makes."""
    import matplotlib

    return matplotlib.get_cachedir()


def cost_of(command: list[str], n: int, environ: Mapping[str, str] | None = None) -> Cost:
    """What a process costs, with those that it starts. ValueError where it fails, with its last words."""
    with tempfile.TemporaryFile() as said, tempfile.NamedTemporaryFile() as used:
        measured = [sys.executable, "-IS", "-c", MEASURED, used.name, *command]
        began, together = time.perf_counter(), 0.0
        own = {**os.environ, **(environ or {})}
        with subprocess.Popen(measured, stdout=subprocess.DEVNULL, stderr=said, env=own) as process:
            try:
                while process.poll() is None:
                    together = max(together, _together(process.pid))
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(EVERY_SECONDS)
            except BaseException:
                process.kill()
                raise
        wall = time.perf_counter() - began
        if process.returncode:
            said.seek(0)
            words = said.read().decode(errors="replace").strip()[-300:]
            raise ValueError(f"{' '.join(command[1:4])} failed: {words}")
        seconds, mib = json.load(used)
    return Cost(n, seconds, max(mib, together), wall)


def _together(pid: int) -> float:
    """MiB that the processes below one have now; 0 of a single one, of which the system keeps the most itself."""
    sizes = []
    with suppress(psutil.Error):  # it has ended, or one of them has
        for process in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.Error):
                sizes.append(memory_of(process))
    return sum(sizes) / 2**20 if len(sizes) > 1 else 0.0


def falls_short(found: dict[str, Any]) -> list[str]:
    """What is above its limit, a line each. Limits of times and memory are those of the full size."""
    limits = {**LIMITS, **{name: LIMITS["exponent"] for name in found if name.endswith("_exponent")}}
    return [
        f"{name}: {found[name]:.2f}, at most {limit:g}"
        for name, limit in limits.items()
        if name in found and found[name] > limit
    ]
