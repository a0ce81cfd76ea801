"""Learning rates tried on training subjects that are held out, so that the test split has no part in the choice."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.data.registry import clips_of_config
from harness.errors import BadUsage
from harness.plan.config_file import named_config
from harness.plan.loaders import dataset_configs
from harness.plan.resolve import resolve
from harness.suite import Cell, Entry
from harness.suite.cells import as_said

HELD_OUT = {"train": ("train", "fit"), "test": ("test", "holdout")}  # loader -> its split, and the one instead
RATE = "optim_wrapper.optimizer.lr"
VARIANT = "rate="  # and the rate


def rate_cells(
    chosen: Iterable[Entry], entries: dict[str, Entry], rates: list[float], profile: str, seeds: int
) -> list[Cell]:
    """Every chosen entry with every rate and seed, trained on split ``fit`` and tested on ``holdout``.

    So are the stages that it depends on, which would otherwise have seen the held-out subjects; those that
    classify have the rate as well, and so have those that train for an entry which trains nothing itself (a fusion, one
    stream of a network of several).

    Raises:
        BadUsage: an entry that predicts no class, or that has no rate to change.
    """
    by_path = entries_by_path(entries.values())
    cells = []
    for entry in chosen:
        if not entry.classifies:
            raise BadUsage(
                f"{entry.name}: a {entry.stage} predicts no class, so no rate is best; choose what classifies"
            )
        if not own_rates(entry, by_path, profile):
            raise BadUsage(f"{entry.name}: {RATE} is not in its config, so there is no rate to change")
        for rate in rates:
            overrides = held_out(entry, by_path, profile, rate)
            cells += [Cell(entry, f"{VARIANT}{as_said(rate)}", overrides, seed) for seed in range(seeds)]
    return cells


def entries_by_path(entries: Iterable[Entry]) -> dict[Path, Entry]:
    """Entries by the whole path of their config."""
    return {e.config.resolve(): e for e in entries}


def _trains_nothing(entry: Entry) -> bool:
    return not {"trains", "renders"} & set(entry.role.does)


def own_rates(entry: Entry, by_path: dict[Path, Entry], profile: str) -> set[float]:
    """The rate of an entry, or those of its stages where it trains nothing itself."""
    resolved = resolve(entry.config, profile)
    own = own_rate(resolved.config)
    if own is not None or not _trains_nothing(entry):
        return set() if own is None else {own}
    stages = (by_path.get(named_config(entry.config, s["config"]).resolve()) for s in resolved.parents.values())
    return set().union(*(own_rates(stage, by_path, profile) for stage in stages if stage is not None))


def held_out(
    entry: Entry,
    by_path: dict[Path, Entry],
    profile: str,
    rate: float | None,
    given: dict[str, Any] | None = None,
    trains_for_it: bool = False,
) -> dict[str, Any]:
    """Overrides that keep the held-out subjects out of an entry's training, and out of that of its parents.

    Args:
        rate: of its training and theirs; None for their own.
        given: overrides that the entry has as a parent.
        trains_for_it: what it is a parent of trains nothing itself, so that this rate is the one that is tried.
    """
    resolved = resolve(entry.config, profile, given)
    overrides = dict(given or {})
    datasets = dataset_configs(resolved.config)
    for split, (usual, instead) in HELD_OUT.items():
        dataset = datasets.get(split, {})
        if clips_of_config(dataset) is not None and dataset.get("split", "train") == usual:
            overrides[f"{split}_dataloader.dataset.split"] = instead
    if rate is not None and (entry.classifies or trains_for_it) and own_rate(resolved.config) is not None:
        overrides[RATE] = rate
        for i, scheduler in enumerate(resolved.config.get("param_scheduler") or []):
            if "eta_max" in scheduler:  # a one-cycle schedule has the rate in a place of its own
                overrides[f"param_scheduler.{i}.eta_max"] = rate
    for stage, declared in resolved.parents.items():
        parent = by_path.get(named_config(entry.config, declared["config"]).resolve())
        if parent is not None:  # planning says what is wrong with one that is not listed
            below = held_out(parent, by_path, profile, rate, declared.get("overrides"), _trains_nothing(entry))
            if below:
                overrides[f"parents.{stage}.overrides"] = below
    return overrides


def only_rate(entry: Entry, by_path: dict[Path, Entry], profile: str) -> float | None:
    """The rate of an entry; None where stages that train for it have several."""
    rates = own_rates(entry, by_path, profile)
    return rates.pop() if len(rates) == 1 else None


def own_rate(config: dict[str, Any]) -> float | None:
    return ((config.get("optim_wrapper") or {}).get("optimizer") or {}).get("lr")
