"""The protocol of an executor: it starts the worker on a run's folder somewhere, and says how that ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:  # --help starts without pydantic
    from harness.ledger.record import FailureKind

GRACE_SECONDS = 20.0  # from the request to stop to the kill
DETACH = {  # the option of all executors whose jobs can outlive the harness
    "is_flag": True,
    "default": None,
    "help": "Ctrl-C leaves the jobs of the cluster running; the same command finds them again.",
}


@dataclass(frozen=True)
class Resources:
    """What one job gets.

    Args:
        gpus: GPUs (on the CPU: processes) that train it together.
        time_limit: seconds after which it is stopped, None for no limit.
        slots: whose cores it may use, its own and those that nothing else is ready for; an executor may give it less.
    """

    gpus: int = 1
    time_limit: float | None = None
    slots: int = 1


@dataclass(frozen=True)
class Outcome:
    """How a job's process ended.

    Args:
        exit_code: negative: killed by that signal; None where nobody saw it.
        cause: the class of failure where the executor knows it, e.g. a time limit; None: the exit code says all.
        message: one line about ``cause``: what happened and what to do.
        alone: no other job shared the memory that it ran out of.
    """

    exit_code: int | None
    cause: FailureKind | None = None
    message: str = ""
    alone: bool = False


class JobHandle(Protocol):
    """A job that was submitted."""

    @property
    def id(self) -> str:
        """Names the job for ``Executor.attach``, in this harness or a later one."""

    def poll(self) -> Outcome | None:
        """How the job ended, None while it waits or runs."""

    def cancel(self, grace: float = GRACE_SECONDS) -> None:
        """Ask the job to stop at its checkpoint, and return at once; after ``grace`` seconds it is killed."""


class Executor(Protocol):
    """Runs jobs, each as ``python -m harness.worker RUN_DIR`` or as the same function in a prepared process.

    An attribute ``detach`` that is true: its jobs go on where the harness is asked to stop. A classmethod
    ``describe(ids)`` says what is known of jobs, one line by id; ``status`` shows it. Both may be missing.
    """

    name: ClassVar[str]  # of --backend
    options: ClassVar[Mapping[str, Mapping[str, Any]]]  # of the command line: flag -> arguments of click.option

    @classmethod
    def create(cls, options: Mapping[str, Any], resources: Resources) -> Executor:
        """Make one from the values of its options (None: not given) and what each job gets.

        Raises:
            BadUsage: something is asked for that is not there.
        """

    @property
    def slots(self) -> int:
        """How many jobs it takes at a time."""

    def submit(self, run_dir: Path, resources: Resources) -> JobHandle:
        """Start the job of a run's folder; at most ``slots`` run at a time.

        Raises:
            QueueFull: the engine takes no more for now, and does not have this one.
        """

    def attach(self, job_id: str) -> JobHandle | None:
        """The job of an id that this harness or an earlier one submitted; None where it is over or not known here."""

    def wait(self, timeout: float) -> None:
        """Return when a job may have ended, after at most ``timeout`` seconds."""

    def free_memory(self) -> int | None:
        """Bytes that one more job could take on its device, None where that is not known."""
