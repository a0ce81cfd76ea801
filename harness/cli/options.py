"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

DEFAULT_CONFIGS = Path(__file__).resolve().parents[2] / "mm_configs"


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
                type=click.Path(path_type=Path),
                default=None,
                help="Folder that holds mgr_dark/, nvgesture/, sysu_mm01/. Default: the embedded synthetic data.",
            ),
            click.option(
                "--work-dir",
                type=click.Path(path_type=Path),
                default=Path("work_dirs"),
                show_default=True,
                help="The ledger.",
            ),
            click.option(
                "--configs",
                type=click.Path(path_type=Path),
                default=DEFAULT_CONFIGS,
                help="Folder of configs.  [default: mm_configs]",
            ),
            click.option(
                "--tables", default=None, help="Only these tables and figures, e.g. table2,table4,figure6."
            ),
            click.option(
                "--seeds", type=int, default=None, help="Number of seeds per cell.  [default: by profile]"
            ),
            click.option(
                "--quarantine",
                multiple=True,
                metavar="SET=FILE",
                help="Leave out the clips listed in FILE, e.g. mgr_dark=bad.txt.",
            ),
        ]
    ):
        f = option(f)
    return f


def execution_options(f: Callable) -> Callable:
    """How jobs are executed."""
    for option in reversed(
        [
            click.option(
                "--jobs",
                type=int,
                default=None,
                help="Jobs side by side on the CPU.  [default: one per core]",
            ),
            click.option(
                "--jobs-per-gpu",
                type=int,
                default=1,
                show_default=True,
                help="Jobs side by side on each GPU.",
            ),
            click.option(
                "--gpus-per-job",
                type=int,
                default=1,
                show_default=True,
                help="GPUs (on the CPU: processes) that train one job together, each with its share of the batch.",
            ),
            click.option("--backend", default="local", show_default=True, help="Executor."),
            click.option(
                "--time-limit", type=float, default=None, help="Seconds after which a job is stopped."
            ),
            click.option(
                "--retries",
                type=int,
                default=1,
                show_default=True,
                help="Further attempts at a job that was killed. Out of memory halves the micro-batch, down to one clip.",
            ),
            click.option(
                "--workers",
                type=int,
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
