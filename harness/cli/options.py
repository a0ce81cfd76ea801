"""Options that several commands share, as decorators that hand them to the command in one object."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from harness import PACKAGED_CONFIGS
from harness.cli.types import FOLDER, NEW_FOLDER, NOT_NEGATIVE, PROCESSES, SECONDS, SEEDS
from harness.system.precision import CHOICES


@dataclass(frozen=True)
class SuiteOptions:
    """What to measure, and where things lie."""

    profile: str
    data_root: Path | None
    work_dir: Path
    configs: Path
    tables: str | None
    seeds: int | None
    quarantine: tuple[str, ...]
    init: str | None
    all_methods: bool


@dataclass(frozen=True)
class ExecutionOptions:
    """How jobs are executed."""

    gpus_per_job: int
    precision: str
    time_limit: float | None
    retries: int
    workers: int | None
    resident: str
    compile: bool
    no_fuse: bool
    no_cache: bool
    backend: str = "local"
    of_backends: Mapping[str, Any] = field(default_factory=dict)  # what executors declare, None where not given


@dataclass(frozen=True)
class ChoiceOptions:
    """Which jobs of a plan to run."""

    chosen: tuple[str, ...]
    force: bool


def profile_option(default: str) -> Callable[[Callable], Callable]:
    """The scale of everything."""
    return click.option(
        "--profile", default=default, show_default=True, help="smoke, demo or paper: how large everything is."
    )


def there(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Refuses a folder that is named on the command line and is not there; what is missing in the place of a default is
    said by the command, with what makes it.
    """
    if ctx.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE:
        for folder in value if isinstance(value, tuple) else (value,):
            if not folder.is_dir():
                raise click.BadParameter(f"{folder}: no such folder", ctx, param)
    return value


old_work_dir_option = click.option(
    "--work-dir", type=NEW_FOLDER, default=Path("work_dirs"), show_default=True, callback=there, help="The ledger."
)
work_dir_option = click.option(
    "--work-dir", type=NEW_FOLDER, default=Path("work_dirs"), show_default=True, help="The ledger."
)
site_option = click.option(
    "--site", type=NEW_FOLDER, default=Path("site"), show_default=True, help="Where the pages go."
)


def quick_option(said: str) -> Callable[[Callable], Callable]:
    """``--quick``: the cells that the benchmark names as a quick look."""
    return click.option("--quick", is_flag=True, help=said)


device_option = click.option("--device", default="auto", show_default=True, help="cpu, cuda or auto.")
jobs_option = click.option("--jobs", type=PROCESSES, default=None, help="Processes.  [default: one per core]")
configs_option = click.option(
    "--configs",
    type=FOLDER,
    default=PACKAGED_CONFIGS,
    help="Folder of your own methods, beside those that came with the harness. One with _base_/profiles of its own "
    "(a copy of mm_configs) stands alone.  [default: mm_configs]",
)


def json_option(keys: str) -> Callable[[Callable], Callable]:
    """``--json``, whose help names the keys of what is printed."""
    return click.option("--json", "as_json", is_flag=True, help=f"JSON on standard output, nothing else there: {keys}.")


def ledgers_options(f: Callable) -> Callable:
    """Which ledgers and profiles pages are made of."""
    f = click.option(
        "--profile",
        "profiles",
        multiple=True,
        help="Only this profile; several: the first is the main one.  [default: all, that of the last plan first]",
    )(f)
    return click.option(
        "--work-dir",
        "work_dirs",
        type=NEW_FOLDER,
        multiple=True,
        default=[Path("work_dirs")],
        callback=there,
        help="The ledger; several are shown together.  [default: work_dirs]",
    )(f)


def _together(name: str, kind: type, *options: Callable[[Callable], Callable]) -> Callable[[Callable], Callable]:
    """A decorator that adds options and hands their values to the command as one object.

    Args:
        name: of the command's argument. kind: a dataclass with a field without default for each option.
    """
    own = [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]

    def decorate(f: Callable) -> Callable:
        @functools.wraps(f)
        def call(**given: Any) -> Any:
            return f(**{name: kind(**{key: given.pop(key) for key in own})}, **given)

        for option in reversed(options):
            call = option(call)
        return call

    return decorate


