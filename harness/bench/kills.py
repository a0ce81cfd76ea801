"""Kills: what a ``run-all`` loses when it is killed again and again and started again. It must lose nothing.

A smoke ``run-all`` is killed (SIGKILL) at seeded moments: the harness alone, one job, or all their process groups at
once. In the first run every training is killed once as soon as it has saved a state, after the first of several epochs,
so that each stage goes on from a checkpoint. After each death of the harness the same command is started again until it
ends with everything done. The ledger is then held against that of an undisturbed run, bit for bit.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from harness.bench.ledger_diff import compare_ledgers, files_of
from harness.bench.start import Start
from harness.errors import BadUsage
from harness.ledger.lock import RunLock
from harness.ledger.run_dir import RESUME
from harness.system.environment import environment, hardware

TARGETS = ("harness", "job", "both")
LONGEST_WAIT = 0.25  # of an undisturbed run's time: a kill comes at most that long after the one before
AIMED_SHARE = 0.33  # of the kills: they follow the next line that the harness prints, where jobs start and end
AIMED_WAIT_S = 1.0
WORK, SITE = "work", "site"
CONFIGS, EPOCHS = "configs", 4  # of the benchmarked runs: smoke trains for one epoch, which has no middle


def run_all_command(*options: str) -> list[str]:
    """``run-all`` with its folders relative to where it is started."""
    return [
        *[sys.executable, "-m", "harness", "run-all", "--work-dir", WORK, "--site", SITE],
        *options,
    ]


@dataclass
class Count:
    """What happened so far."""

    by_target: Counter = field(default_factory=Counter)
    by_phase: Counter = field(default_factory=Counter)
    starts: int = 0
    retried: int = 0  # by the harness itself, lines of `retry`
    given_up: int = 0  # retries used up: failed until the next start
    middle: set[str] = field(default_factory=set)  # names of runs that were killed between two epochs
    pids: dict[int, float] = field(default_factory=dict)  # processes that were there at a kill -> start time

    @property
    def kills(self) -> int:
        return sum(self.by_target.values())


def kill_something(start: Start, draw: random.Random, count: Count, patience: float) -> str:
    """Kill one target; returns which, '' where it was over before. A job is waited for; without one it is the harness.

    Args:
        patience: seconds to wait for a job.
    """
    target = draw.choice(TARGETS)
    jobs = start.jobs()
    if target != "harness" and not jobs:
        end = time.monotonic() + patience
        while not start.jobs() and not start.over and time.monotonic() < end:
            start.wait(0.1)
        start.wait(draw.uniform(0.0, AIMED_WAIT_S))
        jobs = start.jobs()
    if not jobs:
        target = "harness"
    phase = start.phase
    for process in start.family():
        with contextlib.suppress(psutil.NoSuchProcess):
            count.pids[process.pid] = process.create_time()
    if start.over:
        return ""
    if target == "harness":
        start.process.kill()
    elif target == "job":
        if not kill_group(draw.choice(jobs)):
            return ""
    else:
        for group in (start.process.pid, *jobs):
            kill_group(group)
    count.by_target[target] += 1
    count.by_phase[phase] += 1
    return target


def kill_in_the_middle(start: Start, place: Path, count: Count) -> str:
    """Kill a training that has saved its first state, each run once; returns its name, '' for none now."""
    for run in place.glob(f"{WORK}/runs/*"):
        if run.name in count.middle or not (run / RESUME).is_file():
            continue
        holder = RunLock(run).holder()
        job = (
            holder.processes[-1][0] if holder else start.process.pid
        )  # the harness claims a run and shares it with the job
        phase = start.phase
        if job != start.process.pid and kill_group(job):
            count.middle.add(run.name)
            count.by_target["job"] += 1
            count.by_phase[phase] += 1
            return run.name
    return ""


def of_several_epochs(configs: Path, copy: Path) -> None:
    """Configs that train for several epochs where they had one, and are the same otherwise."""
    shutil.copytree(configs, copy)
    for path in copy.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("max_epochs=1)", f"max_epochs={EPOCHS})"), encoding="utf-8")


def kill_group(group: int) -> bool:
    """False where it is gone."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def survive(
    command: list[str],
    place: Path,
    draw: random.Random,
    wanted: int,
    count: Count,
    say: Callable[[str], None],
    longest_wait: float,
    every_middle: bool = False,
) -> None:
    """Start the command in a folder again and again, killing, until it ended with code 0.

    Args:
        every_middle: kill every training once in the middle, and nothing else.

    Raises:
        ValueError: it failed although nothing was killed since it was started.
    """
    while True:
        start = Start(command, place)
        count.starts += 1
        before = count.kills
        try:
            while every_middle and not start.over:
                if name := kill_in_the_middle(start, place, count):
                    say(f"kill {count.kills}: {name} in the middle of its training")
                start.wait(0.01)
            while count.kills < wanted and not start.over:
                if draw.random() < AIMED_SHARE:
                    start.wait_for_a_line(longest_wait)
                    start.wait(draw.uniform(0.0, AIMED_WAIT_S))
                else:
                    start.wait(draw.uniform(0.0, longest_wait))
                target = "" if start.over else kill_something(start, draw, count, longest_wait)
                if target:
                    say(f"kill {count.kills} of {wanted}: {target} while {start.phase}")
                if target in ("harness", "both"):
                    break
            code = start.result()
        except BaseException:  # interrupted: nothing runs on by itself
            start.end()
            raise
        count.retried += sum("  retry " in line for line in start.lines)
        count.given_up += sum("  failed " in line for line in start.lines)
        if code == 0:
            return
        if code > 0 and count.kills == before:
            raise ValueError(
                f"{place}: ended with code {code} although nothing was killed: {' | '.join(start.lines[-5:])}"
            )


