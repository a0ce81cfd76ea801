"""Run what a workspace lacks: clip stores, then jobs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.errors import count
from harness.executors.base import Executor
from harness.ledger.lock import kept_alive
from harness.ledger.store import load_record
from harness.ledger.verdicts import verdicts_of
from harness.plan import redo
from harness.plan.jobs import Job, dependency_closure
from harness.plan.remarks import names, unplanned
from harness.plan.run_state import folder_of
from harness.plan.workspace import Workspace, save_plan
from harness.schedule.options import Options
from harness.schedule.order import longest_chain_first
from harness.schedule.progress import Progress, begun, history
from harness.schedule.scheduler import execute
from harness.schedule.stores import build_stores
from harness.schedule.task import Status
from harness.system.environment import usable_cores

log = logging.getLogger(__name__)

# told where the jobs stand: how many are done and have failed, the names of those that run and that are still to come
Watch = Callable[[int, int, tuple[str, ...], tuple[str, ...]], None]


@dataclass(frozen=True)
class Finished:
    """What became of the jobs of a workspace."""

    status: Status
    jobs: Mapping[str, Job]
    unplanned: int  # how many cells that were asked for cannot be planned
    compared: tuple[str, ...] = ()  # the runs that were replaced, one line each

    @property
    def code(self) -> int:
        """The exit code: 0 all is done, 1 something failed or cannot be planned, 130 stopped on request."""
        if self.status.stopped:
            return 130
        return 1 if self.status.failed or self.status.blocked or self.unplanned else 0

    @property
    def summary(self) -> str:
        """How many jobs ended how, in one line."""
        s = self.status
        return (
            f"{count(s.total, 'job')}: {s.cached} done before, {s.done} run, {len(s.failed)} failed, "
            f"{len(s.blocked)} blocked"
            + (f"; {count(self.unplanned, 'cell')} cannot be planned, see above" if self.unplanned else "")
            + (", stopped on request; run the same command again to go on" if s.stopped else "")
        )

    @property
    def failures(self) -> list[str]:
        """The jobs that failed, one line each."""
        return [f"failed: {self.jobs[key].name}: {reason}" for key, reason in self.status.failed.items()]


def jobs_to_run(ws: Workspace) -> dict[str, Job]:
    """All jobs of a workspace, or those that were chosen and what they depend on, parents first.

    Raises:
        ValueError: a chosen job cannot be planned, for a reason that the plan does not name.
    """
    if not ws.chosen:
        return ws.needed()
    known, failed = names(ws.plan), unplanned(ws.plan)
    if unknown := [c for c in ws.chosen if c not in known and c not in failed]:
        raise ValueError(f"--cell {unknown[0]}: cannot be planned; `plan` says why")
    return dependency_closure(ws.plan.jobs, [known[c] for c in ws.chosen if c in known])


def run_workspace(
    ws: Workspace, executor: Executor, options: Options, force: bool = False, watch: Watch | None = None
) -> Finished:
    """Run the jobs of a workspace that are not done. Its plan is in the work dir; what is blocked is added there.

    Args:
        force: run the chosen jobs anew where they are done; the runs that are there are kept aside.
        watch: told where the jobs stand, before the first of them starts and about twice a second from then on; never
            called where all are done.
    """
    jobs, work_dir = jobs_to_run(ws), options.work_dir
    replaced = redo.waiting(jobs, work_dir)
    try:
        if force:
            _set_aside(ws, jobs, work_dir, replaced)
        with kept_alive(lambda: [old.lock for old in list(replaced.values())]):
            status = _execute(ws, jobs, executor, options, watch)
        save_plan(ws, work_dir, dict(status.blocked))
    except BaseException:  # the second Ctrl-C, a full disk, a job that somebody else runs
        for key, old in replaced.items():
            with suppress(OSError, ValueError):  # the next harness does it
                redo.put_back(old, jobs[key], work_dir)
        raise
    asked = unplanned(ws.plan)
    return Finished(
        status,
        jobs,
        unplanned=sum(not ws.chosen or c in ws.chosen for c in asked),
        compared=tuple(f"{jobs[k].name}: {redo.compared(old, jobs[k], work_dir)}" for k, old in replaced.items()),
    )


def _execute(
    ws: Workspace, jobs: Mapping[str, Job], executor: Executor, options: Options, watch: Watch | None
) -> Status:
    """Build the clip stores that are missing, then run the jobs that are not done."""
    work_dir = options.work_dir
    missing = {key: job for key, job in jobs.items() if not _is_done(job, work_dir)}
    queued = hasattr(executor, "describe")
    tell = teller(jobs, watch if missing else None, queued)
    tell(Status(total=len(jobs), cached=len(jobs) - len(missing), waiting=tuple(missing)))
    if options.clip_store and ws.settings.profile != "paper":
        build_stores(missing, Path(options.clip_store), min(executor.slots, usable_cores()))
    known = history(work_dir, jobs)
    jobs = longest_chain_first(jobs, known)
    with Progress(jobs, executor.slots, known, queued=queued) as progress:

        def tick(status: Status) -> None:
            progress.tick(status)
            tell(status)

        return execute(jobs, executor, options, progress.report, tick)


def teller(jobs: Mapping[str, Job], watch: Watch | None, queued: bool) -> Callable[[Status], None]:
    """Turns a status into what ``watch`` is told.

    Args:
        queued: jobs wait in the queue of an engine once they are started here; those that may do so are still to come.
    """

    def tell(s: Status) -> None:
        if watch is not None:
            running = begun(s) if queued else list(s.running)
            to_come = [key for key in (*s.running, *s.waiting) if key not in running]
            names = [tuple(jobs[key].name for key in keys) for keys in (running, to_come)]
            watch(s.cached + s.done, len(s.failed) + len(s.blocked), *names)

    return tell


def _set_aside(ws: Workspace, jobs: Mapping[str, Job], work_dir: Path, replaced: dict[str, redo.Replaced]) -> None:
    """Move the runs of the chosen jobs out of the ledger, and add each to ``replaced``, by key, as it goes."""
    known = names(ws.plan)
    for key in dict.fromkeys(known[c] for c in ws.chosen if c in known):
        if (old := redo.set_aside(jobs[key], work_dir, ws.plan.jobs.values())) is not None:
            replaced[key] = old
            log.info("%s: run anew; the run that was there is kept in %s", jobs[key].name, old.folder.parent)


def _is_done(job: Job, work_dir: Path) -> bool:
    try:
        return load_record(folder_of(job, work_dir), verdicts_of(work_dir)).status == "done"
    except (FileNotFoundError, ValueError):
        return False
