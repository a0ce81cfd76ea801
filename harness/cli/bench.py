"""``bench``: measure the harness on this machine."""

from __future__ import annotations

import contextlib
import logging
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness import PACKAGED_CONFIGS
from harness.cli.common import make_synthetic, open_suite, print_json
from harness.cli.group import Group
from harness.cli.options import (
    SuiteOptions,
    backend_options,
    configs_option,
    device_option,
    json_option,
    profile_option,
    suite_options,
)
from harness.cli.types import COUNT, FOLDER, NEW_FOLDER, NOT_NEGATIVE, SECONDS, SEEDS, FiniteRange
from harness.errors import BadUsage, unknown_name

if TYPE_CHECKING:
    from harness.plan.workspace import Workspace
    from harness.suite import Benchmark, Entry

log = logging.getLogger(__name__)
ENGINE_CELLS = ("i3d_r50_mgr-dark-rgb", "tsn_two-stream_mgr-dark-rgb")  # three trainings, two renderings
as_printed = json_option("the names and numbers that are printed without it")


@click.group("bench", cls=Group)
def command() -> None:
    """Measure the harness on this machine."""


def say(result: dict[str, Any], as_json: bool) -> None:
    """A result as JSON or as lines of name and number."""
    if as_json:
        print_json(result)
        return
    for name, value in result.items():
        click.echo(f"{name:32s} {value:.3f}" if isinstance(value, float) else f"{name:32s} {value}")


def workspace_with_data(suite: SuiteOptions) -> Workspace:
    """The suite as ``run-all`` has it: the built-in synthetic data are made where none are given.

    Raises ValueError where something cannot be planned: figures of less would pass for those of the whole.
    """
    ws = open_suite(suite, make_synthetic)
    for (cell, _), reason in ws.plan.errors.items():
        raise ValueError(f"cannot plan {cell}: {reason}")
    return ws


@command.command("harness")
@suite_options
@click.option("--quick", is_flag=True, help="Fewer cells, records and jobs.")
@as_printed
def bench_harness_command(suite: SuiteOptions, quick: bool, as_json: bool) -> None:
    """Planning, status, a run-all with nothing to do, a job's start, the gain of two slots.

    Ledgers are made up in a temporary folder; --work-dir is left alone.
    """
    from harness.bench.orchestration import bench_harness

    say(bench_harness(workspace_with_data(suite), quick), as_json)


@command.command("scale")
@suite_options
@click.option("--quick", is_flag=True, help="2,000 cells, 1,000 records and 2,000 clips at most.")
@as_printed
def bench_scale_command(suite: SuiteOptions, quick: bool, as_json: bool) -> int:
    """How the costs of planning, status, verify, report and of a data set's start grow: exponents at n, 2 n and 4 n,
    processor time and memory of the last.

    Up to 100,000 cells, 20,000 made-up records and 31,020 clips, in temporary folders. Exit code 1 where anything is
    above its limit.
    """
    from harness.bench.scale import QUICK, Sizes, bench_scale, falls_short

    found = bench_scale(workspace_with_data(suite), QUICK if quick else Sizes(), log.info)
    say(found, as_json)
    short = falls_short(found)
    for line in short:
        log.warning("%s", line)
    return 1 if short else 0


@command.command("models")
@suite_options
@json_option("a list of {model, profile, params, flops, latency_ms, clips_per_s, peak_mib, device, ...}")
@device_option
def bench_models_command(suite: SuiteOptions, as_json: bool, device: str) -> None:
    """Parameters, multiply-adds, latency at batch 1, throughput and peak memory of every network that stands alone,
    on RGB of the benchmark's first data set.
    """
    from harness.measure.entries import bench_entries
    from harness.plan.resolve import stands_alone
    from harness.plan.workspace import check_profile
    from harness.suite import load_suite

    check_profile(suite.configs, suite.profile)
    benchmark, entries = load_suite(suite.configs)
    first = next(iter(benchmark.datasets))
    chosen = [e for e in entries.values() if e.dataset == first and e.test_modality == "rgb"]
    chosen = [e for e in chosen if stands_alone(e, suite.profile)]
    rows = bench_entries(chosen, suite.profile, device)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(
            f"{row['model']:36s} {row['params'] / 1e6:7.2f} M  {row['flops'] / 1e9:8.2f} GMAC  "
            f"{row['latency_ms']:8.1f} ms  {row['clips_per_s']:8.1f} clips/s  {row['peak_mib']:7.0f} MiB"
        )


@command.command("data")
@click.option("--quick", is_flag=True, help="Fewer clips and samples.")
@as_printed
@configs_option
def bench_data_command(quick: bool, as_json: bool, configs: Path) -> int:
    """Clips per second from video and clip store, beside MMAction2's pipeline; builder; share of data time.

    Says whether loading reaches what it has to, a line each. Exit code 1 where it falls short.
    """
    from harness.bench.data import bench_data

    with contextlib.redirect_stdout(sys.stderr if as_json else sys.stdout):  # MMEngine logs to standard output
        result = bench_data(configs, quick, click.echo)
    say(result if as_json else {k: v for k, v in result.items() if not isinstance(v, list | dict)}, as_json)
    return 0 if all(check["ok"] for check in result["checks"]) else 1


