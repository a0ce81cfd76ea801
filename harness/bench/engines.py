"""Engines: what a smoke suite loses on a cluster that is disturbed, and what a job costs there beyond a local one.

The suite runs undisturbed on this machine and on the engine, one job at a time, and then again and again on the engine
while its harness is killed, and nodes are lost, at seeded moments. Each of these ledgers is held against that of the
engine's undisturbed run, bit for bit. No run may have been started more often than its node was lost, and once.
"""

from __future__ import annotations

import contextlib
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from harness.bench.engine_start import imports_cpu_seconds, start_seconds
from harness.bench.kill import WORK
from harness.bench.kills import CONFIGS, of_several_epochs, share
from harness.bench.ledger_diff import compare_ledgers
from harness.bench.orchestration import worked
from harness.bench.start import Start
from harness.errors import BadUsage
from harness.executors.registry import executors, option_name
from harness.ledger.run_dir import LOG, RUNS
from harness.ledger.store import load_records
from harness.system.environment import environment, hardware
from harness.worker.signals import STARTED_LINE

LONGEST_WAIT = 0.25  # of the undisturbed run's time: something happens at most that long after the last

# Loses a node that runs jobs of a work dir, and gives the cluster another; returns the names of their folders.
LoseNode = Callable[[Path, random.Random], list[str]]
Say = Callable[[str], None]


@dataclass
class Happened:
    """What was done to a suite so far, and what came of it."""

    kills: int = 0  # of the harness
    losses: int = 0  # of nodes that ran a job
    starts: int = 0
    retried: int = 0
    ended: list[str] = field(default_factory=list)  # last lines of starts that failed after something had happened
    hits: Counter[str] = field(default_factory=Counter)  # losses of its node, by ledger and run
    twice: list[str] = field(default_factory=list)  # runs that were started more often than that
    lost: list[str] = field(default_factory=list)
    unequal: list[str] = field(default_factory=list)
    equal: int = 0


@dataclass(frozen=True)
class Disturbances:
    """What is done to a suite.

    Args:
        longest_wait: seconds between two at most, by default a quarter of the undisturbed run's time.
    """

    kills: int = 0  # of the harness
    losses: int = 0  # of nodes that run a job
    lose_node: LoseNode = lambda *_: []
    seed: int = 0
    longest_wait: float | None = None

    def next_of(self, happened: Happened, draw: random.Random) -> str:
        """What is to happen next, "" for nothing more."""
        left = ["kill"] * (self.kills - happened.kills) + ["loss"] * (self.losses - happened.losses)
        return draw.choice(left) if left else ""


def smoke_command(cells: Iterable[str], data_root: Path | None = None) -> list[str]:
    """Runs some cells in the folder in which it is started, with configs from the one above."""
    options = ["--profile", "smoke", "--configs", f"../{CONFIGS}", "--seeds", "1", "--work-dir", WORK]
    options += ["--data-root", str(data_root.resolve())] if data_root else []
    chosen = [word for cell in cells for word in ("--cell", cell)]
    return [sys.executable, "-m", "harness", "run", *options, *chosen]


def flags_of(backend: str, given: Mapping[str, Any]) -> list[str]:
    """A backend and its options, as the command line has them.

    Args:
        given: values by name, None or False where not given.
    """
    found = ["--backend", backend]
    for flag, kind in executors()[backend].options.items():
        value = given.get(option_name(flag))
        if value:
            found += [flag] if kind.get("is_flag") else [flag, str(value)]
    return found


