"""``models``: list, show, make, check and pretrain model entries."""

from __future__ import annotations

import contextlib
import logging
import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness import PACKAGED_CONFIGS
from harness.cli import common
from harness.cli.group import Group
from harness.cli.options import ExecutionOptions, configs_option, execution_options, json_option, profile_option
from harness.cli.types import COUNT, FOLDER, NEW_FOLDER, SEEDS, FiniteRange
from harness.errors import BadUsage, count, unknown_name

if TYPE_CHECKING:
    from harness.suite import Entry

log = logging.getLogger(__name__)
LISTED_BY = "python -m harness models list"


@click.group("models", cls=Group)
def command() -> None:
    """List, show, make and check models, choose their rates, pretrain them."""


@command.command("list")
@configs_option
@json_option("a list of {name, method, dataset, images, train_modalities, test_modality, stage, config}")
def list_models(configs: Path, as_json: bool) -> None:
    """Every config of every method: name, method, data set, modalities, stage."""
    from harness.suite import load_suite

    entries = load_suite(configs)[1].values()
    if as_json:
        keys = ("name", "method", "dataset", "images", "train_modalities", "test_modality", "stage")
        common.print_json([{**{k: getattr(e, k) for k in keys}, "config": str(e.config)} for e in entries])
        return
    rows = [
        (
            e.name,
            e.method,
            f"{e.dataset} + {e.images}" if e.images else e.dataset,
            f"{'+'.join(e.train_modalities)} -> {e.test_modality}",
            e.stage,
        )
        for e in entries
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(map(str.ljust, row, widths)).rstrip())


@command.command("show")
@click.argument("name")
@configs_option
@profile_option("paper")
@json_option("the config's own keys, and parents")
def show(name: str, configs: Path, profile: str, as_json: bool) -> None:
    """The resolved config of an entry at a profile, as one config file without _base_, which MMAction2's tools take."""
    from harness.plan.config_file import config_text
    from harness.plan.resolve import resolve
    from harness.plan.workspace import check_profile
    from harness.suite import load_suite

    entries = load_suite(configs)[1]
    if name not in entries:
        raise BadUsage(_no_such_model(name, entries))
    check_profile(configs, profile)
    resolved = resolve(entries[name].config, profile)
    if remark := resolved.remark(profile):
        log.info("note: %s", remark)
    found = {**resolved.config, "parents": resolved.parents}
    if as_json:
        common.print_json(found)
    else:
        click.echo(config_text(found), nl=False)


@command.command("new")
@click.argument("name")
@click.option("--from", "base", default="i3d_r50_mgr-dark-rgb", show_default=True, help="The entry to start from.")
@click.option(
    "--modality", "modalities", multiple=True, help="Only for this test modality.  [default: all of the base's]"
)
@click.option(
    "--configs",
    type=NEW_FOLDER,
    default=PACKAGED_CONFIGS,
    help="Folder of your own methods, made where it is missing.  [default: mm_configs]",
)
def new(name: str, base: str, modalities: tuple[str, ...], configs: Path) -> None:
    """Write a folder of configs for a new method, one per data set and modality of the one it starts from.

    It goes into --configs; without it into the mm_configs of a checkout, and an installed harness refuses.
    """
    from harness.plan.resolve import stands_alone
    from harness.suite import load_suite
    from harness.suite.scaffold import new_entry, writable_checkout

    if configs == PACKAGED_CONFIGS and not writable_checkout():
        raise BadUsage(
            "models new: the packaged configs are not to be written to; give a folder of yours: --configs DIR"
        )
    begun = any(configs.glob("*/metafile.yml"))
    benchmark, entries = load_suite(configs if begun else PACKAGED_CONFIGS)
    if base not in entries:
        raise BadUsage(f"--from: {_no_such_model(base, entries)}")
    if not stands_alone(entries[base], "smoke"):
        raise BadUsage(
            f"{base} is a stage of a chain ({entries[base].role.title}); start from an entry that depends on "
            "no other, for example one of stage `single` in `models list`"
        )
    for path in new_entry(configs, name, entries[base], entries, benchmark, modalities):
        click.echo(str(path))
    click.echo("What these configs say of `model` holds at every profile.")
    click.echo(
        "Clips, batches and schedule come from the profile. To set one yourself: profiles = dict(demo=dict(...))."
    )
    where = "" if configs == PACKAGED_CONFIGS else f" --configs {configs}"
    click.echo(f"Next: edit them, then run `python -m harness models check {name}{where}`.")