def bench_kills(
    folder: Path,
    wanted: int = 100,
    seed: int = 0,
    say: Callable[[str], None] = lambda line: None,
    command: list[str] | None = None,
    longest_wait: float | None = None,
    configs: Path | None = None,
) -> dict[str, Any]:
    """Kill ``wanted`` times, in as many runs as that takes, and compare every ledger with that of an undisturbed run.

    Args:
        folder: scratch folder, empty or absent. The first run that is killed also makes data and clip stores; the
            further ones share those of the undisturbed run.
        command: what to run in each place; it keeps its ledger in ``work``.
        longest_wait: seconds between kills at most, by default a quarter of the undisturbed run's time.
        configs: folder of configs of which the command takes a copy with longer trainings, ``../configs`` for it; kills
            in the middle of trainings come first then, beside those that are wanted.

    Returns: a JSON-serialisable dict. ``records_unequal`` and ``lost`` are what must be empty.

    Raises:
        ValueError: the folder is not empty, or a run fails by itself.
    """
    folder = Path(folder)
    if folder.exists() and any(folder.iterdir()):
        raise BadUsage(f"{folder}: not empty; give an empty or a new folder with --work-dir")
    command = command or run_all_command("--profile", "smoke", "--configs", f"../{CONFIGS}")
    if configs is not None:
        of_several_epochs(configs, folder / CONFIGS)
    began = time.monotonic()
    draw = random.Random(seed)
    count = Count()
    calm = folder / "undisturbed"
    calm.mkdir(parents=True)
    say("undisturbed run")
    survive(command, calm, draw, 0, Count(), say, 0.0)
    calm_seconds = time.monotonic() - began
    longest_wait = longest_wait or LONGEST_WAIT * calm_seconds
    total: dict[str, Any] = {"records_equal": 0, "records_unequal": [], "lost": [], "leftover_files": []}
    runs = 0
    middle = configs is not None
    while middle or count.kills - len(count.middle) < wanted:
        place = folder / f"run-{runs}"
        (place / WORK).mkdir(parents=True)
        if runs:
            share(calm, place)
        runs += 1
        survive(command, place, draw, 0 if middle else wanted + len(count.middle), count, say, longest_wait, middle)
        middle = False
        found = compare_ledgers(calm / WORK, place / WORK)
        total["records_equal"] += found.equal
        total["records_unequal"] += [f"run-{runs - 1}: {line}" for line in found.unequal]
        total["lost"] += [f"run-{runs - 1}: {name}" for name in found.missing]
        total["leftover_files"] += [
            f"run-{runs - 1}: {name}" for name in sorted(files_of(place / WORK) - files_of(calm / WORK))
        ]
        say(f"run {runs} over: {found.equal} records equal, {len(found.unequal) + len(found.missing)} not")
    return {
        "kills": count.kills,
        **{f"kills_of_{t}": count.by_target[t] for t in TARGETS},
        "kills_by_phase": dict(count.by_phase),
        "kills_in_the_middle_of_trainings": sorted(count.middle),
        "runs": runs,
        "starts_after_a_kill": count.starts - runs,
        "jobs_retried": count.retried,
        "jobs_given_up_until_the_next_start": count.given_up,
        **total,
        "processes_left": len(still_there(count.pids)),
        "undisturbed_s": calm_seconds,
        "total_s": time.monotonic() - began,
        "seed": seed,
        "command": command[1:],
        "longest_wait_s": longest_wait,
        "hardware": hardware(),
        "environment": environment(),
    }


def share(calm: Path, place: Path) -> None:
    """Let a run use the data and the clip stores of the undisturbed one."""
    for name in ("data", f"{WORK}/clip_store"):
        if (calm / name).is_dir():
            (place / name).symlink_to((calm / name).resolve(), target_is_directory=True)


def still_there(pids: dict[int, float], patience: float = 30.0) -> list[int]:
    """Which of these processes live on after some time: nothing may outlast its harness for long."""
    end = time.monotonic() + patience
    while True:
        alive = []
        for pid, started in pids.items():
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                if process.create_time() == started and process.status() != psutil.STATUS_ZOMBIE:
                    alive.append(pid)
        if not alive or time.monotonic() > end:
            return alive
        time.sleep(0.5)
