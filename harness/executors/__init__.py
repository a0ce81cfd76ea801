"""Where jobs run. One protocol, one backend for now: ``local``.

An executor takes a job's folder (with its ``job.json``), runs the worker on it somewhere, and says how the process
ended. Planning, worker and ledger know nothing of it, so that engines for more than one machine can be added here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.errors import BadUsage, unknown_name


@dataclass(frozen=True)
class Outcome:
    """How a job's process ended: its folder, exit code (negative: killed by that signal), and whether time ran out."""

    directory: Path
    exitcode: int
    timed_out: bool = False


class Executor(Protocol):
    """Runs jobs on slots."""

    slots: int

    def submit(self, directory: Path) -> int:
        """Start the job of a folder on a free slot; returns its process id."""

    def free(self) -> int:
        """How many jobs could be submitted now."""

    def free_memory(self) -> int | None:
        """Bytes that a job on a free slot could take on its device, None where that is not known."""

    def wait(self, timeout: float) -> list[Outcome]:
        """Jobs that ended, after at most ``timeout`` seconds."""

    def stop(self, grace: float) -> None:
        """Ask every running job to stop at its checkpoint; kill what has not stopped after ``grace`` seconds."""


BACKENDS = ("local",)


def make_executor(backend: str, **options) -> Executor:
    """Raises ValueError for an unknown backend, naming the valid ones."""
    if backend == "local":
        from harness.executors.local import LocalExecutor

        return LocalExecutor(**options)
    raise BadUsage(unknown_name("backend", backend, BACKENDS))
