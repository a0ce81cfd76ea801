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


@command.command("new")
@click.argument("name")
@click.option(
    "--from", "base", default="i3d_r50_mgr-dark-rgb", show_default=True, help="The entry to start from."
)
@click.option(
    "--modality", "modalities", multiple=True, help="Only for this test modality.  [default: all of the base's]"
)
@configs_option
def new(name: str, base: str, modalities: tuple[str, ...], configs: Path) -> None:
    """Write a folder of configs for a new method, one per data set and modality of the one it starts from."""
    from harness.scaffold import new_entry
    from harness.suite import load_benchmark, load_entries

    benchmark = load_benchmark(configs / "benchmark.yml")
    entries = load_entries(configs, benchmark)
    if base not in entries:
        raise ValueError(f"unknown model '{base}'; choose from {', '.join(entries)}")
    for path in new_entry(configs, name, entries[base], entries, benchmark, modalities):
        click.echo(str(path))
    click.echo(f"next: edit them, then `python -m harness models check {name}`")


@command.command("check")
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="Every entry of every folder.")
@configs_option
def check(name: str | None, every: bool, configs: Path) -> int:
    """Is an entry (or a folder) sound? Builds, trains a step, overfits a batch, saves, resumes, predicts the same."""
    from harness.measure.entry_check import check_entries
    from harness.suite import load_benchmark, load_entries

    entries = load_entries(configs, load_benchmark(configs / "benchmark.yml"))
    chosen = [e for e in entries.values() if every or name in (e.name, e.config.parent.name)]
    if not chosen:
        folders = ", ".join(sorted({e.config.parent.name for e in entries.values()}))
        raise ValueError(
            f"models check {name or ''}: no such model or folder; choose from {folders}, or --all"
        )
    bad = 0
    for entry in chosen:
        findings = list(check_entries([entry], entries))
        wrong = [f for f in findings if not f.ok]
        bad += len(wrong)
        if not wrong:
            click.echo(f"ok   {entry.name:40s} {len(findings)} checks")
        for f in wrong:
            click.echo(f"BAD  {entry.name:40s} {f.what}: {f.remedy}")
    click.echo(f"{len(chosen)} entries, {bad} problems")
    return 1 if bad else 0
