"""A job of the cluster, as the harness that submitted it knows it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BadUsage
from harness.executors.base import GRACE_SECONDS, Outcome
from harness.executors.shared_files import log_size
from harness.executors.slurm import client
from harness.ledger.run_dir import RECORD, RESUME

if TYPE_CHECKING:  # --help starts without pydantic
    from harness.worker.spec import JobSpec

POLL_S = 10.0  # between questions to the controller while nothing is known to have changed
QUICK_POLL_S = 1.0  # where a job has written its record or was asked to stop
LAST_POLL_S, LAST_S = 0.25, 5.0  # for so long after its record was seen: its node's next job can start


class SlurmJob:
    """A job of the cluster; see ``JobHandle``.

    Args:
        outcome_of: asks Slurm how it ended, None while it has not.
        spec: what its worker was told, None for a job that another harness has submitted.
    """

    def __init__(
        self,
        outcome_of: Callable[[SlurmJob], Outcome | None],
        name: str,
        run_dir: Path | None = None,
        spec: JobSpec | None = None,
    ) -> None:
        self._outcome_of = outcome_of
        self.id = name
        self.run_dir = run_dir
        self.spec = spec
        self.submitted = time.monotonic()
        self.state_before = _saved(run_dir)
        self.log_before = log_size(run_dir)
        self.time_limit: float | None = None
        self.asked = False  # to stop, by this harness
        self.kill_at: float | None = None  # on the monotonic clock
        self.killed = False
        self.recorded: float | None = None  # since when its record is seen
        self.missed: float | None = None  # since when a job that is over has not shown what it wrote
        self.outcome: Outcome | None = None

    def poll(self) -> Outcome | None:
        if self.outcome is None:
            try:
                self.outcome = self._outcome_of(self)
            except BadUsage:
                self.outcome = Outcome(None)  # it is over: said once
                raise
        return self.outcome

    def cancel(self, grace: float = GRACE_SECONDS) -> None:
        self.asked, self.kill_at = True, time.monotonic() + grace
        client.signal(self.id, "--state=PENDING")
        client.signal(self.id, "--batch", "--signal=TERM")

    @property
    def pause(self) -> float:
        """Seconds between two questions after it: few where it is about to end, as far as is seen from here."""
        now = time.monotonic()
        if self.recorded is None and self.run_dir is not None and (self.run_dir / RECORD).exists():
            self.recorded = now
        if self.recorded is not None and now - self.recorded < LAST_S:
            return LAST_POLL_S
        return QUICK_POLL_S if self.asked or self.missed is not None or self.recorded is not None else POLL_S

    @property
    def went_on(self) -> bool:
        """Whether it has saved a state since it was submitted."""
        return _saved(self.run_dir) != self.state_before


def _saved(run_dir: Path | None) -> int:
    """The time of the state that a training goes on from, 0 where there is none."""
    try:
        return 0 if run_dir is None else os.stat(run_dir / RESUME).st_mtime_ns
    except FileNotFoundError:
        return 0