@command.command("sweep")
@suite_options
@click.option("--quick", is_flag=True, help="Three points instead of all.")
@as_printed
def bench_sweep_command(suite: SuiteOptions, quick: bool, as_json: bool) -> None:
    """Figure 6's students side by side in one job against one by one: time, and whether the results are equal."""
    from harness.bench.sweep import bench_sweep
    from harness.schedule.stores import build_stores
    from harness.system.environment import usable_cores

    ws = workspace_with_data(replace(suite, tables=suite.tables or "figure6", seeds=suite.seeds or 1))
    store = suite.work_dir / "clip_store"
    build_stores(ws.needed(), store, usable_cores())
    say(bench_sweep(ws, suite.work_dir, str(store), quick, log.info), as_json)


@command.command("step")
@profile_option("demo")
@configs_option
@device_option
@click.option("--clips", type=COUNT, default=None, help="Of a batch.  [default: the config's batch]")
@as_printed
def bench_step_command(profile: str, configs: Path, device: str, clips: int | None, as_json: bool) -> None:
    """What distillation adds to a training step of Figure 6's student. Needs no data."""
    from harness.measure.entries import device_of
    from harness.measure.step import measure_student_step
    from harness.plan.workspace import check_profile
    from harness.suite import load_suite
    from harness.system.environment import hardware

    check_profile(configs, profile)
    benchmark, entries = load_suite(configs)
    if not benchmark.figures:
        raise ValueError(f"{configs}: no figure of its benchmark.yml names a student to measure")
    entry = entries[benchmark.figures[0].model]
    found = measure_student_step(entry, entries, profile, device_of(device), clips)
    say({"model": entry.name, **found, "hardware": hardware()}, as_json)


@command.command("gpu")
@click.option(
    "--skip", multiple=True, type=click.Choice(["methods", "distillation", "smoke", "ddp"]), help="Leave a part out."
)
@click.option("--methods", default=None, help="Only these, by name with commas between, e.g. I3D,TSN.")
@click.option("--minutes", type=FiniteRange(min=0.1), default=5.0, show_default=True, help="That it may take.")
@click.option(
    "--workers", type=NOT_NEGATIVE, default=None, help="Loading processes.  [default: a core each, 16 at most]"
)
@click.option("--clips", type=COUNT, default=None, help="Of a batch.  [default: the config's batch]")
@configs_option
@click.option("--device", default="cuda", hidden=True)
@click.option("--profile", default="paper", hidden=True)
@json_option("{gpu, methods: a list of {model, stock, ours}, distillation, smoke, ddp, left_out, hardware, ...}")
def bench_gpu_command(
    skip: tuple[str, ...],
    methods: str | None,
    minutes: float,
    workers: int | None,
    clips: int | None,
    configs: Path,
    device: str,
    profile: str,
    as_json: bool,
) -> int:
    """What a GPU does with this: steps of each method at paper scale, as stock MMAction2 takes them and as the harness
    does, the share of the card's peak, waiting for data, memory; distillation; a real `run-all`; two GPUs if there are.

    Needs no data. Keep the result: `plan --cost --device CARD --measured FILE` predicts from it. Exit code 1 where a
    run failed.
    """
    from harness.bench.gpu import Session, bench_gpu, check_gpu
    from harness.measure.gpu_steps import StepSizes
    from harness.suite import load_suite
    from harness.system.environment import usable_cores

    check_gpu(device)
    suite = load_suite(configs)
    sizes = StepSizes(workers=min(16, usable_cores()) if workers is None else workers, clips=clips)
    chosen = _alone(suite, profile, methods)
    with contextlib.redirect_stdout(sys.stderr):  # MMEngine logs to standard output
        session = Session(profile, device, sizes, time.monotonic() + 60 * minutes, log.info)
        found = bench_gpu(suite, chosen, skip, session)
    say(found if as_json else {k: v for k, v in found.items() if k not in ("methods", "environment")}, as_json)
    runs = [found[part] for part in ("smoke", "ddp") if part in found]
    return 1 if any(run.get("exit_code") for run in runs) else 0


def _alone(suite: tuple[Benchmark, dict[str, Entry]], profile: str, methods: str | None) -> list[Entry]:
    """A network of each method that stands alone, on RGB of the first data set. Raises BadUsage for an unknown one."""
    from harness.plan.resolve import stands_alone

    benchmark, entries = suite
    first = next(iter(benchmark.datasets))
    rgb = [e for e in entries.values() if e.dataset == first and e.test_modality == "rgb" and not e.protocol]
    found = {e.method: e for e in reversed(rgb) if stands_alone(e, profile)}
    asked = [m.strip() for m in methods.split(",")] if methods else sorted(found)
    for name in asked:
        if name not in found:
            raise BadUsage(f"--methods: {unknown_name('method', name, sorted(found))}")
    return [found[name] for name in asked]


