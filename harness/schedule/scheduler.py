"""Executes a plan: what is done is kept, what is missing runs on free slots, parents before children."""

from __future__ import annotations

import errno
import itertools
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial

from harness.errors import EngineLost, QueueFull, one_line
from harness.executors.base import GRACE_SECONDS, Executor, JobHandle, Outcome, Resources
from harness.executors.checked import CheckedExecutor, ExecutorFault
from harness.ledger.lock import LockLost, kept_alive
from harness.ledger.migrate import LeftAlone
from harness.ledger.record import Failure
from harness.ledger.run_dir import RESUME
from harness.ledger.submission import Submission, forget, recall, remember
from harness.ledger.tidy import tidy
from harness.plan.jobs import Job
from harness.plan.run_state import folder_of, last_attempt, look_up
from harness.schedule.claim import Report, claim, what_it_waits_for
from harness.schedule.dispatch import devices_of, prepare, write_specs
from harness.schedule.grouping import batch_compatible_jobs, room_after
from harness.schedule.options import Options
from harness.schedule.outcome import disk_full, failure_line, record_outcome, summary_of
from harness.schedule.retry import retry_of
from harness.schedule.stop_request import StopRequest
from harness.schedule.task import GOES_ON, JobState, Status, Task, after_failures, status_of
from harness.system.disk import is_disk_full

POLL_SECONDS = 0.5
FULL_SECONDS = 60.0  # until an engine that takes no more jobs is given one again

Tick = Callable[[Status], None]


def execute(
    jobs: Mapping[str, Job], executor: Executor, options: Options, report: Report, tick: Tick = lambda _: None
) -> Status:
    """Run all jobs that have no valid record yet, see ``Scheduler.run``."""
    return Scheduler(jobs, executor, options, report, tick).run()


@dataclass(frozen=True)
class _Group:
    """The jobs that run in one submission: one, or several side by side."""

    handle: JobHandle
    tasks: list[Task]


