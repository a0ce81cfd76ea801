"""``models rates`` and ``models pretrain``: trainings that no table asks for, each in a ledger of its own."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness import PACKAGED_CONFIGS
from harness.cli import common
from harness.cli.group import Command
from harness.cli.options import (
    ChoiceOptions,
    ExecutionOptions,
    choice_options,
    configs_option,
    execution_options,
    profile_option,
)
from harness.cli.types import COUNT, FOLDER, NEW_FOLDER, SEEDS, FiniteRange
from harness.errors import BadUsage, count, unknown_name

if TYPE_CHECKING:
    from harness.cli.rate_lines import Wording
    from harness.plan.pretrain import Network
    from harness.suite import Cell, Entry

MODELS_LISTED_BY = "python -m harness models list"


def named_entries(names: Iterable[str], entries: Iterable[Entry]) -> list[Entry]:
    """The entries that names of entries or of their folders stand for. Raises BadUsage for a name of neither."""
    entries = list(entries)
    chosen = []
    for name in names:
        matches = [e for e in entries if name in (e.name, e.config.parent.name)]
        if not matches:
            known = [*dict.fromkeys(e.config.parent.name for e in entries), *(e.name for e in entries)]
            raise BadUsage(unknown_name("model or folder", name, known, MODELS_LISTED_BY))
        chosen += matches
    return chosen


def _check_own_ledger(work_dir: Path, command: str) -> None:
    """Raises BadUsage where a work dir is the ledger of tables, whose plan would be replaced; ValueError where its plan
    cannot be read.
    """
    from harness.ledger.planfile import read_plan
    from harness.ledger.run_dir import PLAN

    with suppress(FileNotFoundError):
        if tables := read_plan(work_dir / PLAN).tables:
            asked = count(len(tables), "table or figure", "tables and figures")
            raise BadUsage(
                f"--work-dir {work_dir}: its plan asks for {asked}, and {command} would replace it; give a folder "
                "of its own"
            )


@click.command("rates", cls=Command)
@click.argument("names", nargs=-1, required=True)
@click.option("--rates", default=None, metavar="R,R,...", help="Learning rates to try, e.g. 5e-4,1e-3,2e-3.")
@click.option(
    "--loss-weights",
    "factors",
    default=None,
    metavar="F,F,...",
    help="Instead: factors of the distillation's weights, e.g. 0.3,1,3; 1 is the config's own.",
)
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
@choice_options
def try_rates(
    names: tuple[str, ...],
    rates: str | None,
    factors: str | None,
    profile: str,
    data_root: Path | None,
    work_dir: Path,
    seeds: int,
    configs: Path,
    execution: ExecutionOptions,
    choice: ChoiceOptions,
) -> int:
    """Try learning rates, or weights of distillation losses, for entries or folders on held-out training subjects; the
    test split is not touched.

    A sixth of the training subjects is held out (split `holdout`), the rest is trained on (split `fit`), by an entry
    and by all stages that it depends on. Where the config's own value is among those that are tried, each other one is
    compared with it on the same clips.
    """
    from harness.cli.rate_lines import rate_lines
    from harness.plan.choice import chosen_cells, chosen_jobs
    from harness.plan.jobs import Settings
    from harness.plan.parts import sets_to_make
    from harness.plan.planner import make_plan
    from harness.plan.redo import redo_command
    from harness.plan.trials import tried
    from harness.plan.workspace import Workspace, check_profile, preset_of, synthetic_root
    from harness.suite import load_suite
    from harness.system.disk import check_writable

    common.check_choice(choice)
    _check_own_ledger(work_dir, "models rates")
    check_profile(configs, profile)
    benchmark, entries = load_suite(configs)
    chosen_entries = named_entries(names, entries.values())
    cells, own, wording, given = _trials(chosen_entries, entries, rates, factors, profile, seeds)
    if data_root is None:
        if profile == "paper":
            raise BadUsage("--profile paper needs --data-root with the real data sets")
        common.executor_for(execution)
        check_writable(work_dir, "--work-dir")
    init = benchmark.init.get(profile, "scratch")
    settings = Settings(configs, profile, Path(data_root or synthetic_root(profile)), init=init)
    chosen = chosen_jobs(choice.chosen, cells, entries, settings)
    named = chosen_cells(chosen, cells, entries, settings)
    if data_root is None:
        wanted = sets_to_make(named or cells, entries, profile)
        common.make_synthetic(synthetic_root(profile), preset_of(profile), wanted)
    plan = make_plan(cells, entries, settings, named)
    ws = Workspace(benchmark, entries, cells, plan, settings, [], seeds, chosen=chosen)
    first = f"python -m harness models rates {shlex.join(names)} {given}"
    again = redo_command(ws, execution.gpus_per_job, execution.precision, execution.compile, first)
    code = common.run_jobs(ws, work_dir, execution, again=again, force=choice.force)
    for line in rate_lines(tried(ws, work_dir, own), wording):
        click.echo(line)
    return code


def _trials(
    chosen: Sequence[Entry],
    entries: dict[str, Entry],
    rates: str | None,
    factors: str | None,
    profile: str,
    seeds: int,
) -> tuple[list[Cell], dict[str, float | None], Wording, str]:
    """What is to be trained, each config's own value, how lines call it, and the option that asks for it."""
    from harness.cli.rate_lines import LOSS_WEIGHTS, RATES
    from harness.plan.loss_weights import weight_cells
    from harness.plan.rates import entries_by_path, only_rate, rate_cells
    from harness.plan.trials import parse_values

    if (rates is None) == (factors is None):
        raise BadUsage("models rates: give --rates or --loss-weights, one of them")
    if rates is not None:
        values = parse_values(rates, "--rates", "learning rate", "5e-4,1e-3,2e-3")
        cells, by_path = rate_cells(chosen, entries, values, profile, seeds), entries_by_path(entries.values())
        return cells, {e.name: only_rate(e, by_path, profile) for e in chosen}, RATES, f"--rates {rates}"
    values = parse_values(factors or "", "--loss-weights", "factor of weights", "0.3,1,3")
    cells = weight_cells(chosen, entries, values, profile, seeds)
    return cells, {e.name: 1.0 for e in chosen}, LOSS_WEIGHTS, f"--loss-weights {factors}"


