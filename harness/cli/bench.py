"""``bench``: measure the harness on this machine."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

import click

from harness.cli.group import Group
from harness.cli.options import (
    COUNT,
    DEFAULT_CONFIGS,
    NEW_FOLDER,
    NOT_NEGATIVE,
    SECONDS,
    configs_option,
    suite_options,
)


@click.group("bench", cls=Group)
def command() -> None:
    """Measure the harness on this machine."""


def say(result: dict, as_json: bool) -> None:
    """A result as JSON or as lines of name and number."""
    if as_json:
        click.echo(json.dumps(result, indent=1))
        return
    for name, value in result.items():
        click.echo(f"{name:32s} {value:.3f}" if isinstance(value, float) else f"{name:32s} {value}")


def workspace_with_data(configs: Path, profile: str, data_root: Path | None, *suite):
    """The suite as ``run-all`` has it: the embedded data are made where none are given.

    Raises ValueError where something cannot be planned: figures of less would pass for those of the whole.
    """
    from harness.cli.run_all import make_synthetic
    from harness.plan.workspace import open_workspace

    ws = open_workspace(configs, profile, data_root, *suite, make_data=make_synthetic)
    for (cell, _), reason in ws.plan.errors.items():
        raise ValueError(f"cannot plan {cell}: {reason}")
    return ws


@command.command("harness")
@suite_options
@click.option("--quick", is_flag=True, help="Fewer cells, records and jobs.")
@click.option("--json", "as_json", is_flag=True)
def bench_harness_command(
    profile, data_root, work_dir: Path, configs, tables, seeds, quarantine, init, quick, as_json
) -> None:
    """Planning, status, a run-all with nothing to do, a job's start, the gain of two slots.

    Ledgers are made up in a temporary folder; --work-dir is left alone.
    """
    from harness.bench.orchestration import bench_harness

    ws = workspace_with_data(configs, profile, data_root, tables, seeds, quarantine, init)
    say(bench_harness(ws, quick), as_json)


@command.command("models")
@suite_options
@click.option("--json", "as_json", is_flag=True)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda or auto.")
def bench_models_command(
    profile, data_root, work_dir, configs, tables, seeds, quarantine, init, as_json, device
) -> None:
    """Parameters, multiply-adds, latency at batch 1, throughput and peak memory of every single-network entry."""
    from harness.measure.entries import bench_entries
    from harness.plan.workspace import check_profile
    from harness.suite import load_benchmark, load_entries

    check_profile(configs, profile)
    entries = load_entries(configs, load_benchmark(configs / "benchmark.yml"))
    rows = bench_entries(
        [e for e in entries.values() if e.stage == "single" and e.dataset == "mgr_dark" and e.test_modality == "rgb"],
        profile,
        device,
    )
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        click.echo(
            f"{row['model']:36s} {row['params'] / 1e6:7.2f} M  {row['flops'] / 1e9:8.2f} GMAC  "
            f"{row['latency_ms']:8.1f} ms  {row['clips_per_s']:8.1f} clips/s  {row['peak_mib']:7.0f} MiB"
        )


@command.command("data")
@click.option("--quick", is_flag=True, help="Fewer clips and samples.")
@click.option("--json", "as_json", is_flag=True)
@configs_option
def bench_data_command(quick, as_json, configs) -> None:
    """Clips per second from video and clip store, beside MMAction2's pipeline; builder; share of data time."""
    from harness.bench.data import bench_data

    with contextlib.redirect_stdout(sys.stderr if as_json else sys.stdout):  # MMEngine logs to standard output
        result = bench_data(configs, quick, click.echo)
    say(result if as_json else {k: v for k, v in result.items() if not isinstance(v, list | dict)}, as_json)


@command.command("sweep")
@suite_options
@click.option("--quick", is_flag=True, help="Three points instead of all.")
@click.option("--json", "as_json", is_flag=True)
def bench_sweep_command(
    profile, data_root, work_dir: Path, configs, tables, seeds, quarantine, init, quick, as_json
) -> None:
    """Figure 6's students side by side in one job against one by one: time, and whether the results are equal."""
    from harness.bench.sweep import bench_sweep
    from harness.cli.run import build_stores, usable_cores

    ws = workspace_with_data(configs, profile, data_root, tables or "figure6", seeds or 1, quarantine, init)
    store = work_dir / "clip_store"
    with contextlib.redirect_stdout(sys.stderr):
        build_stores(ws.needed(), store, usable_cores())
    say(bench_sweep(ws, work_dir, str(store), quick, lambda line: click.echo(line, err=True)), as_json)


@command.command("step")
@click.option("--profile", default="demo", show_default=True, help="smoke, demo or paper: how large everything is.")
@configs_option
@click.option("--device", default="auto", show_default=True, help="cpu, cuda or auto.")
@click.option("--clips", type=COUNT, default=None, help="Of a batch.  [default: the config's batch]")
@click.option("--json", "as_json", is_flag=True)
def bench_step_command(profile, configs, device, clips, as_json) -> None:
    """What distillation adds to a training step of Figure 6's student. Needs no data."""
    from harness.measure.entries import device_of
    from harness.measure.step import measure_student_step
    from harness.plan.workspace import check_profile
    from harness.suite import load_benchmark, load_entries
    from harness.system.environment import hardware

    check_profile(configs, profile)
    benchmark = load_benchmark(configs / "benchmark.yml")
    if not benchmark.figures:
        raise ValueError(f"{configs / 'benchmark.yml'}: no figure names a student to measure")
    entries = load_entries(configs, benchmark)
    entry = entries[benchmark.figures[0].model]
    found = measure_student_step(entry, entries, profile, device_of(device), clips)
    say({"model": entry.name, **found, "hardware": hardware()}, as_json)


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
@click.option("--json", "as_json", is_flag=True)
def bench_kills_command(count, seed, work_dir: Path | None, tables, wait, as_json) -> int:
    """Kill a smoke run-all again and again, go on, and compare its ledger with an undisturbed one, bit for bit.

    Trainings have four epochs. Each is killed once after its first checkpoint, then come --count kills at random
    moments.

    Exit code 1 where anything differs or is lost.
    """
    import tempfile

    from harness.bench.kills import CONFIGS, bench_kills, run_all_command

    command = run_all_command(
        "--profile", "smoke", "--configs", f"../{CONFIGS}", *(["--tables", tables] if tables else [])
    )
    with contextlib.ExitStack() as stack:
        folder = work_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        result = bench_kills(
            folder, count, seed, lambda line: click.echo(line, err=True), command, wait, DEFAULT_CONFIGS
        )
    say(result, as_json)
    return 1 if result["records_unequal"] or result["lost"] else 0