class Scheduler:
    """Gives jobs to an executor when they are ready, and decides what their ends mean.

    Args:
        jobs: by key, with all jobs that they depend on.
        report: called with each event: started, done, retry, failed, blocked, elsewhere, waiting, lost, repair, untidy.
        tick: called with where all jobs stand, about twice a second.
        pause: waits some seconds while other harnesses run what is left.
    """

    def __init__(
        self,
        jobs: Mapping[str, Job],
        executor: Executor,
        options: Options,
        report: Report,
        tick: Tick = lambda _: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._tasks = {k: Task(j, folder_of(j, options.work_dir), turn=i) for i, (k, j) in enumerate(jobs.items())}
        self._executor = CheckedExecutor(executor)
        self._options = options
        self._report = report
        self._tick = tick
        self._pause = pause
        self._turns = itertools.count(len(self._tasks))
        self._groups: list[_Group] = []
        self._most_groups = executor.slots  # at a time; one once the machine has run out of memory
        self._stopped = self._engine_lost = False
        self._idle = False  # and has said so
        self._full_until: float | None = None  # the engine takes no more before, on the monotonic clock; has been said

    def run(self) -> Status:
        """Run all jobs that have no valid record yet. Attempts are counted over all invocations.

        One failing job does not stop the others; its children are blocked. SIGINT and SIGTERM stop every running job at
        its last checkpoint; ``stopped`` of what is returned says so.

        Raises:
            OSError: the disk is full. Every running job was stopped at its last checkpoint.
            ExecutorFault: the executor cannot say what became of its jobs.
            EngineLost: they may run on, and keep their folders; the next harness asks after them.
        """
        for task in self._tasks.values():
            self._look_up(task)
        with StopRequest() as stop, kept_alive(lambda: [t for t in self._tasks.values() if t.lock.number]):
            try:
                while self._groups or any(t.is_open for t in self._tasks.values()):
                    if stop.requested:
                        self._stopped = True
                        break
                    self._step()
            except EngineLost:
                self._engine_lost = True
                raise
            except OSError as e:
                if e.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise disk_full(self._options.work_dir) from e
                raise
            finally:  # asked to stop, or an error of the harness itself: nothing is left behind
                self._cancel_running()
        return self.status()

    def status(self) -> Status:
        """Where all jobs stand."""
        return status_of(self._tasks, self._stopped)

    def _look_up(self, task: Task) -> None:
        """The state of a job before anything has started."""
        try:
            found = look_up(task.job, self._options.work_dir)
        except LeftAlone as e:
            self._fail(task, str(e))
            return
        if found.done:
            task.found_done()
            try:
                tidy(task.folder)
            except OSError as e:  # the run is whole all the same
                self._report("untidy", task.job, one_line(e))
        elif found.record is not None and not self._options.retry_failed:
            task.fail(found.record.failure.message if found.record.failure else "failed")
        else:
            last = last_attempt(task.job, self._options.work_dir)
            told = found.record or last
            task.attempts = told.attempts if told else 0
            left = recall(task.folder)
            task.submitted = left.id if left and left.backend == self._executor.name else ""
            task.accumulate = last.accumulate if last else 1  # what ran out of memory would do so again

    def _step(self) -> None:
        """Start what can start, wait a moment, and take note of what ended."""
        self._block_children()
        self._start_ready()
        self._tick(self.status())
        if not self._groups:
            self._say_idle()
            self._pause(POLL_SECONDS if any(t.is_open for t in self._tasks.values()) else 0.0)
            return
        self._idle = False
        self._executor.wait(POLL_SECONDS)
        ended = [(g, outcome) for g in self._groups if (outcome := g.handle.poll()) is not None]
        self._groups = [g for g in self._groups if not any(g is over for over, _ in ended)]
        alone = self._executor.slots == 1 or self._most_groups == 1  # as it was while they ran
        for group, outcome in ended:
            for task in group.tasks:
                self._conclude(task, outcome, beside=len(group.tasks) - 1, alone=alone)

    def _say_idle(self) -> None:
        """Say what this harness waits for, once until something runs here again."""
        if not self._idle and (found := what_it_waits_for(list(self._tasks.values()))):
            self._idle = True
            self._report("waiting", *found)

    def _block_children(self) -> None:
        for task, stage in after_failures(self._tasks):
            task.block(f"its stage {stage.job.name} failed")
            self._report("blocked", task.job, task.message)

    def _queue(self) -> list[Task]:
        """Jobs still to be started, in order."""
        return sorted((t for t in self._tasks.values() if t.is_open), key=lambda t: t.turn)

    def _is_ready(self, task: Task) -> bool:
        return task.is_open and all(self._tasks[p].is_finished for p in task.job.parents.values())

    def _start_ready(self) -> None:
        for task in self._queue():
            elsewhere = len({t.submitted for t in self._tasks.values() if t.submitted})  # these take slots, too
            full = self._full_until is not None and time.monotonic() < self._full_until
            if (full or len(self._groups) + elsewhere >= self._most_groups) and not task.submitted:
                if not elsewhere:
                    return
                continue
            if not self._is_ready(task):
                continue
            group = [t for t in self._beside(task) if self._try_claim(t)]
            if not group:
                continue
            try:
                prepare(group, self._options)
            except OSError as e:
                for t in group:
                    self._give_up(t, e)
                continue
            self._submit(group)

    def _beside(self, task: Task) -> list[Task]:
        """A job and those that could train side by side with it."""
        if not self._options.fuse or self._options.processes > 1 or task.alone:
            return [task]
        ready = [t.job for t in self._queue() if not t.alone and self._is_ready(t)]
        parents = [self._tasks[key].job for key in task.job.parents.values()]
        room = partial(room_after, parents, self._options.work_dir, self._executor.free_memory)
        chosen = batch_compatible_jobs(task.job, ready, self._executor.slots, room)
        return [self._tasks[job.key] for job in chosen]

    def _try_claim(self, task: Task) -> bool:
        """``claim``; a folder in which that cannot be done is the failure of its own job alone."""
        try:
            return claim(task, self._executor, self._options.work_dir, self._report)
        except LeftAlone as e:
            self._fail(task, str(e))
        except (OSError, ExecutorFault) as e:
            self._give_up(task, e)
        return False

    def _submit(self, group: list[Task]) -> None:
        """Start the process of the jobs of a group."""
        lead = group[0]
        gpus, slots = devices_of(lead.job, self._options.processes), self._slots_for(lead)
        resources = Resources(gpus, self._options.time_limit, slots)
        again = GOES_ON if (lead.folder / RESUME).is_file() else ""
        try:
            handle = self._executor.submit(lead.folder, resources)
        except QueueFull as e:
            self._put_back(group, e)
            return
        except ExecutorFault as e:
            for task in group:
                task.start()
                self._conclude(task, Outcome(None, "crash", str(e)), beside=len(group) - 1, alone=False)
            return
        self._full_until = None
        self._groups.append(_Group(handle, group))
        for task in group:
            task.start(lead.key if task is not lead else "")
            beside = f"beside {lead.job.name}" if task is not lead else ""
            self._report("started", task.job, ", ".join(filter(None, (beside, again))))
        for task in group:
            remember(task.folder, Submission(self._executor.name, handle.id))

    def _slots_for(self, task: Task) -> int:
        """Slots for a job that is about to start: one; a rendering, which can be shared among cores, has with it those
        that no other job is ready for.
        """
        if task.job.kind != "render" or not task.job.renders:
            return 1
        ready = sum(t is not task and self._is_ready(t) for t in self._tasks.values())
        return max(1, self._most_groups - len(self._groups) - ready)

    def _put_back(self, group: list[Task], e: QueueFull) -> None:
        """The engine did not take the jobs of a group: as if they had not been tried."""
        if self._full_until is None:
            self._report("waiting", group[0].job, f"{e}; tried again every {FULL_SECONDS:.0f} s")
        self._full_until = time.monotonic() + FULL_SECONDS
        for task in group:
            task.uncount_attempt()
        write_specs(group, self._options)  # with that count, and a token that nobody has
        for task in group:
            forget(task.folder)
            task.lock.release()

    def _conclude(self, task: Task, outcome: Outcome, beside: int, alone: bool) -> None:
        """What the end of a job's process means for the job.

        Args:
            beside: how many jobs trained in the same process. alone: whether no other process ran.
        """
        try:
            task.lock.check()
            forget(task.folder)
            record = record_outcome(task, outcome, self._options.command_of(task.job.name))
        except LockLost as e:
            task.requeue(next(self._turns))
            self._report("lost", task.job, str(e))
            return
        except (ValueError, OSError) as e:
            self._give_up(task, e)
            return
        if record is None:  # stopped on request from outside
            task.requeue(next(self._turns))
            return
        if record.status == "done":
            task.succeed()
            self._report("done", task.job, summary_of(record))
            return
        failure = record.failure or Failure(kind="crash", message="failed, and its record does not say why")
        retry = retry_of(task, failure, outcome, self._options.retries, beside, alone)
        if retry is None:
            self._fail(task, failure_line(record, task.folder, self._options.command_of(task.job.name)))
            return
        task.alone = task.alone or retry.alone
        task.accumulate *= retry.divide
        if retry.one_at_a_time:
            self._most_groups = 1
        task.requeue(next(self._turns))
        self._report("retry", task.job, retry.why)

    def _give_up(self, task: Task, e: OSError | ValueError) -> None:
        """A job fails whose folder cannot be read or written; there is no record of it. A full disk is raised."""
        if is_disk_full(e, self._options.work_dir):
            raise e
        self._fail(task, one_line(e))

    def _fail(self, task: Task, message: str) -> None:
        task.fail(message)
        self._report("failed", task.job, message)

    def _note_end(self, task: Task) -> None:
        """A job that had ended when it was to be stopped is done."""
        with suppress(LeftAlone):
            if (record := look_up(task.job, self._options.work_dir).record) and record.status == "done":
                task.succeed()
                self._report("done", task.job, summary_of(record))

    def _cancel_running(self) -> None:
        """Stop running jobs at their checkpoints and give back what this harness holds."""
        if self._engine_lost:
            return
        if self._stopped and self._executor.detach:
            for group in self._groups:  # their claims are left: the workers hold them
                self._report("detached", group.tasks[0].job, f"goes on as {self._executor.name} job {group.handle.id}")
            return
        try:
            with ExitStack() as all_of_them:  # where one cannot be cancelled, the others are all the same
                for group in self._groups:
                    all_of_them.callback(group.handle.cancel, GRACE_SECONDS)
            while any(group.handle.poll() is None for group in self._groups):
                self._executor.wait(POLL_SECONDS)
        finally:
            for group in self._groups:
                for task in group.tasks:
                    with suppress(OSError):  # lost to another harness, whose file it is then
                        task.lock.check()
                        forget(task.folder)
                        self._note_end(task)
                    if task.state is JobState.RUNNING:
                        task.requeue(next(self._turns))
            self._groups.clear()
            for task in self._tasks.values():
                task.lock.release()
