"""Options that several commands share."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

import click

from harness.errors import MOST_SEEDS
from harness.executors import BACKENDS

DEFAULT_CONFIGS = Path(__file__).resolve().parents[2] / "mm_configs"
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)  # one that must be there
NEW_FOLDER = click.Path(path_type=Path, file_okay=False)  # one that is made where it is missing
COUNT = click.IntRange(min=1)
SEEDS = click.IntRange(1, MOST_SEEDS)
PROCESSES = click.IntRange(1, 1024)
NOT_NEGATIVE = click.IntRange(min=0)


class Seconds(click.ParamType):
    """A time that passes and ends: no zero, infinity or NaN."""

    name = "seconds"

    def convert(self, value, param, ctx) -> float:
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 < seconds < math.inf:
            self.fail(f"{value} is not a number of seconds above 0", param, ctx)
        return seconds


SECONDS = Seconds()


class NewFile(click.Path):
    """A file to be written in the end: whether it can be is known before the work begins."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, dir_okay=False, writable=True)

    def convert(self, value, param, ctx) -> Path:
        path = super().convert(value, param, ctx)
        place = next(p for p in Path(os.path.abspath(path)).parents if os.path.lexists(p))
        if not (place.is_dir() and os.access(place, os.W_OK)):
            self.fail(f"{path}: cannot be written, {place} is not a folder that you may write to", param, ctx)
        return path


NEW_FILE = NewFile()


def configs_option(f: Callable) -> Callable:
    """Where the configs lie."""
    return click.option(
        "--configs", type=FOLDER, default=DEFAULT_CONFIGS, help="Folder of configs.  [default: mm_configs]"
    )(f)


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
        show_default="work_dirs",
        help="The ledger; several are shown together.",
    )(f)


def jobs_option(f: Callable) -> Callable:
    """Processes of a command on data."""
    return click.option("--jobs", type=PROCESSES, default=None, help="Processes.  [default: one per core]")(f)


def suite_options(f: Callable) -> Callable:
    """What to measure, and where things lie."""
    for option in reversed(
        [
            click.option(
                "--profile",
                default="demo",
                show_default=True,
                help="smoke, demo or paper: how large everything is.",
            ),
            click.option(
                "--data-root",
                type=FOLDER,
                default=None,
                help="Folder that holds mgr_dark/, nvgesture/, sysu_mm01/. Default: the embedded synthetic data.",
            ),
            click.option(
                "--work-dir",
                type=NEW_FOLDER,
                default=Path("work_dirs"),
                show_default=True,
                help="The ledger.",
            ),
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
        ]
    ):
        f = option(f)
    return f


def choice_options(f: Callable) -> Callable:
    """Which jobs of a plan to run."""
    f = click.option(
        "--force",
        is_flag=True,
        help="Run the jobs that --cell names anew where they are done. The runs that were there are kept in "
        "WORK_DIR/replaced, and the new ones compared with them.",
    )(f)
    return click.option(
        "--cell",
        "chosen",
        multiple=True,
        help="Only these jobs (and the stages they stand on), by name as `plan` "
        "lists them; without -s<seed>: all seeds.",
    )(f)


def execution_options(f: Callable) -> Callable:
    """How jobs are executed."""
    for option in reversed(
        [
            click.option(
                "--jobs",
                type=PROCESSES,
                default=None,
                help="Jobs side by side on the CPU.  [default: one per core]",
            ),
            click.option(
                "--jobs-per-gpu",
                type=PROCESSES,
                default=1,
                show_default=True,
                help="Jobs side by side on each GPU.",
            ),
            click.option(
                "--gpus-per-job",
                type=PROCESSES,
                default=1,
                show_default=True,
                help="GPUs (on the CPU: processes) that train one job together, each with its share of the batch.",
            ),
            click.option(
                "--backend", type=click.Choice(BACKENDS), default="local", show_default=True, help="Executor."
            ),
            click.option("--time-limit", type=SECONDS, default=None, help="Seconds after which a job is stopped."),
            click.option(
                "--retries",
                type=NOT_NEGATIVE,
                default=1,
                show_default=True,
                help="Further attempts at a job that was killed. Out of memory halves "
                "the micro-batch, down to one clip.",
            ),
            click.option(
                "--workers",
                type=click.IntRange(0, 1024),
                default=None,
                help="Data-loading processes per job.  [default: 0 on CPU, 4 on GPU]",
            ),
            click.option(
                "--no-fuse",
                is_flag=True,
                help="Train every student of a sweep on its own instead of side by side.",
            ),
            click.option(
                "--no-cache",
                is_flag=True,
                help="Decode from video in every epoch instead of building a clip store.",
            ),
        ]
    ):
        f = option(f)
    return f
