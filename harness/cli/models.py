"""``models``: list, show and check model entries."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.group import Group
from harness.cli.options import FOLDER, NEW_FOLDER, SEEDS, configs_option, execution_options
from harness.errors import BadUsage, unknown_name


@click.group("models", cls=Group)
def command() -> None:
    """List, show and check model entries."""


@command.command("list")
@configs_option
def list_models(configs: Path) -> None:
    """Every config of every method: name, method, data set, modalities, stage."""
    from harness.suite import load_benchmark, load_entries

    for e in load_entries(configs, load_benchmark(configs / "benchmark.yml")).values():
        click.echo(
            f"{e.name:44s} {e.method:14s} {e.dataset:10s} "
            f"{'+'.join(e.train_modalities)} -> {e.test_modality}  {e.stage}"
        )


@command.command("show")
@click.argument("name")
@configs_option
@click.option("--profile", default="paper", show_default=True)
def show(name: str, configs: Path, profile: str) -> None:
    """The resolved config of an entry at a profile."""
    import json

    from harness.plan.resolve import resolve
    from harness.plan.workspace import check_profile
    from harness.suite import load_benchmark, load_entries

    entries = load_entries(configs, load_benchmark(configs / "benchmark.yml"))
    if name not in entries:
        raise BadUsage(unknown_name("model", name, entries))
    check_profile(configs, profile)
    resolved = resolve(entries[name].config, profile)
    if remark := resolved.remark(profile):
        click.echo(f"note: {remark}", err=True)
    click.echo(json.dumps({**resolved.config, "parents": resolved.parents}, indent=1, default=str))


@command.command("new")
@click.argument("name")
@click.option("--from", "base", default="i3d_r50_mgr-dark-rgb", show_default=True, help="The entry to start from.")
@click.option(
    "--modality", "modalities", multiple=True, help="Only for this test modality.  [default: all of the base's]"
)
@configs_option
def new(name: str, base: str, modalities: tuple[str, ...], configs: Path) -> None:
    """Write a folder of configs for a new method, one per data set and modality of the one it starts from."""
    from harness.suite import load_benchmark, load_entries
    from harness.suite.scaffold import new_entry

    benchmark = load_benchmark(configs / "benchmark.yml")
    entries = load_entries(configs, benchmark)
    if base not in entries:
        raise BadUsage(unknown_name("model", base, entries))
    for path in new_entry(configs, name, entries[base], entries, benchmark, modalities):
        click.echo(str(path))
    click.echo(
        "what they say of `model` holds at every profile; clips, batches and "
        "schedule are the profile's, values of your own "
        "for one of them go into profiles = dict(demo=dict(...))"
    )
    click.echo(f"next: edit them, then `python -m harness models check {name}`")


@command.command("check")
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="Every entry of every folder.")
@configs_option
def check(name: str | None, every: bool, configs: Path) -> int:
    """Is an entry (or a folder) sound? Builds at every profile, trains, overfits a batch, saves, resumes, predicts the
    same.
    """
    from harness.measure.checks.entry import check_entries
    from harness.suite import load_benchmark, load_entries

    benchmark = load_benchmark(configs / "benchmark.yml")
    entries = load_entries(configs, benchmark)
    chosen = [e for e in entries.values() if every or name in (e.name, e.config.parent.name)]
    if not chosen:
        folders = ", ".join(sorted({e.config.parent.name for e in entries.values()}))
        raise BadUsage(f"models check {name or ''}: no such model or folder; choose from {folders}, or --all")
    bad = 0
    for entry in chosen:
        findings = list(check_entries([entry], entries, benchmark.init))
        wrong = [f for f in findings if not f.ok]
        bad += len(wrong)
        notes = [f for f in findings if f.ok and f.remedy]
        if not wrong:
            click.echo(f"ok   {entry.name:40s} {len(findings) - len(notes)} checks")
        for f in notes:
            click.echo(f"note {entry.name:40s} {f.remedy}")
        for f in wrong:
            click.echo(f"BAD  {entry.name:40s} {f.what}: {f.remedy}")
    click.echo(f"{len(chosen)} entries, {bad} problems")
    return 1 if bad else 0


@command.command("rates")
@click.argument("names", nargs=-1, required=True)
@click.option("--rates", required=True, metavar="R,R,...", help="Learning rates to try, e.g. 5e-4,1e-3,2e-3.")
@click.option("--profile", default="demo", show_default=True)
@click.option("--data-root", type=FOLDER, default=None, help="As for run-all.")
@click.option(
    "--work-dir",
    type=NEW_FOLDER,
    default=Path("work_dirs") / "rates",
    show_default=True,
    help="A ledger of its own.",
)
@click.option("--seeds", type=SEEDS, default=1, show_default=True)
@configs_option
@execution_options
def try_rates(names, rates, profile, data_root, work_dir, seeds, configs, **execution) -> int:
    """Try learning rates for entries or folders on held-out training subjects; the test split is not touched.

    A sixth of the training subjects is held out (split `holdout`), the rest is trained on (split `fit`), by an entry
    and by all stages that it stands on.
    """
    from harness.cli.run import executor_for, run_workspace
    from harness.cli.run_all import make_synthetic
    from harness.plan.jobs import Settings, make_plan
    from harness.plan.rates import parse_rates, rate_cells, tried
    from harness.plan.workspace import Workspace, check_profile, preset_of, synthetic_root
    from harness.suite import load_benchmark, load_entries
    from harness.system.disk import check_writable

    check_profile(configs, profile)
    benchmark = load_benchmark(configs / "benchmark.yml")
    entries = load_entries(configs, benchmark)
    chosen = []
    for name in names:
        matches = [e for e in entries.values() if name in (e.name, e.config.parent.name)]
        if not matches:
            raise BadUsage(unknown_name("model or folder", name, entries))
        chosen += matches
    cells = rate_cells(chosen, entries, parse_rates(rates), profile, seeds)
    if data_root is None:
        if profile == "paper":
            raise BadUsage("--profile paper needs --data-root with the real data sets")
        executor_for(execution)
        check_writable(work_dir, "--work-dir")
        make_synthetic(synthetic_root(profile), preset_of(profile))
    init = benchmark.init.get(profile, "scratch")
    settings = Settings(configs, profile, Path(data_root or synthetic_root(profile)), init=init)
    plan = make_plan(cells, entries, settings)
    again = f"python -m harness models rates {' '.join(names)} --rates {rates} --profile {profile} --seeds {seeds}"
    ws = Workspace(benchmark, entries, cells, plan, settings, [], seeds)
    code = run_workspace(ws, work_dir, execution, again=again)
    click.echo("top-1 on held-out training subjects; * is the config's own rate")
    for name, found in tried(ws, work_dir).items():
        shown = [
            f"{t.rate:g}{'*' if t.own else ''} {'-' if t.mean is None else f'{100 * t.mean:.1f} %'}" for t in found
        ]
        click.echo(f"{name:32s} {'   '.join(shown)}")
    return code
