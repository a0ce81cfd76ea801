"""A job while a plan is executed: the state that it is in, and the ways from one state to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from harness.ledger.lock import RunLock
from harness.ledger.submission import HarnessWatch, refresh
from harness.plan.jobs import Job

GOES_ON = "goes on from its checkpoint"  # said of a job that starts where an earlier attempt has left one


class JobState(Enum):
    """Where a job stands. ``WAITING``, ``ELSEWHERE`` and ``RUNNING`` are open, all others are final."""

    WAITING = "waiting"  # for its parents, or a slot
    ELSEWHERE = "elsewhere"  # another harness runs it
    RUNNING = "running"
    DONE = "done"  # by this harness
    CACHED = "cached"  # by an earlier one, or another
    FAILED = "failed"
    BLOCKED = "blocked"  # a job that it depends on failed


_OPEN = (JobState.WAITING, JobState.ELSEWHERE)
_FROM = {  # state -> those that it follows
    JobState.WAITING: (JobState.RUNNING,),
    JobState.ELSEWHERE: _OPEN,
    JobState.RUNNING: _OPEN,
    JobState.DONE: (JobState.RUNNING,),
    JobState.CACHED: _OPEN,
    JobState.FAILED: (*_OPEN, JobState.RUNNING),
    JobState.BLOCKED: _OPEN,
}


@dataclass
class Task:
    """A job of the plan and what this harness knows of it."""

    job: Job
    folder: Path
    lock: RunLock = field(init=False)  # on its folder; held where its number is not 0
    watch: HarnessWatch = field(init=False)  # over another harness that has submitted it
    state: JobState = field(default=JobState.WAITING, init=False)
    message: str = ""  # why it failed or is blocked, or who runs it
    attempts: int = 0  # over all invocations
    tried: int = 0  # in this one
    accumulate: int = 1  # the micro-batch is the config's batch divided by this
    alone: bool = False  # its group failed: no longer side by side with others
    turn: int = 0  # the lower, the earlier it starts
    lead: str = ""  # the key of the job in whose process it trains, side by side with it; "" for its own
    submitted: str = ""  # by an earlier harness: the id of the job that it waits for

    def __post_init__(self) -> None:
        self.lock = RunLock(self.folder)
        self.watch = HarnessWatch(self.folder)

    @property
    def key(self) -> str:
        return self.job.key

    @property
    def is_open(self) -> bool:
        """Whether it is still to be started."""
        return self.state in _OPEN

    @property
    def is_finished(self) -> bool:
        """Whether its children can start."""
        return self.state in (JobState.DONE, JobState.CACHED)

    @property
    def is_lost(self) -> bool:
        """Whether its children can never start."""
        return self.state in (JobState.FAILED, JobState.BLOCKED)

    def refresh(self) -> None:
        """Show other machines that this harness lives, and holds the job. Raises LockLost."""
        self.lock.refresh()
        refresh(self.folder)

    def count_attempt(self) -> None:
        """An attempt is about to start."""
        self.attempts += 1
        self.tried += 1

    def uncount_attempt(self) -> None:
        """It did not start."""
        self.attempts -= 1
        self.tried -= 1

    def start(self, lead: str = "") -> None:
        self.submitted, self.lead = "", lead
        self._move(JobState.RUNNING)

    def wait_for(self, holder: str, submitted: str = "") -> bool:
        """Somebody else runs it, perhaps as a job that was submitted to our executor. Returns whether that is news."""
        news = self.state is not JobState.ELSEWHERE
        self.submitted = submitted
        self._move(JobState.ELSEWHERE, holder)
        return news

    def requeue(self, turn: int) -> None:
        """Wait for another attempt."""
        self._move(JobState.WAITING)
        self.turn = turn
        self.lock.release()

    def succeed(self) -> None:
        self._move(JobState.DONE)
        self.lock.release()

    def found_done(self) -> None:
        """There is a valid record of it already."""
        self.submitted = ""
        self._move(JobState.CACHED)
        self.lock.release()

    def fail(self, message: str) -> None:
        self.submitted = ""
        self._move(JobState.FAILED, message)
        self.lock.release()

    def block(self, message: str) -> None:
        self.submitted = ""
        self._move(JobState.BLOCKED, message)

    def _move(self, to: JobState, message: str = "") -> None:
        if self.state not in _FROM[to]:
            raise RuntimeError(f"{self.job.name} is {self.state.value} and cannot become {to.value}")
        self.state, self.message = to, message


def after_failures(tasks: Mapping[str, Task]) -> list[tuple[Task, Task]]:
    """Jobs still to be started that stand, by whatever way, on one that failed; each with the stage that it lacks."""
    lost = {t.key for t in tasks.values() if t.is_lost}
    found: list[tuple[Task, Task]] = []
    waiting = sorted((t for t in tasks.values() if t.is_open), key=lambda t: t.turn)
    changed = True
    while changed:
        changed = False
        for task in waiting:
            bad = next((p for p in task.job.parents.values() if p in lost), None)
            if bad is not None and task.key not in lost:
                found.append((task, tasks[bad]))
                lost.add(task.key)
                changed = True
    return found


@dataclass(frozen=True)
class Status:
    """Where an execution stands, as displays and callers read it; mappings are by the job's key."""

    total: int = 0
    cached: int = 0
    done: int = 0
    running: Mapping[str, Path] = field(default_factory=dict)  # folders
    beside: Mapping[str, str] = field(default_factory=dict)  # of these: the job in whose process each trains
    failed: Mapping[str, str] = field(default_factory=dict)  # why, one line
    blocked: Mapping[str, str] = field(default_factory=dict)
    waiting: tuple[str, ...] = ()  # keys of those still to be started, by this harness or another
    stopped: bool = False  # on request

    @property
    def over(self) -> int:
        """How many jobs are in a final state."""
        return self.cached + self.done + len(self.failed) + len(self.blocked)


def status_of(tasks: Mapping[str, Task], stopped: bool) -> Status:
    """What the states of all jobs are, at this moment."""

    def of(state: JobState) -> list[Task]:
        return [t for t in tasks.values() if t.state is state]

    return Status(
        total=len(tasks),
        cached=len(of(JobState.CACHED)),
        done=len(of(JobState.DONE)),
        running={t.key: t.folder for t in of(JobState.RUNNING)},
        beside={t.key: t.lead for t in of(JobState.RUNNING) if t.lead},
        failed={t.key: t.message for t in of(JobState.FAILED)},
        blocked={t.key: t.message for t in of(JobState.BLOCKED)},
        waiting=tuple(t.key for t in tasks.values() if t.is_open),
        stopped=stopped,
    )
