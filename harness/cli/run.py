"""``run``: run what the plan lacks."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from harness.cli.options import DEFAULT_CONFIGS, choice_options, execution_options, suite_options
from harness.errors import BadUsage


@click.command("run")
@suite_options
@execution_options
@choice_options
def command(profile, data_root, work_dir, configs, tables, seeds, quarantine, init, chosen, force, **execution) -> int:
    """Run what the plan lacks. Exit code 1 where a job failed, 130 where it was interrupted.

    Without --data-root the embedded synthetic data is made first.
    """
    from harness.cli.run_all import make_synthetic
    from harness.plan.workspace import open_workspace
    from harness.system.disk import check_writable

    check_choice(chosen, force)
    executor_for(execution)
    check_writable(work_dir, "--work-dir")
    ws = open_workspace(configs, profile, data_root, tables, seeds, quarantine, init, make_synthetic, chosen)
    return run_workspace(ws, work_dir, execution, force=force)


def check_choice(chosen: tuple[str, ...], force: bool) -> None:
    """Raises BadUsage where everything would be run anew unasked."""
    if force and not chosen:
        raise BadUsage("--force: name what is to be run anew with --cell; `plan` lists the jobs")


def run_workspace(ws, work_dir: Path, execution: dict, again: str = "", force: bool = False) -> int:
    """Plan file, clip stores, jobs; returns the exit code.

    Args:
        again: the command that redoes a job, for records; by default ``run``.
        force: run the chosen jobs anew where they are done; the runs that are there are kept aside.
    """
    from harness.cli.remarks import print_remarks
    from harness.executors.local import detect_gpus
    from harness.plan import redo
    from harness.plan.jobs import dependency_closure
    from harness.plan.remarks import names, unplanned
    from harness.plan.workspace import save_plan
    from harness.schedule.progress import Progress, history
    from harness.schedule.scheduler import Options, State, execute

    jobs, chosen = ws.needed(), ws.chosen
    if chosen:
        known, failed = names(ws.plan), unplanned(ws.plan)
        unknown = [c for c in chosen if c not in known and c not in failed]
        if unknown:
            raise ValueError(f"--cell {unknown[0]}: cannot be planned; `plan` says why")
        jobs = dependency_closure(ws.plan.jobs, [known[c] for c in chosen if c in known])
    print_remarks(ws, jobs, chosen or None)
    lacking = any(c in unplanned(ws.plan) for c in chosen) if chosen else bool(ws.plan.errors)
    executor = executor_for(execution)
    save_plan(ws, work_dir)
    before = {}
    for job in (jobs[known[c]] for c in chosen if force and c in known):
        if job.key not in before and (old := redo.set_aside(job, work_dir)) is not None:
            before[job.key] = old
            click.echo(f"{job.name}: run anew; the run that was there is kept in {old.folder}")
    workers = execution["workers"] if execution["workers"] is not None else (4 if detect_gpus() else 0)
    store = "" if execution["no_cache"] else str(work_dir / "clip_store")
    profile = ws.settings.profile
    if store and profile != "paper":
        missing = {k: j for k, j in jobs.items() if not is_done(j, work_dir)}
        build_stores(missing, Path(store), executor.slots)
    options = Options(
        work_dir=work_dir,
        clip_store=store,
        workers=workers,
        retries=execution["retries"],
        fuse=not execution["no_fuse"],
        processes=execution["gpus_per_job"],
        command=again or redo_command(ws, execution["gpus_per_job"]),
    )
    state = State()
    with Progress(jobs, executor.slots, history(work_dir, jobs)) as progress:
        execute(jobs, executor, options, progress.report, state, progress.tick)
    save_plan(ws, work_dir, state.blocked)
    click.echo(
        f"{state.total} jobs: {state.cached} cached, {state.done} run, "
        f"{len(state.failed)} failed, {len(state.blocked)} blocked"
        + (", stopped on request; run the same command again to go on" if state.stopped else "")
    )
    for key, old in before.items():
        click.echo(f"{jobs[key].name}: {redo.compared(old, jobs[key], work_dir)}")
    for key, reason in state.failed.items():
        click.echo(f"failed: {jobs[key].name}: {reason}", err=True)
    if state.stopped:
        return 130
    return 1 if state.failed or state.blocked or lacking else 0


def executor_for(execution: dict):
    """The executor that the options ask for. Raises BadUsage where this machine does not have what they name."""
    from harness.executors import make_executor
    from harness.executors.local import detect_gpus

    gpus = detect_gpus()
    return make_executor(
        execution["backend"],
        jobs=execution["jobs_per_gpu"] if gpus else default_jobs(execution["jobs"], execution["gpus_per_job"]),
        gpus=gpus,
        cores=usable_cores(),
        time_limit=execution["time_limit"],
        gpus_per_job=execution["gpus_per_job"],
    )


def is_done(job, work_dir: Path) -> bool:
    from harness.ledger.judge import verdicts_of
    from harness.ledger.store import load_record
    from harness.plan.run_state import folder_of

    try:
        return load_record(folder_of(job, work_dir), verdicts_of(work_dir)).status == "done"
    except (FileNotFoundError, ValueError):
        return False


def build_stores(jobs, store: Path, processes: int) -> None:
    """Decode once what these jobs will read many times.

    Where a clip cannot be decoded, they read the videos themselves.
    """
    if not jobs:
        return
    from harness.data.store.cache import build_for_datasets
    from harness.plan.jobs import dataset_configs

    datasets = [d for job in jobs.values() for d in dataset_configs(job.config).values()]
    try:
        build_for_datasets(datasets, store, processes, lambda line: click.echo(line))
    except ValueError as e:
        click.echo(f"no clip store: {e}; the jobs that need it read the videos", err=True)


def redo_command(ws, gpus_per_job: int = 1) -> str:
    """The command that redoes a job, whose name takes the place of ``{job}``; the user's own places are DIR and FILE.

    It works in a fresh clone, where the embedded data is made first, and where the job is done already.
    """
    from harness.plan.workspace import synthetic_root

    s = ws.settings
    parts = ["python -m harness run", f"--profile {s.profile}", f"--seeds {ws.seeds}"]
    if ws.tables != ws.benchmark.usual:
        parts.append(f"--tables {','.join(ws.tables)}")
    if s.profile == "paper" or s.data_root != synthetic_root(s.profile):
        parts.append("--data-root DIR")
    if s.configs.resolve() != DEFAULT_CONFIGS:
        parts.append("--configs DIR")
    parts += [f"--quarantine {name}=FILE" for name in sorted(s.quarantine)]
    if s.init != ws.benchmark.init.get(s.profile, "scratch"):
        parts.append(f"--init {s.init}")
    if gpus_per_job > 1:
        parts.append(f"--gpus-per-job {gpus_per_job}")
    parts.append("--cell '{job}' --force")
    return " ".join(parts)


def usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def default_jobs(asked: int | None, processes: int = 1) -> int:
    """One process per core, as far as memory goes (1.2 GiB a process)."""
    if asked is not None:
        return asked
    import psutil

    most = min(usable_cores(), int(psutil.virtual_memory().available / (1.2 * 2**30)))
    return max(1, most // max(1, processes))
