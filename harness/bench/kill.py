"""Single kills: of the harness, of one of its jobs, of all their process groups at once."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from harness.bench.start import Start
from harness.ledger.lock import RunLock
from harness.ledger.run_dir import RESUME, RUNS

TARGETS = ("harness", "job", "both")
AIMED_WAIT_S = 1.0
WORK = "work"  # where the command keeps its ledger


@dataclass
class Count:
    """What happened so far."""

    by_target: Counter[str] = field(default_factory=Counter)
    by_phase: Counter[str] = field(default_factory=Counter)
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
    for run in (place / WORK / RUNS).glob("*"):
        if run.name in count.middle or not (run / RESUME).is_file():
            continue
        holder = RunLock(run).holder()
        # the harness claims a run and shares it with the job
        job = holder.processes[-1][0] if holder else start.process.pid
        phase = start.phase
        if job != start.process.pid and kill_group(job):
            count.middle.add(run.name)
            count.by_target["job"] += 1
            count.by_phase[phase] += 1
            return run.name
    return ""


def kill_group(group: int) -> bool:
    """False where it is gone."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
