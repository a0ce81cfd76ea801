"""Progress of an execution: a log record an event, and a live table of what runs on a terminal."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.ledger.files import read_file
from harness.ledger.run_dir import PROGRESS
from harness.ledger.store import load_records
from harness.plan.jobs import Job
from harness.schedule.task import Status
from harness.system.duration import duration

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

log = logging.getLogger(__name__)


class Progress:
    """Logs what happens. ``estimates`` maps a job's key to the seconds it should take, where history knows."""

    def __init__(self, jobs: Mapping[str, Job], slots: int, estimates: Mapping[str, float]) -> None:
        self.jobs = jobs
        self.slots = slots
        self.estimates = estimates
        self.began: dict[str, float] = {}
        self.seen: list[float] = []
        self.live: Live | None = None

    def __enter__(self) -> Progress:
        if sys.stdout.isatty():
            from rich.live import Live

            self.live = Live(refresh_per_second=2, transient=True)
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()

    def report(self, event: str, job: Job, detail: str) -> None:
        """One record per event; starts are shown on the live display alone where there is one."""
        now = time.monotonic()
        if event == "started":
            self.began[job.key] = now
        elif event == "done":
            self.seen.append(now - self.began.get(job.key, now))
        level = logging.DEBUG if self.live and event == "started" else logging.INFO
        log.log(level, "%-9s %s%s", event, job.name, f"  {detail}" if detail else "")

    def tick(self, status: Status) -> None:
        if self.live:
            self.live.update(self._table(status))

    def _table(self, status: Status) -> Table:
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        left = self.remaining_seconds(status)
        head = f"{status.over}/{status.total} jobs"
        bits = [
            f"{status.cached} done before" if status.cached else "",
            f"{len(status.failed)} failed" if status.failed else "",
            f"about {duration(left)} left" if left is not None else "",
        ]
        table.add_row(head, ", ".join(b for b in bits if b), "")
        for key, folder in status.running.items():
            table.add_row(
                "running",
                self.jobs[key].name,
                _where(folder, time.monotonic() - self.began.get(key, time.monotonic())),
            )
        return table

    def remaining_seconds(self, status: Status) -> float | None:
        """Estimated seconds to the end: history of the same model where there is one,
        the mean of this run otherwise.
        """
        known = list(self.estimates.values()) + self.seen
        if not known:
            return None
        mean = sum(self.seen) / len(self.seen) if self.seen else sum(known) / len(known)
        over = status.failed.keys() | status.blocked.keys()
        open_jobs = status.total - status.over - len(status.running)
        total = open_jobs * mean
        for key in status.running:
            if key not in over:
                total += max(
                    0.0,
                    self.estimates.get(key, mean) - (time.monotonic() - self.began.get(key, time.monotonic())),
                )
        return total / max(self.slots, 1)


def history(work_dir: Path, jobs: Mapping[str, Job]) -> dict[str, float]:
    """Seconds that each job should take, from done runs of the same model and profile in the ledger."""
    records, _ = load_records(work_dir)
    past: dict[tuple[str, str], list[float]] = {}
    for _, r in records.values():
        if r.status == "done" and r.cost.total_seconds:
            past.setdefault((r.cell.model, r.cell.profile), []).append(r.cost.total_seconds)
    means = {k: sum(v) / len(v) for k, v in past.items()}
    found = {key: means.get((j.cell.model, j.cell.profile)) for key, j in jobs.items()}
    return {k: v for k, v in found.items() if v is not None}


def _where(folder: Path, seconds: float) -> str:
    try:
        p = json.loads(read_file(folder / PROGRESS, 1 << 20))
    except (OSError, ValueError):
        return f"starting, {duration(seconds)}"
    if p["phase"] == "train":
        return f"epoch {p['epoch'] + 1}/{p['max_epochs']}, {duration(seconds)}"
    return f"{p['phase']}, {duration(seconds)}"