@command.command("kills")
@click.option("--count", type=COUNT, default=100, show_default=True, help="SIGKILLs to survive.")
@click.option("--seed", type=NOT_NEGATIVE, default=0, show_default=True, help="Of the moments and the targets.")
@click.option(
    "--work-dir",
    type=NEW_FOLDER,
    default=None,
    help="Empty scratch folder, kept.  [default: a temporary one]",
)
@click.option("--tables", default=None, help="Only these tables and figures, for a shorter run.")
@click.option(
    "--wait",
    type=SECONDS,
    default=None,
    help="Seconds between kills at most.  [default: a quarter of the undisturbed run's time]",
)
@as_printed
def bench_kills_command(
    count: int, seed: int, work_dir: Path | None, tables: str | None, wait: float | None, as_json: bool
) -> int:
    """Kill a smoke run-all again and again, go on, and compare its ledger with an undisturbed one, bit for bit.

    Trainings have four epochs. Each is killed once after its first checkpoint, then come --count kills at random
    moments.

    Exit code 1 where anything differs or is lost.
    """
    from harness.bench.kills import CONFIGS, bench_kills, run_all_command

    command = run_all_command(
        "--profile", "smoke", "--configs", f"../{CONFIGS}", *(["--tables", tables] if tables else [])
    )
    with contextlib.ExitStack() as stack:
        folder = work_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        result = bench_kills(folder, count, seed, log.info, command, wait, PACKAGED_CONFIGS)
    say(result, as_json)
    return 1 if result["records_unequal"] or result["lost"] else 0


@command.command("engines")
@backend_options
@click.option("--kills", type=NOT_NEGATIVE, default=20, show_default=True, help="SIGKILLs of the harness to survive.")
@click.option("--seed", type=NOT_NEGATIVE, default=0, show_default=True, help="Of the moments.")
@click.option(
    "--cell",
    "cells",
    multiple=True,
    default=ENGINE_CELLS,
    show_default=True,
    help="What to run, with the stages it depends on.",
)
@click.option(
    "--wait",
    type=SECONDS,
    default=None,
    help="Seconds between kills at most.  [default: a quarter of the undisturbed run's time]",
)
@click.option(
    "--work-dir",
    type=NEW_FOLDER,
    default=None,
    help="Empty scratch folder that all nodes share, kept.  [default: a temporary one]",
)
@click.option("--data-root", type=FOLDER, default=None, help="Data that are there.  [default: made anew]")
@json_option("{driver_kills, node_losses, unequal, lost, run_twice, overhead_beyond_engine_s, hardware, ...}")
def bench_engines_command(
    backend: str,
    of_backends: Mapping[str, Any],
    kills: int,
    seed: int,
    cells: tuple[str, ...],
    wait: float | None,
    work_dir: Path | None,
    data_root: Path | None,
    as_json: bool,
) -> int:
    """A smoke suite on a cluster: what a job costs there beyond a local one, and what killing the harness loses.

    It runs on this machine, on the cluster undisturbed, and on the cluster with --kills at random moments. No node is
    lost: `python -m tests.helpers.engine_losses` does that to a cluster of its own.

    Exit code 1 where anything differs from the undisturbed ledger, is lost or has run twice.
    """
    from harness.bench.engines import Disturbances, bench_engine, flags_of, smoke_command
    from harness.executors.base import Resources
    from harness.executors.registry import make_executor

    make_executor(backend, of_backends, Resources())  # says what is not there before minutes on this machine
    with contextlib.ExitStack() as stack:
        folder = work_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        found = bench_engine(
            folder,
            smoke_command(cells, data_root),
            flags_of(backend, of_backends),
            Disturbances(kills, seed=seed, longest_wait=wait),
            PACKAGED_CONFIGS,
            log.info,
        )
    say(found, as_json)
    return 1 if found["unequal"] or found["lost"] or found["run_twice"] else 0


@command.command("demo")
@click.option("--quick", is_flag=True, help="The few cells of `run-all --quick`.")
@click.option("--seeds", type=SEEDS, default=None, help="Number of seeds per cell; from 3 on their spread is checked.")
@click.option("--data-root", type=FOLDER, default=None, help="Data that are there.  [default: made anew]")
@click.option(
    "--work-dir", type=NEW_FOLDER, default=None, help="Empty scratch folder, kept.  [default: a temporary one]"
)
@json_option("all figures, checks, limits and the hardware")
def bench_demo_command(
    quick: bool, seeds: int | None, data_root: Path | None, work_dir: Path | None, as_json: bool
) -> int:
    """The default demo from nothing to pages: time and memory of its parts, and whether it reaches what it has to.

    Each check is a line. Exit code 1 where a job failed or anything falls short.
    """
    from harness.bench.demo import bench_demo, lines_of, reached, run_all_command

    command = run_all_command(data_root, quick, seeds)
    with contextlib.ExitStack() as stack:
        folder = work_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        folder.mkdir(parents=True, exist_ok=True)
        found = bench_demo(folder, command, quick, log.info)
    if as_json:
        print_json(found)
    else:
        click.echo("\n".join(lines_of(found)))
    return 0 if reached(found) else 1
