"""An executor whose faults have a name: what it raises, or returns against the protocol, becomes one line."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from harness.errors import BadUsage, EngineLost, QueueFull, one_line
from harness.executors.base import GRACE_SECONDS, Executor, JobHandle, Outcome, Resources

T = TypeVar("T")


class ExecutorFault(ValueError):
    """An executor failed, or broke its protocol; the message names it and what it was asked."""


class CheckedJob:
    """A job of an executor, see ``JobHandle``. Its methods raise ExecutorFault."""

    def __init__(self, executor: str, handle: JobHandle) -> None:
        self._executor, self._handle = executor, handle

    @property
    def id(self) -> str:
        return self._handle.id

    def poll(self) -> Outcome | None:
        found = ask(self._executor, "poll", self._handle.poll)
        return None if found is None else _checked(self._executor, "poll", found, Outcome)

    def cancel(self, grace: float = GRACE_SECONDS) -> None:
        ask(self._executor, "cancel", self._handle.cancel, grace)


class CheckedExecutor:
    """What the scheduler uses of an executor, see ``Executor``. Its methods raise ExecutorFault."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self.name = executor.name
        self.detach = bool(getattr(executor, "detach", False))

    @property
    def slots(self) -> int:
        return self._executor.slots

    def submit(self, run_dir: Path, resources: Resources) -> CheckedJob:
        handle = ask(self.name, "submit", self._executor.submit, run_dir, resources)
        for part in ("id", "poll", "cancel"):
            if not hasattr(handle, part):
                raise ExecutorFault(f"executor {self.name}: submit returned {handle!r}, which has no {part}")
        _checked(self.name, "id of a job", handle.id, str)
        return CheckedJob(self.name, handle)

    def is_known(self, job_id: str) -> bool:
        """Whether a job that was submitted once is still there."""
        return ask(self.name, "attach", self._executor.attach, job_id) is not None

    def wait(self, timeout: float) -> None:
        ask(self.name, "wait", self._executor.wait, timeout)

    def free_memory(self) -> int | None:
        found = ask(self.name, "free_memory", self._executor.free_memory)
        return None if found is None else _checked(self.name, "free_memory", found, int)


def ask(executor: str, what: str, method: Callable[..., Any], *args: Any) -> Any:
    """What a method of an executor returns.

    Raises:
        ExecutorFault: whatever it raises, but for bad usage, a lost or full engine, a full disk: they are as they were.
    """
    try:
        return method(*args)
    except Exception as e:  # whatever a package does
        if isinstance(e, (BadUsage, EngineLost, QueueFull)) or (
            isinstance(e, OSError) and e.errno in (errno.ENOSPC, errno.EDQUOT)
        ):
            raise
        raise ExecutorFault(f"executor {executor}: {what} failed ({type(e).__name__}: {one_line(e)})") from e


def _checked(executor: str, what: str, found: Any, kind: type[T]) -> T:
    if not isinstance(found, kind):
        raise ExecutorFault(f"executor {executor}: {what} gave {found!r}, not a value of {kind.__name__}")
    return found