@command.command("check")
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="Every entry of every folder.")
@configs_option
@json_option("a list of {entry, what, ok, remedy}; ok with a remedy is a note")
def check(name: str | None, every: bool, configs: Path, as_json: bool) -> int:
    """Check an entry, or all of a folder. Exit code 1 on problems.

    Builds it at every profile, trains a step, overfits a batch, saves, resumes and predicts the same.
    """
    from harness.measure.checks.entry import check_entries
    from harness.suite import load_suite

    if every and name is not None:
        raise BadUsage(f"models check: {name} and --all each say what to check; give one of them")
    benchmark, entries = load_suite(configs)
    if not every and name is None:
        raise BadUsage("models check: name an entry or a folder, or give --all")
    chosen = list(entries.values()) if every else _named([str(name)], entries.values())
    found = []
    bad = 0
    for entry in chosen:
        with contextlib.redirect_stdout(sys.stderr if as_json else sys.stdout):  # MMEngine logs to standard output
            findings = list(check_entries([entry], entries, benchmark.init))
        found += findings
        wrong = [f for f in findings if not f.ok]
        bad += len(wrong)
        if as_json:
            continue
        notes = [f for f in findings if f.ok and f.remedy]
        if not wrong:
            click.echo(f"ok   {entry.name:40s} {count(len(findings) - len(notes), 'check')}")
        for f in notes:
            click.echo(f"note {entry.name:40s} {f.remedy}")
        for f in wrong:
            click.echo(f"BAD  {entry.name:40s} {f.what}: {f.remedy}")
    if as_json:
        common.print_json([{"entry": f.entry, "what": f.what, "ok": f.ok, "remedy": f.remedy} for f in found])
    else:
        click.echo(f"{count(len(chosen), 'entry', 'entries')}, {count(bad, 'problem')}")
    return 1 if bad else 0


def _named(names: Iterable[str], entries: Iterable[Entry]) -> list[Entry]:
    """The entries that names of entries or of their folders stand for. Raises BadUsage for a name of neither."""
    entries = list(entries)
    chosen = []
    for name in names:
        matches = [e for e in entries if name in (e.name, e.config.parent.name)]
        if not matches:
            known = [*dict.fromkeys(e.config.parent.name for e in entries), *(e.name for e in entries)]
            raise BadUsage(unknown_name("model or folder", name, known, LISTED_BY))
        chosen += matches
    return chosen


def _no_such_model(name: str, entries: Mapping[str, Entry]) -> str:
    """The text of an error about a name that is no model's; that of a folder is answered with the models in it."""
    within = [e.name for e in entries.values() if e.config.parent.name == name]
    if within:
        return f"'{name}' is a folder of several models; choose from {', '.join(within)}"
    return unknown_name("model", name, entries, LISTED_BY)


@command.command("rates")
@click.argument("names", nargs=-1, required=True)
@click.option("--rates", required=True, metavar="R,R,...", help="Learning rates to try, e.g. 5e-4,1e-3,2e-3.")
@profile_option("demo")
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
def try_rates(
    names: tuple[str, ...],
    rates: str,
    profile: str,
    data_root: Path | None,
    work_dir: Path,
    seeds: int,
    configs: Path,
    execution: ExecutionOptions,
) -> int:
    """Try learning rates for entries or folders on held-out training subjects; the test split is not touched.

    A sixth of the training subjects is held out (split `holdout`), the rest is trained on (split `fit`), by an entry
    and by all stages that it depends on. Each rate is compared with the config's own on the same clips.
    """
    from harness.cli.rate_lines import rate_lines
    from harness.plan.jobs import Settings
    from harness.plan.parts import sets_to_make
    from harness.plan.planner import make_plan
    from harness.plan.rates import parse_rates, rate_cells, tried
    from harness.plan.workspace import Workspace, check_profile, preset_of, synthetic_root
    from harness.suite import load_suite
    from harness.system.disk import check_writable

    check_profile(configs, profile)
    benchmark, entries = load_suite(configs)
    cells = rate_cells(_named(names, entries.values()), entries, parse_rates(rates), profile, seeds)
    if data_root is None:
        if profile == "paper":
            raise BadUsage("--profile paper needs --data-root with the real data sets")
        common.executor_for(execution)
        check_writable(work_dir, "--work-dir")
        wanted = sets_to_make(cells, entries, profile)
        common.make_synthetic(synthetic_root(profile), preset_of(profile), wanted)
    init = benchmark.init.get(profile, "scratch")
    settings = Settings(configs, profile, Path(data_root or synthetic_root(profile)), init=init)
    plan = make_plan(cells, entries, settings)
    again = f"python -m harness models rates {shlex.join(names)} --rates {rates} --profile {profile} --seeds {seeds}"
    ws = Workspace(benchmark, entries, cells, plan, settings, [], seeds)
    code = common.run_jobs(ws, work_dir, execution, again=again)
    for line in rate_lines(tried(ws, work_dir)):
        click.echo(line)
    return code


