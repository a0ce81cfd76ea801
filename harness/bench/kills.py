"""Kills: what a ``run-all`` loses when it is killed again and again and started again. It must lose nothing.

A smoke ``run-all`` is killed (SIGKILL) at seeded moments: the harness alone, one job, or all their process groups at
once. In the first run every training is killed once as soon as it has saved a state, after the first of several epochs,
so that each stage goes on from a checkpoint. After each death of the harness the same command is started again until it
ends with everything done. The ledger is then held against that of an undisturbed run, bit for bit.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from harness.bench.kill import AIMED_WAIT_S, TARGETS, WORK, Count, kill_in_the_middle, kill_something
from harness.bench.ledger_diff import LedgerDiff, compare_ledgers, files_of
from harness.bench.start import Start
from harness.errors import BadUsage
from harness.system.environment import environment, hardware

LONGEST_WAIT = 0.25  # of an undisturbed run's time: a kill comes at most that long after the one before
AIMED_SHARE = 0.33  # of the kills: they follow the next line that the harness prints, where jobs start and end
SITE = "site"
CONFIGS, EPOCHS = "configs", 4  # of the benchmarked runs: smoke trains for one epoch, which has no middle


def run_all_command(*options: str) -> list[str]:
    """``run-all`` with its folders relative to where it is started."""
    return [
        *[sys.executable, "-m", "harness", "run-all", "--work-dir", WORK, "--site", SITE],
        *options,
    ]


def of_several_epochs(configs: Path, copy: Path) -> None:
    """Configs that train for several epochs where they had one, and are the same otherwise."""
    shutil.copytree(configs, copy)
    for path in copy.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("max_epochs=1)", f"max_epochs={EPOCHS})"), encoding="utf-8")


@dataclass(frozen=True)
class KillPlan:
    """When to kill. ``every_middle``: every training once between two epochs, and nothing else."""

    draw: random.Random
    wanted: int  # kills so far at which no more follow
    longest_wait: float  # seconds between two
    every_middle: bool = False


def survive(command: list[str], place: Path, plan: KillPlan, count: Count, say: Callable[[str], None]) -> None:
    """Start the command in a folder again and again, killing, until it ended with code 0.

    Raises:
        ValueError: it failed although nothing was killed since it was started.
    """
    while True:
        start = Start(command, place)
        count.starts += 1
        before = count.kills
        try:
            code = _killed(start, place, plan, count, say)
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


def _killed(start: Start, place: Path, plan: KillPlan, count: Count, say: Callable[[str], None]) -> int:
    """The exit code of one start, after the kills that the plan has for it."""
    while plan.every_middle and not start.over:
        if name := kill_in_the_middle(start, place, count):
            say(f"kill {count.kills}: {name} in the middle of its training")
        start.wait(0.01)
    while count.kills < plan.wanted and not start.over:
        if plan.draw.random() < AIMED_SHARE:
            start.wait_for_a_line(plan.longest_wait)
            start.wait(plan.draw.uniform(0.0, AIMED_WAIT_S))
        else:
            start.wait(plan.draw.uniform(0.0, plan.longest_wait))
        target = "" if start.over else kill_something(start, plan.draw, count, plan.longest_wait)
        if target:
            say(f"kill {count.kills} of {plan.wanted}: {target} while {start.phase}")
        if target in ("harness", "both"):
            break
    return start.result()


def bench_kills(
    folder: Path,
    wanted: int = 100,
    seed: int = 0,
    say: Callable[[str], None] = lambda _: None,
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

    Returns:
        A JSON-serialisable dict. ``records_unequal`` and ``lost`` are what must be empty.

    Raises:
        ValueError: the folder is not empty, or a run fails by itself.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BadUsage(f"{folder}: not empty; give an empty or a new folder with --work-dir")
    command = command or run_all_command("--profile", "smoke", "--configs", f"../{CONFIGS}")
    if configs is not None:
        of_several_epochs(configs, folder / CONFIGS)
    began, draw = time.monotonic(), random.Random(seed)
    (folder / "undisturbed").mkdir(parents=True)
    say("undisturbed run")
    survive(command, folder / "undisturbed", KillPlan(draw, 0, 0.0), Count(), say)
    calm_seconds = time.monotonic() - began
    longest_wait = longest_wait or LONGEST_WAIT * calm_seconds
    count = Count()
    found = _killed_runs(folder, command, KillPlan(draw, wanted, longest_wait, configs is not None), count, say)
    return {
        **_counted(count, len(found)),
        **_compared(found),
        "processes_left": len(still_there(count.pids)),
        "undisturbed_s": calm_seconds,
        "total_s": time.monotonic() - began,
        "seed": seed,
        "command": command[1:],
        "longest_wait_s": longest_wait,
        "hardware": hardware(),
        "environment": environment(),
    }


@dataclass(frozen=True)
class _Outcome:
    """What a run that was killed left, against the undisturbed one."""

    diff: LedgerDiff
    leftover: set[str]  # files that only it has


def _killed_runs(
    folder: Path, command: list[str], plan: KillPlan, count: Count, say: Callable[[str], None]
) -> list[_Outcome]:
    """Runs until the wanted kills are done; the first one is for the middles where the plan asks for them."""
    calm, found, middle = folder / "undisturbed", list[_Outcome](), plan.every_middle
    while middle or count.kills - len(count.middle) < plan.wanted:
        place = folder / f"run-{len(found)}"
        (place / WORK).mkdir(parents=True)
        if found:
            share(calm, place)
        wanted = 0 if middle else plan.wanted + len(count.middle)
        survive(command, place, replace(plan, wanted=wanted, every_middle=middle), count, say)
        middle = False
        diff = compare_ledgers(calm / WORK, place / WORK)
        found.append(_Outcome(diff, files_of(place / WORK) - files_of(calm / WORK)))
        say(f"run {len(found)} over: {diff.equal} records equal, {len(diff.unequal) + len(diff.missing)} not")
    return found


def _counted(count: Count, runs: int) -> dict[str, Any]:
    return {
        "kills": count.kills,
        **{f"kills_of_{t}": count.by_target[t] for t in TARGETS},
        "kills_by_phase": dict(count.by_phase),
        "kills_in_the_middle_of_trainings": sorted(count.middle),
        "runs": runs,
        "starts_after_a_kill": count.starts - runs,
        "jobs_retried": count.retried,
        "jobs_given_up_until_the_next_start": count.given_up,
    }


def _compared(found: list[_Outcome]) -> dict[str, Any]:
    return {
        "records_equal": sum(o.diff.equal for o in found),
        "records_unequal": [f"run-{i}: {line}" for i, o in enumerate(found) for line in o.diff.unequal],
        "lost": [f"run-{i}: {name}" for i, o in enumerate(found) for name in o.diff.missing],
        "leftover_files": [f"run-{i}: {name}" for i, o in enumerate(found) for name in sorted(o.leftover)],
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
