"""Executes a plan: what is done is kept, what is missing runs on free slots, parents before children."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness import claims
from harness.environment import commit, environment, hardware
from harness.executors import Executor, Outcome
from harness.fusing import partners, points
from harness.job_spec import JobSpec, Member, write_spec
from harness.ledger.record import Failure, RunRecord
from harness.ledger.store import PREDICTIONS, RECORD, load_record, run_dir, write_record
from harness.plan.jobs import Job, fill_parents
from mtcd_plugin.sweep import fuse

NEEDED_BYTES = 64 * 2**20  # free disk below which no further job is started
RETRY_KINDS = ("killed", "out_of_memory")


@dataclass(frozen=True)
class Options:
    """How a plan is executed."""

    work_dir: Path
    clip_store: str = ""
    workers: int = 0  # data-loading processes of each job
    retries: int = 1  # further attempts at a job that was killed or ran out of memory
    fuse: bool = True  # let students that differ in their losses' weights alone train side by side
    retry_failed: bool = True  # try again what failed in an earlier invocation
    command: str = "python -m harness run"


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
    groups: dict[Path, list[str]] = field(default_factory=dict)  # a process's folder -> the jobs it runs
    alone: set[str] = field(default_factory=set)  # jobs whose group failed: one by one from now on
    stopped: bool = False

    @property
    def over(self) -> int:
        return self.cached + self.done + len(self.failed) + len(self.blocked)


Report = Callable[[str, Job, str], None]  # event, job, detail


def folder_of(job: Job, work_dir: Path) -> Path:
    return run_dir(work_dir, job.name, job.key)


def output_of(job: Job, work_dir: Path) -> Path:
    """What a job leaves behind: its weights, the folder that a rendering wrote, the predictions where it only tests."""
    if job.kind == "train":
        return folder_of(job, work_dir) / "checkpoint.pth"
    evaluators = job.config.get("test_evaluator") or []
    evaluators = evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]
    renders = any("output_dir" in e for e in evaluators)
    return folder_of(job, work_dir) / ("store" if renders else PREDICTIONS)


def existing_record(job: Job, work_dir: Path) -> RunRecord | None:
    """The valid record of a job, None where there is none. A corrupt one is moved aside, never trusted, never deleted."""
    folder = folder_of(job, work_dir)
    try:
        record = load_record(folder)
    except FileNotFoundError:
        return None
    except ValueError as e:
        aside = folder / f"{RECORD}.rejected"
        os.replace(folder / RECORD, aside)
        (folder / f"{RECORD}.rejected.reason").write_text(f"{e}\n", encoding="utf-8")
        return None
    if record.status == "done" and not output_of(job, work_dir).exists():
        return None
    return record


def execute(
    jobs: dict[str, Job],
    executor: Executor,
    options: Options,
    report: Report,
    state: State | None = None,
    tick: Callable[[State], None] | None = None,
) -> State:
    """Run all jobs that have no valid record yet.

    One failing job does not stop the others; its children are blocked. SIGINT and SIGTERM stop every running job at its
    last checkpoint and return with ``state.stopped``.
    """
    state = state or State()
    state.total = len(jobs)
    attempts: dict[str, int] = {}
    accumulate: dict[str, int] = {}
    waiting: dict[str, Job] = {}
    finished: set[str] = set()
    for key, job in jobs.items():
        record = existing_record(job, options.work_dir)
        if record is not None and record.status == "done":
            finished.add(key)
            state.cached += 1
        elif record is not None and not options.retry_failed:
            state.failed[key] = record.failure.message if record.failure else "failed"
        else:
            waiting[key] = job
            attempts[key] = record.attempts if record is not None else 0
    stop = _StopRequest()
    with stop:
        try:
            _loop(jobs, waiting, finished, attempts, accumulate, executor, options, report, state, tick, stop)
        finally:
            if state.running:  # asked to stop, or an error of the harness itself: nothing is left behind
                executor.stop(grace=20.0)
                for folder in state.running.values():
                    claims.release(folder)
                state.running.clear()
    return state


def _loop(
    jobs, waiting, finished, attempts, accumulate, executor, options, report, state, tick, stop
) -> None:
    first_attempt = dict(attempts)
    last_refresh = 0.0
    while waiting or state.running:
        if stop.requested:
            state.stopped = True
            return
        _block(waiting, jobs, state, report)
        _start(waiting, finished, executor, options, state, attempts, accumulate, report)
        if tick:
            tick(state)
        outcomes = executor.wait(0.5) if state.running else _pause(0.5 if waiting else 0.0)
        for outcome in outcomes:
            group = state.groups.pop(outcome.directory)
            for key in group:
                folder = state.running.pop(key)
                own = Outcome(folder, outcome.exitcode, outcome.timed_out)
                record = _conclude(jobs[key], own, attempts[key], options)
                claims.release(folder)
                if record is None:  # stopped on request from outside
                    waiting[key] = jobs[key]
                elif record.status == "done":
                    finished.add(key)
                    state.done += 1
                    report("done", jobs[key], _summary(record))
                elif len(group) > 1:
                    waiting[key] = jobs[key]
                    state.alone.add(key)
                    report("retry", jobs[key], f"alone, after {record.failure.kind} side by side")
                elif _again(record, attempts[key] - first_attempt[key], options):
                    waiting[key] = jobs[key]
                    if record.failure.kind == "out_of_memory":
                        accumulate[key] = accumulate.get(key, 1) * 2
                    report("retry", jobs[key], f"{record.failure.kind}: {record.failure.message}")
                else:
                    state.failed[key] = f"{record.failure.kind}: {record.failure.message}"
                    report("failed", jobs[key], state.failed[key])
        if time.monotonic() - last_refresh > 10.0:
            last_refresh = time.monotonic()
            for folder in state.running.values():
                claims.refresh(folder)


def _again(record: RunRecord, tried: int, options: Options) -> bool:
    return record.failure.kind in RETRY_KINDS and tried <= options.retries


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


def _start(waiting, finished, executor, options, state, attempts, accumulate, report) -> None:
    for key, job in list(waiting.items()):
        if executor.free() == 0:
            return
        if key not in waiting or any(p not in finished for p in job.parents.values()):
            continue
        chosen = [job]
        if options.fuse and key not in state.alone:
            ready = [
                j
                for k, j in waiting.items()
                if k not in state.alone and all(p in finished for p in j.parents.values())
            ]
            chosen = partners(job, ready, executor.slots)
        group = [j for j in chosen if _claim(j, waiting, finished, options, state, report)]
        if not group:
            continue
        lead = folder_of(group[0], options.work_dir)
        _check_disk(lead, options, group)
        for j in group:
            attempts[j.key] += 1
            (folder_of(j, options.work_dir) / RECORD).unlink(missing_ok=True)
        write_spec(lead, _spec(group, lead, options, attempts, accumulate.get(group[0].key, 1)))
        pid = executor.submit(lead)
        state.groups[lead] = [j.key for j in group]
        for j in group:
            folder = folder_of(j, options.work_dir)
            claims.hand_over(folder, pid)
            del waiting[j.key]
            state.running[j.key] = folder
            report("started", j, f"beside {group[0].name}" if j is not group[0] else "")


def _claim(job: Job, waiting, finished, options, state, report) -> bool:
    """Take a job for this harness; False where another one runs it or has just finished it."""
    folder = folder_of(job, options.work_dir)
    holder = claims.take(folder)
    if holder is not None:
        if job.key not in state.elsewhere:
            state.elsewhere[job.key] = str(holder)
            report("elsewhere", job, f"being run by {holder}")
        return False
    state.elsewhere.pop(job.key, None)
    record = existing_record(job, options.work_dir)
    if record is not None and record.status == "done":
        claims.release(folder)
        del waiting[job.key]
        finished.add(job.key)
        state.cached += 1
        return False
    return True


def _check_disk(folder: Path, options: Options, group: list[Job]) -> None:
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        for job in group:
            claims.release(folder_of(job, options.work_dir))
        raise OSError(
            f"{options.work_dir}: {free >> 20} MiB free, at least {NEEDED_BYTES >> 20} MiB are needed to go on; "
            "free some and run again"
        )


def _spec(
    group: list[Job], folder: Path, options: Options, attempts: dict[str, int], accumulate: int
) -> JobSpec:
    job = group[0]
    outputs = {stage: str(_parent_output(job, stage, options.work_dir)) for stage in job.parents}
    config = fill_parents(job, outputs)
    notes = []
    members = []
    if accumulate > 1:
        notes.append(
            f"after running out of memory: micro-batch divided by {accumulate}, gradients accumulated to the config's batch"
        )
    if len(group) > 1:
        config = fuse(config, points(group), str(folder / "points"))
        notes.append(
            f"trained side by side with {len(group) - 1} more; each is charged an equal share of the job's time"
        )
        members = [
            Member(
                directory=str(folder_of(j, options.work_dir)),
                key=j.key,
                name=j.name,
                cell=j.cell,
                identity=j.identity,
                command=f"{options.command} --cell '{j.name}'",
                attempts=attempts[j.key],
            )
            for j in group
        ]
    return JobSpec(
        key=job.key,
        name=job.name,
        kind=job.kind,
        cell=job.cell,
        identity=job.identity,
        data=job.data,
        config=config,
        clip_store=options.clip_store,
        workers=options.workers,
        accumulate=accumulate,
        commit=commit(),
        command=f"{options.command} --cell '{job.name}'",
        attempts=attempts[job.key],
        notes=notes,
        members=members,
    )


def _parent_output(job: Job, stage: str, work_dir: Path) -> Path:
    key = job.parents[stage]
    matches = list((Path(work_dir) / "runs").glob(f"*-{key[:12]}"))
    for folder in matches:
        for name in ("store", "checkpoint.pth"):
            if (folder / name).exists():
                return folder / name
    raise FileNotFoundError(
        f"{work_dir}: the output of stage '{stage}' ({key[:12]}) is gone; remove its folder to run it again"
    )


def _conclude(job: Job, outcome: Outcome, attempts: int, options: Options) -> RunRecord | None:
    """The record of a job whose process ended; writes one where the process could not. None: it stopped on request."""
    folder = outcome.directory
    if (folder / RECORD).is_file():
        return load_record(folder)
    if outcome.exitcode == 3 and not outcome.timed_out:
        return None
    from harness.ledger.logs import log_tail

    if outcome.timed_out:
        failure = Failure(kind="time_limit", message="stopped at the time limit", log_tail=log_tail(folder))
    elif outcome.exitcode < 0:
        name = signal.Signals(-outcome.exitcode).name
        failure = Failure(kind="killed", message=f"killed by {name}", log_tail=log_tail(folder))
    else:
        failure = Failure(
            kind="crash",
            message=f"ended with exit code {outcome.exitcode} and no record",
            log_tail=log_tail(folder),
        )
    record = RunRecord(
        key=job.key,
        status="failed",
        kind=job.kind,
        cell=job.cell,
        identity=job.identity,
        data=job.data,
        failure=failure,
        environment=environment(),
        hardware=hardware(),
        commit=commit(),
        command=options.command,
        attempts=attempts,
    )
    write_record(folder, record)
    return record


def _summary(record: RunRecord) -> str:
    seconds = f"{record.cost.total_seconds or 0:.0f} s"
    return f"top-1 {100 * record.metrics.top1:.1f} %, {seconds}" if record.metrics else seconds


class _StopRequest:
    """SIGINT and SIGTERM as a request to stop; a second one is an interrupt as usual."""

    def __init__(self) -> None:
        self.requested = False

    def __enter__(self) -> _StopRequest:
        self._old = {s: signal.signal(s, self._ask) for s in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for s, handler in self._old.items():
            signal.signal(s, handler)

    def _ask(self, number: int, frame: object) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
