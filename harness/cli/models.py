"""``models``: list, show, make, check and pretrain model entries."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness import PACKAGED_CONFIGS
from harness.cli import common, console
from harness.cli.group import Group
from harness.cli.model_training import MODELS_LISTED_BY, named_entries, pretrain, try_rates
from harness.cli.options import configs_option, json_option, profile_option
from harness.cli.types import NEW_FOLDER
from harness.errors import BadUsage, count, unknown_name

if TYPE_CHECKING:
    from harness.suite import Entry

log = logging.getLogger(__name__)


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
    chosen = list(entries.values()) if every else named_entries([str(name)], entries.values())
    say = str if console.is_quiet() else partial(console.say, err=True)
    found = []
    bad = 0
    for entry in chosen:
        with contextlib.redirect_stdout(sys.stderr if as_json else sys.stdout):  # MMEngine logs to standard output
            findings = list(check_entries([entry], entries, benchmark.init, say))
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


def _no_such_model(name: str, entries: Mapping[str, Entry]) -> str:
    """The text of an error about a name that is no model's; that of a folder is answered with the models in it."""
    within = [e.name for e in entries.values() if e.config.parent.name == name]
    if within:
        return f"'{name}' is a folder of several models; choose from {', '.join(within)}"
    return unknown_name("model", name, entries, MODELS_LISTED_BY)


for training in (try_rates, pretrain):
    command.add_command(training)
