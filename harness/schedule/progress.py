"""Progress of an execution: a log record an event; one bar and what runs on a terminal, lines of the same elsewhere."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from harness.errors import count
from harness.ledger.files import read_file
from harness.ledger.run_dir import PROGRESS
from harness.ledger.store import load_heads
from harness.plan.jobs import Job
from harness.schedule.task import GOES_ON, Status
from harness.system.duration import duration

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live

log = logging.getLogger(__name__)

PLAIN_SECONDS = 30.0  # between lines on where running jobs stand, where nothing can be drawn
BAR_COLUMNS = 32
SHARE_THAT_TELLS = 0.05  # of a training: less says too little of how long it takes


@dataclass(frozen=True)
class Stands:
    """Where a running job stands.

    Attributes:
        seconds: since it started. share: of its epochs that are over. before: of them, those of an earlier attempt.
        text: all in words.
    """

    seconds: float
    share: float
    text: str
    before: float = 0.0

    @property
    def whole(self) -> float | None:
        """Seconds that a job takes which goes on as this one has; None where too little of it is over."""
        here = self.share - self.before
        return self.seconds / here if here >= SHARE_THAT_TELLS else None


class Progress:
    """Logs what happens.

    Args:
        estimates: a job's key -> the seconds it should take, where history knows.
        queued: jobs wait in the queue of an engine once they are started here.
    """

    def __init__(
        self, jobs: Mapping[str, Job], slots: int, estimates: Mapping[str, float], queued: bool = False
    ) -> None:
        self.jobs = jobs
        self.slots = slots
        self.estimates = estimates
        self.queued = queued
        self.began: dict[str, float] = {}
        self.before: dict[str, float | None] = {}  # share of epochs that an earlier attempt has done; None: to be seen
        self.seen: list[float] = []
        self.late: list[float] = []  # by how much jobs took longer than their estimate: a start of a process, a store
        self.live: Live | None = None
        self.told = time.monotonic()

    def __enter__(self) -> Progress:
        if sys.stdout.isatty():
            from rich.live import Live

            self.live = Live(refresh_per_second=2, transient=True)
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            with suppress(OSError):  # the terminal is gone
                self.live.stop()

    def report(self, event: str, job: Job, detail: str) -> None:
        """One record per event; starts are shown on the live display alone where there is one."""
        now = time.monotonic()
        if event == "started":
            self.told = self.told if self.began else now  # the first lines come 30 s after the first start
            self.began[job.key] = now
            self.before[job.key] = None if GOES_ON in detail else 0.0
        elif event == "done":
            took = now - self.began.get(job.key, now)
            self.seen.append(took)
            self.late += [took - self.estimates[job.key]] if job.key in self.estimates else []
        level = logging.DEBUG if self.live and event == "started" else logging.INFO
        log.log(level, "%-9s %s%s", event, job.name, f"  {detail}" if detail else "")

    def tick(self, status: Status) -> None:
        """Draw where all jobs stand, or say it in lines from time to time where nothing can be drawn."""
        self._look_back(status)
        if self.live:
            try:
                self.live.update(self._table(status))
            except OSError:  # the terminal is gone, which is no reason to lose the jobs
                self.live = None
        elif status.running and time.monotonic() - self.told >= PLAIN_SECONDS:
            self.told = time.monotonic()
            log.info("%-9s %s", "progress", ", ".join(self._summary(status, self._running(status))))
            for key, stands in self._running(status).items():
                log.info("%-9s %s  %s", "running", self.jobs[key].name, stands.text)

    def _look_back(self, status: Status) -> None:
        """Note how far the jobs that go on have come before, once they say so."""
        for key in begun(status):
            if self.before.get(key, 0.0) is None:
                share = stands(status.running[status.beside.get(key, key)], 0.0).share
                self.before[key] = share if share < 1 else 0.0

    def _running(self, status: Status) -> dict[str, Stands]:
        now = time.monotonic()
        silent = "queued or starting" if self.queued else "starting"
        found = {}
        for key in status.running:
            lead = status.beside.get(key, key)
            seconds, renders = now - self.began.get(key, now), clips_to_render(self.jobs[key])
            at = replace(stands(status.running[lead], seconds, renders, silent), before=self.before.get(key) or 0.0)
            beside = f"beside {self.jobs[lead].name}, {duration(seconds)}"
            found[key] = at if lead == key else replace(at, text=beside)
        return found

    def _summary(self, status: Status, running: Mapping[str, Stands]) -> list[str]:
        left = self.remaining_seconds(status, running)
        bits = [
            f"{status.over} of {status.total} jobs",
            f"{status.cached} done before" if status.cached else "",
            f"{len(status.failed)} failed" if status.failed else "",
            f"about {duration(left)} left" if left is not None else "",
        ]
        return [b for b in bits if b]

    def _table(self, status: Status) -> Group:
        """One bar for all jobs, and a line for each that runs."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        running = self._running(status)
        head = Table.grid(padding=(0, 2))
        share = status.over + sum(s.share for s in running.values())
        head.add_row(
            ProgressBar(total=max(status.total, 1), completed=share, width=BAR_COLUMNS),
            Text(", ".join(self._summary(status, running))),
        )
        lines = Table.grid(padding=(0, 2))
        for key, found in running.items():
            lines.add_row("running", Text(self.jobs[key].name), Text(found.text))
        return Group(head, lines)

    def remaining_seconds(self, status: Status, running: Mapping[str, Stands] | None = None) -> float | None:
        """Estimated seconds to the end: history of the same model where there is one, the mean of this run otherwise,
        in which a job that runs counts with what its share of epochs says. No less than the longest chain of jobs that
        wait for another takes, however many slots are idle, nor than the pace of this run says where history does not
        know all of it.
        """
        found = self._running(status) if running is None else running
        told = self.seen + [s.whole for s in found.values() if s.whole is not None]
        if self.seen:  # short jobs end first: those that have run for longer say that the mean is too low
            told += [s.seconds for s in found.values() if s.whole is None and s.seconds > fmean(self.seen)]
        known = list(self.estimates.values()) + told
        if not known:
            return None
        mean = fmean(told or known)
        left = {key: self._expected(key, mean) for key in status.waiting}
        left |= {key: _left(self._expected(key, mean), s) for key, s in found.items()}
        return max(sum(left.values()) / max(self.slots, 1), _longest_chain(self.jobs, left), self._by_pace(left, found))

    def _by_pace(self, left: Mapping[str, float], running: Mapping[str, Stands]) -> float:
        """Seconds to the end if jobs go on to end as often as they have; 0 where history knows them all, or none has
        ended.
        """
        if not self.seen or (left.keys() <= self.estimates.keys() and not self.queued):
            return 0.0
        here = sum(s.share - s.before for s in running.values())
        passed = time.monotonic() - min(self.began.values())
        return passed / (len(self.seen) + here) * (len(left) - sum(s.share for s in running.values()))

    def _expected(self, key: str, mean: float) -> float:
        """Seconds that a job should take, from its start to its end as this run sees them."""
        late = sum(self.late) / len(self.late) if self.late else 0.0
        return self.estimates[key] + max(late, 0.0) if key in self.estimates else mean


