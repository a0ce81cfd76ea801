"""``models``: list, show and check model entries."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import DEFAULT_CONFIGS

configs_option = click.option(
    "--configs",
    type=click.Path(path_type=Path),
    default=DEFAULT_CONFIGS,
    help="Folder of configs.  [default: mm_configs]",
)


@click.group("models")
def command() -> None:
    """List, show and check model entries."""


@command.command("list")
@configs_option
def list_models(configs: Path) -> None:
    """Every config of every method: name, method, data set, modalities, stage."""
    from harness.suite import load_benchmark, load_entries

    for e in load_entries(configs, load_benchmark(configs / "benchmark.yml")).values():
        click.echo(
            f"{e.name:44s} {e.method:14s} {e.dataset:10s} {'+'.join(e.train_modalities)} -> {e.test_modality}  {e.stage}"
        )


@command.command("show")
@click.argument("name")
@configs_option
@click.option("--profile", default="paper", show_default=True)
def show(name: str, configs: Path, profile: str) -> None:
    """The resolved config of an entry at a profile."""
    import json

    from harness.plan.resolve import resolve
    from harness.suite import load_benchmark, load_entries

    entries = load_entries(configs, load_benchmark(configs / "benchmark.yml"))
    if name not in entries:
        raise ValueError(f"unknown model '{name}'; choose from {', '.join(entries)}")
    resolved = resolve(entries[name].config, profile)
    click.echo(json.dumps({**resolved.config, "parents": resolved.parents}, indent=1, default=str))
