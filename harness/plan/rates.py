"""Learning rates tried on training subjects that are held out, so that the test split has no part in the choice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.data.registry import clips_of_config
from harness.errors import BadUsage
from harness.ledger.judge import read_predictions
from harness.ledger.run_dir import PREDICTIONS
from harness.ledger.store import load_record
from harness.plan.config_file import named_config
from harness.plan.loaders import dataset_configs
from harness.plan.resolve import resolve
from harness.plan.run_state import folder_of
from harness.plan.workspace import Workspace
from harness.suite import Cell, Entry
from harness.suite.cells import as_said
from mtcd_plugin.accuracy import predicted_classes

HELD_OUT = {"train": ("train", "fit"), "test": ("test", "holdout")}  # loader -> its split, and the one instead
RATE = "optim_wrapper.optimizer.lr"
VARIANT = "rate="  # and the rate


@dataclass(frozen=True, eq=False)
class Tried:
    """One rate of one entry: which of the held-out clips it has right, for each seed that was measured.

    Attributes:
        own_rate: the config's own; None where stages that train for it have several.
        correct: bool [seeds, clips], clips in order of their id.
        subjects: of each clip.
    """

    rate: float
    own_rate: float | None
    correct: np.ndarray
    subjects: tuple[str, ...]

    @property
    def own(self) -> bool:
        return self.rate == self.own_rate

    @property
    def mean(self) -> float | None:
        return float(self.correct.mean()) if len(self.correct) else None


def parse_rates(text: str) -> list[float]:
    """``5e-4,1e-3`` as numbers. Raises BadUsage for what is not a positive number."""
    rates = []
    for part in text.split(","):
        try:
            rate = float(part)
        except ValueError:
            rate = -1.0
        if not 0 < rate < float("inf"):
            raise BadUsage(
                f"--rates {text}: '{part.strip()}' is not a valid learning rate; give numbers such as 5e-4,1e-3,2e-3"
            )
        rates.append(rate)
    return sorted(set(rates))


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
    by_path = _by_path(entries)
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


def _by_path(entries: dict[str, Entry]) -> dict[Path, Entry]:
    return {e.config.resolve(): e for e in entries.values()}


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
    rate: float,
    given: dict[str, Any] | None = None,
    trains_for_it: bool = False,
) -> dict[str, Any]:
    """Overrides that keep the held-out subjects out of an entry's training, and out of that of its parents, at a rate.

    Args:
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
    if (entry.classifies or trains_for_it) and own_rate(resolved.config) is not None:
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


def own_rate(config: dict[str, Any]) -> float | None:
    return ((config.get("optim_wrapper") or {}).get("optimizer") or {}).get("lr")


def tried(ws: Workspace, work_dir: Path) -> dict[str, list[Tried]]:
    """What the runs of a work dir say of the cells of ``rate_cells``, by entry, rates in order.

    Raises:
        ValueError: the predictions of a run cannot be read.
    """
    found: dict[Entry, dict[float, list[Path]]] = {}
    for cell in ws.cells:
        runs = found.setdefault(cell.entry, {}).setdefault(float(cell.variant.removeprefix(VARIANT)), [])
        key = ws.plan.keys.get((cell.id, cell.seed))
        if key is None:
            continue
        folder = folder_of(ws.plan.jobs[key], work_dir)
        try:
            record = load_record(folder)
        except FileNotFoundError:
            continue
        if record.metrics is not None:
            runs.append(folder)
    by_path = _by_path(ws.entries)
    own = {entry: own_rates(entry, by_path, ws.settings.profile) for entry in found}
    only = {entry: rates.pop() if len(rates) == 1 else None for entry, rates in own.items()}
    return {
        entry.name: [_tried(rate, only[entry], folders) for rate, folders in sorted(by_rate.items())]
        for entry, by_rate in found.items()
    }


def _tried(rate: float, own_rate: float | None, folders: list[Path]) -> Tried:
    answers = [_answers(folder) for folder in folders]
    subjects = answers[0][1] if answers else ()
    return Tried(rate, own_rate, np.array([correct for correct, _ in answers], dtype=bool), subjects)


def _answers(folder: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """(which clips a run has right, bool [clips]; their subjects), by clip id."""
    clips, subjects, labels, scores = read_predictions(folder / PREDICTIONS)
    order = sorted(range(len(clips)), key=clips.__getitem__)
    return (predicted_classes(scores) == labels)[order], tuple(subjects[i] for i in order)
