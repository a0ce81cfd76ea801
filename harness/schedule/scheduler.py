"""Executes a plan: what is done is kept, what is missing runs on free slots, parents before children."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import one_line
from harness.executors import Executor, Outcome
from harness.ledger.layout import misplaced
from harness.ledger.lock import LockLost, RunLock, kept_alive
from harness.ledger.migrate import NewerSchema
from harness.ledger.record import RunRecord
from harness.ledger.run_dir import LOCK, RECORD
from harness.ledger.tidy import set_aside, tidy
from harness.plan.jobs import Job
from harness.plan.run_state import folder_of, last_attempt, look_up
from harness.schedule.dispatch import make_spec
from harness.schedule.grouping import batch_compatible_jobs, room_for
from harness.schedule.outcome import KILLED_FOR_MEMORY, disk_full, record_outcome
from harness.schedule.stop_request import StopRequest
from harness.system.disk import NEEDED_BYTES, DiskFull, is_disk_full
from harness.system.environment import killed_for_memory
from harness.worker.spec import write_spec


@dataclass(frozen=True)
class Options:
    """How a plan is executed."""

    work_dir: Path
    clip_store: str = ""
    workers: int = 0  # data-loading processes of each job
    retries: int = 1  # further attempts at a job that was killed; out of memory halves down to one clip instead
    processes: int = 1  # that train one job together, one per device
    fuse: bool = True  # let students that differ in their losses' weights alone train side by side
    retry_failed: bool = True  # try again what failed in an earlier invocation
    command: str = "python -m harness run --cell '{job}'"  # what redoes a job


@dataclass
class State:
    """Where the execution stands; what progress displays read."""

    total: int = 0
    cached: int = 0
    done: int = 0
    running: dict[str, Path] = field(default_factory=dict)  # key -> folder
    failed: dict[str, str] = field(default_factory=dict)  # key -> one line
    blocked: dict[str, str] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)  # key -> who runs it
    locks: dict[str, RunLock] = field(default_factory=dict)  # key -> lock of its folder, held or waited for
    groups: dict[Path, list[str]] = field(default_factory=dict)  # a process's folder -> the jobs it runs
    alone: set[str] = field(default_factory=set)  # jobs whose group failed: one by one from now on
    starved: int = 0  # processes that the system had killed for want of memory before the running jobs started
    limit: int = 0  # jobs at a time, once the system has run out of memory; 0 for as many as there are slots
    stopped: bool = False

    @property
    def over(self) -> int:
        return self.cached + self.done + len(self.failed) + len(self.blocked)


Report = Callable[[str, Job, str], None]  # event, job, detail


def execute(
    jobs: dict[str, Job],
    executor: Executor,
    options: Options,
    report: Report,
    state: State | None = None,
    tick: Callable[[State], None] | None = None,
) -> State:
    """Run all jobs that have no valid record yet. ``attempts`` are counted over all invocations.

    One failing job does not stop the others; its children are blocked. SIGINT and SIGTERM stop every running job at its
    last checkpoint and return with ``state.stopped``.

    Raises:
        OSError: the disk is full. Every running job was stopped at its last checkpoint.
    """
    state = state or State()
    state.total = len(jobs)
    attempts: dict[str, int] = {}
    accumulate: dict[str, int] = {}
    waiting: dict[str, Job] = {}
    finished: set[str] = set()
    for key, job in jobs.items():
        try:
            found = look_up(job, options.work_dir)
        except NewerSchema as e:
            state.failed[key] = str(e)
            report("failed", job, str(e))
            continue
        record = found.record
        if found.done:
            try:
                tidy(folder_of(job, options.work_dir))
            except OSError as e:  # the run is whole all the same
                report("untidy", job, one_line(e))
            finished.add(key)
            state.cached += 1
        elif record is not None and not options.retry_failed:
            state.failed[key] = record.failure.message if record.failure else "failed"
        else:
            waiting[key] = job
            last = last_attempt(job, options.work_dir)
            attempts[key] = record.attempts if record is not None else last.attempts if last else 0
            accumulate[key] = last.accumulate if last else 1  # what ran out of memory would do so again
    stop = StopRequest()
    with stop, kept_alive(lambda: [lock for lock in list(state.locks.values()) if lock.number]):
        try:
            _loop(jobs, waiting, finished, attempts, accumulate, executor, options, report, state, tick, stop)
        except OSError as e:
            if e.errno in (errno.ENOSPC, errno.EDQUOT):
                raise disk_full(options.work_dir) from e
            raise
        finally:
            if state.running:  # asked to stop, or an error of the harness itself: nothing is left behind
                executor.stop(grace=20.0)
                for key in state.running:
                    state.locks.pop(key).release()
                state.running.clear()
    return state


def _loop(jobs, waiting, finished, attempts, accumulate, executor, options, report, state, tick, stop) -> None:
    first_attempt = dict(attempts)
    while waiting or state.running:
        if stop.requested:
            state.stopped = True
            return
        _block(waiting, jobs, state, report)
        _start(jobs, waiting, finished, executor, options, state, attempts, accumulate, report)
        if tick:
            tick(state)
        outcomes = executor.wait(0.5) if state.running else _pause(0.5 if waiting else 0.0)
        killed = killed_for_memory() if outcomes else 0
        crowded = executor.slots > 1 and state.limit != 1
        for outcome in outcomes:
            group = state.groups.pop(outcome.directory)
            for key in group:
                folder = state.running[key]
                own = Outcome(folder, outcome.exitcode, outcome.timed_out)
                command = options.command.replace("{job}", jobs[key].name)
                lock = state.locks.pop(key)
                try:
                    record = record_outcome(jobs[key], own, attempts[key], command, lock, killed > state.starved)
                except LockLost as e:
                    record = None
                    report("lost", jobs[key], str(e))
                except (ValueError, OSError) as e:
                    _give_up(jobs[key], e, waiting, options, state, report)
                    continue
                finally:
                    del state.running[key]
                    lock.release()
                if record is None:  # stopped on request from outside, or taken over
                    waiting[key] = jobs[key]
                elif record.status == "done":
                    finished.add(key)
                    state.done += 1
                    report("done", jobs[key], _summary(record))
                elif len(group) > 1:
                    waiting[key] = jobs[key]
                    state.alone.add(key)
                    report("retry", jobs[key], f"alone, after {record.failure.kind} side by side")
                elif crowded and options.retries and record.failure.message.startswith(KILLED_FOR_MEMORY):
                    waiting[key] = jobs[key]
                    state.limit = 1
                    report("retry", jobs[key], f"one job at a time from now on, after {record.failure.message}")
                elif _again(record, jobs[key], attempts[key] - first_attempt[key], accumulate[key], options):
                    waiting[key] = jobs[key]
                    if record.failure.kind == "out_of_memory":
                        accumulate[key] *= 2
                    report("retry", jobs[key], f"{record.failure.kind}: {record.failure.message}")
                else:
                    state.failed[key] = f"{record.failure.kind}: {record.failure.message}"
                    report("failed", jobs[key], state.failed[key])


def _again(record: RunRecord, job: Job, tried: int, parts: int, options: Options) -> bool:
    """Whether to try a failed job once more in this invocation."""
    if record.failure.kind == "out_of_memory" and options.retries:
        return parts * 2 <= _largest_batch(job)
    return record.failure.kind == "killed" and tried <= options.retries


def _largest_batch(job: Job) -> int:
    loaders = (job.config.get(f"{split}_dataloader") or {} for split in ("train", "test"))
    return max(loader.get("batch_size", 1) for loader in loaders)


def _pause(seconds: float) -> list[Outcome]:
    time.sleep(seconds)
    return []


def _block(waiting: dict[str, Job], jobs: dict[str, Job], state: State, report: Report) -> None:
    changed = True
    while changed:
        changed = False
        for key, job in list(waiting.items()):
            bad = [p for p in job.parents.values() if p in state.failed or p in state.blocked]
            if bad:
                del waiting[key]
                state.blocked[key] = f"its stage {jobs[bad[0]].name} failed"
                report("blocked", job, state.blocked[key])
                changed = True


def _start(jobs, waiting, finished, executor, options, state, attempts, accumulate, report) -> None:
    for key, job in list(waiting.items()):
        if executor.free() == 0 or (state.limit and len(state.groups) >= state.limit):
            return
        if key not in waiting or any(p not in finished for p in job.parents.values()):
            continue
        chosen = [job]
        if options.fuse and options.processes == 1 and key not in state.alone:
            ready = [
                j for k, j in waiting.items() if k not in state.alone and all(p in finished for p in j.parents.values())
            ]
            chosen = batch_compatible_jobs(
                job, ready, executor.slots, lambda job=job: _room(job, jobs, executor, options)
            )
        group = [j for j in chosen if _try(j, waiting, finished, options, state, report)]
        if not group:
            continue
        try:
            try:
                lead = _prepare(group, options, state, attempts, accumulate)
            except OSError as e:
                for j in group:
                    _give_up(j, e, waiting, options, state, report)
                continue
            _launch(group, lead, waiting, executor, options, state, report)
        except BaseException:
            for j in group:
                if j.key not in state.running and j.key in state.locks:
                    state.locks.pop(j.key).release()
            raise


def _try(job: Job, waiting, finished, options, state, report) -> bool:
    """``_claim``; a folder in which that cannot be done is the failure of its own job alone."""
    try:
        return _claim(job, waiting, finished, options, state, report)
    except OSError as e:
        _give_up(job, e, waiting, options, state, report)
        return False


def _give_up(job: Job, e: OSError | ValueError, waiting, options, state, report) -> None:
    """Count a job as failed whose folder cannot be read or written; there is no record of it. A full disk is raised."""
    if is_disk_full(e, options.work_dir):
        raise e
    if lock := state.locks.pop(job.key, None):
        lock.release()
    waiting.pop(job.key, None)
    state.failed[job.key] = one_line(e)
    report("failed", job, state.failed[job.key])


def _room(job: Job, jobs: dict[str, Job], executor: Executor, options: Options) -> int:
    """How many students fit side by side in the memory that a free slot has."""
    teacher = jobs.get(job.parents.get("teacher", ""))
    record = None if teacher is None else look_up(teacher, options.work_dir).record
    return room_for(record, executor.free_memory())


def _prepare(group, options, state, attempts, accumulate) -> Path:
    """Write what the process of a group is told, into the folder that is returned. Its jobs are claimed."""
    lead = folder_of(group[0], options.work_dir)
    _check_disk(lead, options)
    for j in group:
        attempts[j.key] += 1
        (folder_of(j, options.work_dir) / RECORD).unlink(missing_ok=True)
    last = last_attempt(group[0], options.work_dir)
    loading = last.loading if last else "processes"  # what found shared memory full would do so again
    claims = {j.key: state.locks[j.key].number for j in group}
    write_spec(lead, make_spec(group, lead, options, attempts, accumulate[group[0].key], loading, claims))
    return lead


def _launch(group, lead, waiting, executor, options, state, report) -> None:
    """Start the process of the jobs of a group."""
    if not state.groups:
        state.starved = killed_for_memory()
    executor.submit(lead)
    state.groups[lead] = [j.key for j in group]
    for j in group:
        del waiting[j.key]
        state.running[j.key] = folder_of(j, options.work_dir)
        report("started", j, f"beside {group[0].name}" if j is not group[0] else "")


def _claim(job: Job, waiting, finished, options, state, report) -> bool:
    """Take a job for this harness; False where another one runs it or has just finished it."""
    folder = folder_of(job, options.work_dir)
    lock = state.locks.setdefault(job.key, RunLock(folder))
    if not lock.acquire():
        if job.key not in state.elsewhere:
            state.elsewhere[job.key] = str(lock.holder() or "another harness")
            report("elsewhere", job, f"being run by {state.elsewhere[job.key]}")
        return False
    state.elsewhere.pop(job.key, None)
    try:
        found = look_up(job, options.work_dir)
    except NewerSchema as e:
        state.locks.pop(job.key).release()
        del waiting[job.key]
        state.failed[job.key] = str(e)
        report("failed", job, str(e))
        return False
    if found.problem:
        set_aside(folder, found.problem)
        report("repair", job, f"{found.problem}; it is run again")
    if not found.done:
        for name, what in misplaced(folder).items():
            if name != LOCK:
                set_aside(folder, what, name)
                report("repair", job, f"{folder / name}: {what}; it is moved aside")
    if found.done:
        state.locks.pop(job.key).release()
        del waiting[job.key]
        finished.add(job.key)
        state.cached += 1
    return not found.done


def _check_disk(folder: Path, options: Options) -> None:
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        raise DiskFull(
            f"{options.work_dir}: {free >> 20} MiB free, at least {NEEDED_BYTES >> 20} MiB are needed to go on; "
            "free some and run again"
        )


def _summary(record: RunRecord) -> str:
    seconds = f"{record.cost.total_seconds or 0:.0f} s"
    return f"top-1 {100 * record.metrics.top1:.1f} %, {seconds}" if record.metrics else seconds