suite_options = _together(
    "suite",
    SuiteOptions,
    profile_option("demo"),
    click.option(
        "--data-root",
        type=FOLDER,
        default=None,
        help="Folder that holds a folder per data set, e.g. mgr_dark/.  [default: built-in synthetic data]",
    ),
    work_dir_option,
    configs_option,
    click.option("--tables", default=None, help="Only these tables and figures, e.g. table2,table4,figure6."),
    click.option("--seeds", type=SEEDS, default=None, help="Number of seeds per cell.  [default: by profile]"),
    click.option(
        "--quarantine",
        multiple=True,
        metavar="SET=FILE",
        help="Leave out the clips listed in FILE, e.g. mgr_dark=bad.txt.",
    ),
    click.option(
        "--init",
        type=click.Choice(["scratch", "pretrained"]),
        default=None,
        help="Start from the weights that each metafile lists, or from nothing.  [default: by profile]",
    ),
    click.option(
        "--all-methods", is_flag=True, help="With the methods that the profile leaves out (Optional At in a metafile)."
    ),
)

cell_option = click.option(
    "--cell",
    "chosen",
    multiple=True,
    help="Only these jobs (and the stages they depend on), by name as `plan` lists them, with commas between or given "
    "again; without -s<seed>: all seeds.",
)
choice_options = _together(
    "choice",
    ChoiceOptions,
    cell_option,
    click.option(
        "--force",
        is_flag=True,
        help="Run the jobs that --cell names anew where they are done. The runs that were there are kept in "
        "WORK_DIR/replaced, and the new ones compared with them.",
    ),
)

_execution_options = _together(
    "execution",
    ExecutionOptions,
    click.option(
        "--gpus-per-job",
        type=PROCESSES,
        default=1,
        show_default=True,
        help="GPUs (on the CPU: processes) that train one job together, each with its share of the batch.",
    ),
    click.option(
        "--precision",
        type=click.Choice(CHOICES),
        default="auto",
        show_default=True,
        help="Of forward and backward passes. auto: bf16 on a GPU that has it, else fp32.",
    ),
    click.option("--time-limit", type=SECONDS, default=None, help="Seconds after which a job is stopped."),
    click.option(
        "--retries",
        type=NOT_NEGATIVE,
        default=1,
        show_default=True,
        help="Further attempts at a job that was killed. Out of memory halves the micro-batch, down to one clip.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(0, 1024),
        default=None,
        help="Processes per job that load clips which no raw clip store holds; clips of raw stores are gathered in the "
        "training's own process.  [default: 0 on CPU, 4 on GPU]",
    ),
    click.option(
        "--resident",
        type=click.Choice(["auto", "on", "off"]),
        default="auto",
        show_default=True,
        help="Hold raw clip stores in the memory of each job's device. auto: on a GPU where they take at most half of "
        "what is free.",
    ),
    click.option(
        "--compile",
        is_flag=True,
        help="Compile the networks' backbones (torch.compile). Last digits of results change; where the compiler "
        "fails, a job goes on without it and says so. A job's first steps take minutes on a processor.",
    ),
    click.option("--no-fuse", is_flag=True, help="Train every student of a sweep on its own instead of side by side."),
    click.option("--no-cache", is_flag=True, help="Decode from video in every epoch instead of building a clip store."),
)


def backend_options(f: Callable) -> Callable:
    """Which executor runs jobs, and the options of all that are installed: ``backend`` and ``of_backends``."""
    from harness.executors.registry import executor_options, executors, option_name

    declared = executor_options()

    @functools.wraps(f)
    def call(**given: Any) -> Any:
        own = {name: given.pop(name) for name in map(option_name, declared)}
        return f(of_backends=own, **given)

    for flag, kind in reversed(declared.items()):
        call = click.option(flag, **kind)(call)
    return click.option(
        "--backend", type=click.Choice(list(executors())), default="local", show_default=True, help="Executor."
    )(call)


def execution_options(f: Callable) -> Callable:
    """How jobs are executed; the executors that are installed add options of their own."""

    @functools.wraps(f)
    def call(execution: ExecutionOptions, backend: str, of_backends: Mapping[str, Any], **given: Any) -> Any:
        return f(execution=replace(execution, backend=backend, of_backends=of_backends), **given)

    return _execution_options(backend_options(call))