def bench_engine(
    folder: Path,
    command: list[str],
    flags: list[str],
    asked: Disturbances,
    configs: Path | None = None,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Run the suite undisturbed, then until the harness was killed and nodes were lost as often as wanted.

    Args:
        folder: scratch folder, empty or absent.
        command: what to run in each place, without its backend; it keeps its ledger in ``work``.
        flags: the backend and its options.
        configs: folder of configs of which the command takes a copy with longer trainings, ``../configs`` for it.

    Returns:
        A JSON-serialisable dict. ``lost``, ``unequal`` and ``run_twice`` are what must be empty.

    Raises:
        BadUsage: the folder is not empty, or jobs of the backend end with the harness.
        ValueError: a run fails by itself.
    """
    backend = flags[1]
    _check(folder, backend)
    if configs is not None:
        of_several_epochs(configs, folder / CONFIGS)
    began = time.monotonic()
    here, calm = folder / "local", folder / "undisturbed"
    own = _one_at_a_time([*command, "--backend", "local"], "local", here, say)
    (calm / WORK).mkdir(parents=True)
    share(here, calm)
    calm_began = time.monotonic()
    there = _one_at_a_time([*command, *flags], backend, calm, say)
    calm_s = time.monotonic() - calm_began
    start_s = start_seconds(backend, flags)
    longest_wait = asked.longest_wait or LONGEST_WAIT * calm_s
    plan = _Plan(asked, random.Random(asked.seed), longest_wait)
    happened, runs = _disturbed_runs([*command, *flags], folder, plan, say)
    return {
        "driver_kills": happened.kills,
        "node_losses": happened.losses,
        "jobs_on_lost_nodes": happened.hits.total(),
        "runs": runs,
        "records_equal": happened.equal,
        "unequal": happened.unequal,
        "lost": happened.lost,
        "run_twice": happened.twice,
        "harness_starts": happened.starts,
        "jobs_tried_again": happened.retried,
        "ended_after_losses": happened.ended,
        "job_overhead_local_s": median(own.values()),
        "job_overhead_s": median(there.values()),
        "engine_start_s": start_s,
        "worker_imports_cpu_s": imports_cpu_seconds(),
        "overhead_beyond_engine_s": median(there.values()) - median(own.values()) - (start_s or 0.0),
        "undisturbed_s": calm_s,
        "total_s": time.monotonic() - began,
        "seed": asked.seed,
        "command": [*command[1:], *flags],
        "longest_wait_s": longest_wait,
        "hardware": hardware(),
        "environment": environment(),
    }


def _check(folder: Path, backend: str) -> None:
    """Raises BadUsage where nothing can be measured in that folder, or of that backend."""
    if folder.exists() and any(folder.iterdir()):
        raise BadUsage(f"{folder}: not empty; give an empty or a new folder with --work-dir")
    if backend == "local":
        raise BadUsage("--backend local: its jobs end with the harness; `bench kills` measures that")


@dataclass(frozen=True)
class _Plan:
    """What is still to happen, and when. ``longest_wait``: seconds between two."""

    asked: Disturbances
    draw: random.Random
    longest_wait: float


def one_at_a_time(command: list[str], flag: str) -> list[str]:
    """The command with one job at a time, whatever number of jobs it has."""
    at = command.index(flag) if flag in command else len(command)
    return [*command[:at], *command[at + 2 :], flag, "1"]


def _one_at_a_time(command: list[str], backend: str, place: Path, say: Say) -> dict[str, float]:
    """Seconds of each training that are neither epochs nor testing, by name, of a run with one job at a time.

    Raises:
        ValueError: it failed.
    """
    (place / WORK).mkdir(parents=True, exist_ok=True)
    flag = "--jobs" if backend == "local" else f"--{backend}-jobs"
    say(f"undisturbed, {backend}")
    start = Start(one_at_a_time(command, flag) if flag in executors()[backend].options else command, place)
    try:
        code = start.result()
    except BaseException:
        _stop(start)
        raise
    if code:
        raise ValueError(f"{place}: ended with code {code}: {' | '.join(start.lines[-5:])}")
    at: dict[tuple[str, str], float] = {}
    for line, seconds in zip(start.lines, start.read_at, strict=False):
        if said := re.search(r"(?:^|\s)(started|done) +(\S+)", line):
            at[said[1], said[2]] = seconds
    found = {}
    for run, record in load_records(place / WORK)[0].values():
        name = run.name.rpartition("-")[0]
        if record.kind == "train" and ("started", name) in at and ("done", name) in at:
            found[name] = at["done", name] - at["started", name] - worked(record)
    return found


def _disturbed_runs(command: list[str], folder: Path, plan: _Plan, say: Say) -> tuple[Happened, int]:
    """What happened in whole runs, each held against the undisturbed one, and how many these were."""
    happened, runs = Happened(), 0
    while plan.asked.next_of(happened, plan.draw):
        place = folder / f"run-{runs}"
        (place / WORK).mkdir(parents=True)
        share(folder / "local", place)
        _disturb(command, place, plan, happened, say)
        _hold_against(folder / "undisturbed", place, happened)
        runs += 1
        say(f"run {runs} over: {happened.equal} records equal so far, {happened.retried} jobs tried again")
    return happened, runs


def _disturb(command: list[str], place: Path, plan: _Plan, happened: Happened, say: Say) -> None:
    """Start the command again and again, disturbed, until it ended with code 0.

    Raises:
        ValueError: it failed although nothing has happened since it was started.
    """
    while True:
        start = Start(command, place)
        happened.starts += 1
        before = happened.kills, happened.losses
        try:
            code = _disturbed(start, place, plan, happened, say)
        except BaseException:  # interrupted: nothing runs on by itself
            _stop(start)
            raise
        happened.retried += sum("  retry " in line for line in start.lines)
        if code == 0:
            return
        if code > 0:
            if before == (happened.kills, happened.losses):
                raise ValueError(f"{place}: ended with code {code} by itself: {' | '.join(start.lines[-5:])}")
            happened.ended.append(f"code {code}: {' | '.join(start.lines[-2:])}")


def _disturbed(start: Start, place: Path, plan: _Plan, happened: Happened, say: Say) -> int:
    """The exit code of one start, after what happens to it."""
    while following := plan.asked.next_of(happened, plan.draw):
        start.wait(plan.draw.uniform(0.0, plan.longest_wait))
        if start.over:
            break
        if following == "kill":
            say(f"kill {happened.kills + 1} of {plan.asked.kills} while {start.phase}")
            start.process.kill()
            happened.kills += 1
            break
        if hit := plan.asked.lose_node(place / WORK, plan.draw):
            happened.losses += 1
            happened.hits.update(f"{place.name}/{run}" for run in hit)
            say(f"loss {happened.losses} of {plan.asked.losses}: {', '.join(hit)}")
    return start.result()


def _hold_against(calm: Path, place: Path, happened: Happened) -> None:
    diff = compare_ledgers(calm / WORK, place / WORK)
    happened.equal += diff.equal
    happened.unequal += [f"{place.name}: {line}" for line in diff.unequal]
    happened.lost += [f"{place.name}: {line}" for line in diff.missing]
    for run in sorted((place / WORK / RUNS).glob("*")):
        log = (run / LOG).read_text(encoding="utf-8", errors="replace") if (run / LOG).exists() else ""
        starts = sum(line.startswith(STARTED_LINE) for line in log.splitlines())
        name = f"{place.name}/{run.name}"
        if starts > 1 + happened.hits[name]:
            happened.twice.append(f"{name}: started {starts} times, its node lost {happened.hits[name]} times")


def _stop(start: Start) -> None:
    """Ask a harness to stop its jobs, and end it."""
    start.process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        start.process.wait(60.0)
    start.end()
