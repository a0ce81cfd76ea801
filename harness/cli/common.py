"""What several commands do."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli import console
from harness.cli.counter import counter
from harness.cli.options import ChoiceOptions, ExecutionOptions, SuiteOptions
from harness.errors import BadUsage, count
from harness.system.slow import said_if_slow

if TYPE_CHECKING:
    from harness.executors.base import Executor
    from harness.plan.parts import ToMake
    from harness.plan.workspace import Workspace
    from harness.schedule.options import Options
    from harness.schedule.run import Watch

log = logging.getLogger(__name__)


def open_suite(
    suite: SuiteOptions,
    make_data: Callable[[Path, str, ToMake], None] | None = None,
    chosen: tuple[str, ...] = (),
    quick: bool = False,
) -> Workspace:
    """Plan the suite that the options ask for, missing built-in synthetic data made by ``make_data``."""
    from harness.plan.workspace import RunChoices, open_workspace
    from harness.suite.configs import folders

    read = " and ".join(map(str, folders(suite.configs)))
    with said_if_slow(log.info, f"planning: reading the configs in {read} and the data"):
        ws = open_workspace(
            suite.configs,
            suite.profile,
            suite.data_root,
            suite.tables,
            suite.seeds,
            RunChoices(suite.quarantine, suite.init, suite.all_methods, quick),
            make_data,
            chosen,
        )
    counts = count(len(ws.cells), "cell"), count(len(ws.needed()), "job")
    log.debug("planned %s as %s, data in %s", *counts, ws.settings.data_root)
    return ws


def make_synthetic(
    root: Path, preset: str, datasets: Sequence[str] | Mapping[str, Collection[str] | None] | None = None
) -> None:
    """Make the built-in synthetic data, or some sets of it, or parts of these, where it is not there yet."""
    from harness.data.synthesize import synthesize

    show = counter()
    synthesize(
        root,
        datasets,
        preset,
        progress=lambda name, done, total: show(f"clips of synthetic {name} in {root}", done, total),
    )


def check_quick(quick: bool, suite: SuiteOptions, chosen: tuple[str, ...] = ()) -> None:
    """Raises BadUsage where something else than ``--quick`` says as well what is to be run."""
    others = {"--tables": suite.tables, "--cell": chosen, "--all-methods": suite.all_methods}
    given = [name for name, value in others.items() if value]
    if quick and given:
        raise BadUsage(f"--quick and {given[0]}: each says what is to be run; give one of them")


def check_choice(choice: ChoiceOptions) -> None:
    """Raises BadUsage where everything would be run anew unasked."""
    if choice.force and not choice.chosen:
        raise BadUsage("--force: name what is to be run anew with --cell; `plan` lists the jobs")


def executor_for(execution: ExecutionOptions) -> Executor:
    """The executor that the options ask for. Raises BadUsage where what they name is not there."""
    from harness.executors.base import Resources
    from harness.executors.registry import make_executor
    from harness.system.precision import check_precision

    check_precision(execution.precision)
    resources = Resources(execution.gpus_per_job, execution.time_limit)
    return make_executor(execution.backend, execution.of_backends, resources)


def run_jobs(
    ws: Workspace,
    work_dir: Path,
    execution: ExecutionOptions,
    again: str = "",
    force: bool = False,
    watch: Watch | None = None,
) -> int:
    """Run what a workspace lacks and print what became of it; returns the exit code.

    Args:
        again: the command that redoes a job, for records; by default ``run``.
        force: run the chosen jobs anew where they are done.
        watch: told where the jobs stand, see ``run_workspace``.
    """
    from harness.plan.redo import redo_command
    from harness.plan.workspace import save_plan
    from harness.schedule.run import jobs_to_run, run_workspace

    say_remarks(ws, jobs_to_run(ws), ws.chosen or None)
    executor = executor_for(execution)
    save_plan(ws, work_dir)
    log_to_file(work_dir)
    if execution.compile:
        log.info(
            "note: --compile: each job compiles its backbones in its first steps: minutes on a processor, in which no "
            "step is shown"
        )
    again = again or redo_command(ws, execution.gpus_per_job, execution.precision, execution.compile)
    done = run_workspace(ws, executor, _options(work_dir, execution, again), force, watch)
    say_result(done.summary)
    for line in done.compared:
        say_result(line)
    for line in done.failures:
        log.error("%s", line)
    if done.failures and (asked := console.current()) is not None:
        log.warning("log: %s", asked.file)
    return done.code


def _options(work_dir: Path, execution: ExecutionOptions, command: str) -> Options:
    """What the scheduler is told of the command line."""
    from harness.schedule.options import Options
    from harness.system.gpus import detect_gpus

    return Options(
        work_dir=work_dir,
        clip_store="" if execution.no_cache else str(work_dir / "clip_store"),
        workers=execution.workers if execution.workers is not None else (4 if detect_gpus() else 0),
        resident=execution.resident,
        retries=execution.retries,
        fuse=not execution.no_fuse,
        processes=execution.gpus_per_job,
        precision=execution.precision,
        compile=execution.compile,
        time_limit=execution.time_limit,
        command=command,
    )


def log_to_file(work_dir: Path) -> None:
    """Keep a log file of this invocation in a work dir, with what was logged so far."""
    from harness import __version__
    from harness.system.environment import commit, environment

    asked = console.current()
    if asked is None or asked.file is not None:
        return
    asked.to_file(work_dir)
    log.debug("log: %s", asked.file)
    log.debug("harness %s %s, %s", __version__, commit(), environment(), extra=console.FILE_ONLY)


def say_result(line: str) -> None:
    """Print a line that the command was asked for; the log file has it as well."""
    console.say(line)
    log.info("%s", line, extra=console.FILE_ONLY)


def say_verdicts(site: Path, tables: Container[str] | None = None) -> None:
    """Print what the pages say of tables and figures, None for all that are on them: a line each."""
    from harness.site.verdicts import verdict_lines

    for line in verdict_lines(site, tables):
        say_result(line)


def say_rejected(site: Path, work_dirs: Sequence[Path]) -> None:
    """Log how many records of these ledgers the pages do not trust: a line each."""
    from harness.site.verdicts import rejected_lines

    for line in rejected_lines(site, work_dirs):
        log.warning("%s", line)


def say_address(site: Path) -> None:
    """Print where a browser finds the pages; on the terminal alone, since it is a place on this machine."""
    console.say((site / "index.html").resolve().as_uri())


def say_remarks(ws: Workspace, keys: Container[str] | None = None, wanted: Container[str] | None = None) -> None:
    """Log cells that cannot be planned, what profiles override and leave out, runs that stand for several entries:
    one line each.

    Args:
        keys: of the only jobs that matter. wanted: names of the only cells that matter. None for all.
    """
    from harness.plan.remarks import left_out_line, missing_lines, note_lines, unplanned_lines

    for line in (*unplanned_lines(ws.plan, wanted), *missing_lines(ws.plan, wanted)):
        log.warning("%s", line)
    for line in note_lines(ws.plan, ws.plan.jobs if keys is None else keys):
        log.info("note: %s", line)
    if wanted is None and (line := left_out_line(ws.left_out, ws.settings.profile)):
        log.info("note: %s", line)


def print_json(found: Any) -> None:
    """Print what was asked for with ``--json``."""
    click.echo(json.dumps(found, indent=1, default=str))


def printable(text: str) -> str:
    r"""A name from outside for a line of text: what a terminal would obey (line ends, escapes) as ``\n``, ``\x1b``."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def print_table(rows: Sequence[Sequence[object]]) -> None:
    """Print rows of cells with aligned columns, the last one as it is."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in texts) for i in range(len(texts[0]) - 1)] if texts else []
    for row in texts:
        click.echo(
            "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        )
