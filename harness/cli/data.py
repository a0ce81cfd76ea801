"""``data``: synthesize, cache and describe data sets."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harness.cli.options import suite_options


@click.group("data")
def command() -> None:
    """Synthesize, cache and describe data sets."""


@command.command("synthesize")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    help="Folder to write to.  [default: data/synthetic-PRESET]",
)
@click.option("--preset", type=click.Choice(["demo", "smoke"]), default="demo", show_default=True)
@click.option("--datasets", default="mgr_dark,nvgesture,sysu_mm01", show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--jobs", type=int, default=None, help="Processes.  [default: one per core]")
def synthesize_command(out: Path | None, preset: str, datasets: str, seed: int, jobs: int | None) -> None:
    """Write a small synthetic MGR-Dark, NvGesture and SYSU-MM01 as real files in their real layouts."""
    from harness.data.synthesize import synthesize

    root = out or Path("data") / f"synthetic-{preset}"
    synthesize(
        root,
        datasets=tuple(d.strip() for d in datasets.split(",")),
        preset=preset,
        seed=seed,
        jobs=jobs,
        progress=lambda name, done, total: click.echo(f"\r{name}: {done} of {total} clips", nl=done == total, err=True),
    )
    click.echo(f"synthetic data (not the real data sets) in {root}")


@command.command("sheet")
@click.argument("root", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path("contact_sheet.png"), show_default=True)
def sheet(root: Path, out: Path) -> None:
    """A contact sheet PNG of one data set: gestures by modality and lighting, over time."""
    from harness.data.contact_sheet import contact_sheet

    contact_sheet(root, out)
    click.echo(str(out))


@command.command("stats")
@click.argument("root", type=click.Path(path_type=Path))
def stats(root: Path) -> None:
    """Statistics of one data set (paper, Table 1 and Figure 4) as JSON."""
    from harness.data.stats import dataset_statistics

    click.echo(json.dumps(dataset_statistics(root), indent=1))


@command.command("cache")
@suite_options
@click.option("--jobs", type=int, default=None, help="Processes.  [default: one per core]")
def cache(profile, data_root, work_dir, configs, tables, seeds, quarantine, jobs) -> None:
    """Decode once what the plan's runs will read many times."""
    from harness.cli.run import build_stores, usable_cores
    from harness.workspace import open_workspace

    ws = open_workspace(configs, profile, data_root, tables, seeds, quarantine)
    build_stores(ws.needed(), work_dir / "clip_store", jobs or usable_cores())