@command.command("pretrain")
@click.argument("names", nargs=-1, metavar="[METHOD]...")
@profile_option("demo")
@click.option(
    "--data-root", type=FOLDER, default=None, help="Folder with source_motions/.  [default: as run-all; made]"
)
@click.option(
    "--work-dir",
    type=NEW_FOLDER,
    default=Path("work_dirs") / "pretrain",
    show_default=True,
    help="A ledger of its own.",
)
@click.option(
    "--out", type=NEW_FOLDER, default=None, help="Folder for the files.  [default: where the metafiles list them]"
)
@click.option("--epochs", type=COUNT, default=None, help="Passes over the source set.  [default: 2, at smoke 1]")
@click.option("--rate", type=FiniteRange(0, min_open=True), default=None, help="Learning rate.  [default: its own]")
@configs_option
@execution_options
def pretrain(
    names: tuple[str, ...],
    profile: str,
    data_root: Path | None,
    work_dir: Path,
    out: Path | None,
    epochs: int | None,
    rate: float | None,
    configs: Path,
    execution: ExecutionOptions,
) -> int:
    """Train networks on the synthetic source set, and write their backbones as starting weights.

    METHOD is a folder of mm_configs that lists such weights; without one, all of them. In a checkout, SHA256 in the
    metafiles is written as well.
    """
    from harness.measure.backbone_file import write_weights
    from harness.plan.jobs import Settings
    from harness.plan.planner import make_plan
    from harness.plan.pretrain import SOURCE, networks, source_cell, source_clips
    from harness.plan.workspace import Workspace, check_profile, preset_of, synthetic_root
    from harness.suite import load_suite
    from harness.suite.scaffold import writable_checkout
    from harness.system.disk import check_writable

    check_profile(configs, profile)
    benchmark, entries = load_suite(configs)
    chosen = networks(entries.values(), profile, names)
    if out is None and (kept := [n for n in chosen if not n.listed and n.path.exists()]):
        raise BadUsage(
            f"models pretrain: {kept[0].path} is there, and no start of profile {profile}; write elsewhere: --out DIR"
        )
    packaged = any(n.path.is_relative_to(PACKAGED_CONFIGS) for n in chosen)
    if out is None and packaged and not writable_checkout():
        raise BadUsage("models pretrain: the packaged configs are not to be written to; give a folder: --out DIR")
    root = data_root or synthetic_root(profile)
    if data_root is None:
        common.executor_for(execution)
        check_writable(work_dir, "--work-dir")
        common.make_synthetic(root, preset_of(profile), [SOURCE])
    table = source_clips(root)
    cells = [source_cell(n, profile, len(table.classes), epochs, rate) for n in chosen]
    settings = Settings(configs, profile, root)
    ws = Workspace(benchmark, entries, cells, make_plan(cells, entries, settings), settings, [], 1)
    given = [f"--{name} {value:g}" for name, value in (("epochs", epochs), ("rate", rate)) if value]
    again = " ".join(["python -m harness models pretrain", *map(shlex.quote, names), f"--profile {profile}", *given])
    code = common.run_jobs(ws, work_dir, execution, again=again)
    for network, cell in zip(chosen, cells, strict=True):
        key = ws.plan.keys.get((cell.id, cell.seed))
        for line in write_weights(network, ws, key, work_dir, out):
            click.echo(line)
    return code