@click.command("pretrain", cls=Command)
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
@choice_options
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
    choice: ChoiceOptions,
) -> int:
    """Train networks on the synthetic source set, and write their backbones as starting weights.

    METHOD is a folder of mm_configs that lists such weights; without one, all of them. In a checkout, SHA256 in the
    metafiles is written as well.
    """
    from harness.measure.backbone_file import write_weights
    from harness.plan.choice import chosen_jobs
    from harness.plan.jobs import Settings
    from harness.plan.planner import make_plan
    from harness.plan.pretrain import SOURCE, networks, source_cell, source_clips
    from harness.plan.redo import THIS_JOB, places_of
    from harness.plan.remarks import cell_name
    from harness.plan.workspace import Workspace, check_profile, preset_of, synthetic_root
    from harness.suite import load_suite
    from harness.system.disk import check_writable

    common.check_choice(choice)
    _check_own_ledger(work_dir, "models pretrain")
    check_profile(configs, profile)
    benchmark, entries = load_suite(configs)
    chosen = networks(entries.values(), profile, names)
    if out is None:
        _check_places(chosen, profile)
    root = data_root or synthetic_root(profile)
    if data_root is None:
        common.executor_for(execution)
        check_writable(work_dir, "--work-dir")
        common.make_synthetic(root, preset_of(profile), [SOURCE])
    table = source_clips(root)
    cells = [source_cell(n, profile, len(table.classes), epochs, rate) for n in chosen]
    settings = Settings(configs, profile, root)
    jobs = chosen_jobs(choice.chosen, cells, entries, settings)
    ws = Workspace(benchmark, entries, cells, make_plan(cells, entries, settings), settings, [], 1, chosen=jobs)
    given = [f"--{name} {value:g}" for name, value in (("epochs", epochs), ("rate", rate)) if value]
    words = [*map(shlex.quote, names), f"--profile {profile}", *given, *places_of(settings), THIS_JOB]
    again = " ".join(["python -m harness models pretrain", *words])
    code = common.run_jobs(ws, work_dir, execution, again=again, force=choice.force)
    for network, cell in zip(chosen, cells, strict=True):
        if not jobs or cell_name(cell.id, cell.seed) in jobs:
            key = ws.plan.keys.get((cell.id, cell.seed))
            for line in write_weights(network, ws, key, work_dir, out):
                click.echo(line)
    return code


def _check_places(chosen: Sequence[Network], profile: str) -> None:
    """Raise BadUsage where the files that metafiles list, or would list, are not to be written to."""
    from harness.suite.scaffold import writable_checkout

    if kept := [n for n in chosen if not n.listed and n.path.exists()]:
        raise BadUsage(
            f"models pretrain: {kept[0].path} is there, and no start of profile {profile}; write elsewhere: --out DIR"
        )
    if any(n.path.is_relative_to(PACKAGED_CONFIGS) for n in chosen) and not writable_checkout():
        raise BadUsage("models pretrain: the packaged configs are not to be written to; give a folder: --out DIR")