def _left(expected: float, s: Stands) -> float:
    """Seconds that a running job should still take: where it has overrun, as its share of epochs says."""
    expected *= 1 - s.before
    if s.seconds < expected or s.whole is None or s.share >= 1:
        return max(0.0, expected - s.seconds)
    return s.whole * (1 - s.share)


def _longest_chain(jobs: Mapping[str, Job], left: Mapping[str, float]) -> float:
    """Seconds of the longest chain of jobs of which each waits for the one before.

    Args:
        jobs: parents before children. left: what each job that is not over still takes.
    """
    ends: dict[str, float] = {}
    for key, job in jobs.items():
        if key in left:
            ends[key] = left[key] + max((ends.get(parent, 0.0) for parent in job.parents.values()), default=0.0)
    return max(ends.values(), default=0.0)


def begun(status: Status) -> list[str]:
    """Keys of the running jobs of which a worker has written where they stand: the others start, or an engine has not
    started them.
    """
    running = status.running
    return [key for key in running if (running[status.beside.get(key, key)] / PROGRESS).is_file()]


def history(work_dir: Path, jobs: Mapping[str, Job]) -> dict[str, float]:
    """Seconds that each job should take, from done runs of the same model and profile in the ledger."""
    records, _ = load_heads(work_dir)
    past: dict[tuple[str, str], list[float]] = {}
    for _, r in records.values():
        if r.status == "done" and r.seconds:
            past.setdefault((r.model, r.profile), []).append(r.seconds)
    means = {k: sum(v) / len(v) for k, v in past.items()}
    found = {key: means.get((j.cell.model, j.cell.profile)) for key, j in jobs.items()}
    return {k: v for k, v in found.items() if v is not None}


def clips_to_render(job: Job) -> tuple[int, int] | None:
    """How many clips a rendering writes, and how many at a time; None for any other job."""
    if job.kind != "render" or job.data is None:
        return None
    return job.data.test_clips, int((job.config.get("test_dataloader") or {}).get("batch_size", 1))


def stands(
    folder: Path,
    seconds: float,
    renders: tuple[int, int] | None = None,
    silent: str = "starting",
) -> Stands:
    """Where the job of a run's folder stands, from what its worker wrote there.

    Args:
        renders: ``clips_to_render`` of the job.
        silent: what a job is called that has written nothing yet.
    """
    try:
        p = json.loads(read_file(folder / PROGRESS, 1 << 20))
        epochs = int(p["max_epochs"])
        phase, epoch = str(p["phase"]), int(p["epoch"])
        loss, top1 = p.get("loss"), p.get("train_top1")
    except (OSError, ValueError, TypeError, KeyError):
        return Stands(seconds, 0.0, f"{silent}, {duration(seconds)}")
    if renders is not None:
        clips = max(renders[0], 1)
        done = min(int(p.get("iteration", 0)) * renders[1], clips)
        return Stands(seconds, done / clips, f"rendering, {done} of {count(clips, 'clip')}, {duration(seconds)}")
    if phase != "train":
        return Stands(seconds, 1.0, f"{phase}, {duration(seconds)}")
    said = [
        f"epoch {epoch + 1}/{epochs}",
        f"loss {loss:.3f}" if isinstance(loss, float) else "",
        f"training accuracy {100 * top1:.1f} %" if isinstance(top1, float) else "",
        duration(seconds),
    ]
    return Stands(seconds, min(epoch / epochs, 1.0) if epochs else 0.0, ", ".join(s for s in said if s))
