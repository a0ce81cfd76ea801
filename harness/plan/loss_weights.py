"""Weights of distillation losses tried on held-out training subjects, as rates are by ``harness.plan.rates``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.errors import BadUsage
from harness.plan.rates import entries_by_path, held_out
from harness.plan.resolve import resolve
from harness.suite import Cell, Entry
from harness.suite.cells import as_said

VARIANT = "loss-weights="  # and the factor


def weight_cells(
    chosen: Iterable[Entry], entries: dict[str, Entry], factors: list[float], profile: str, seeds: int
) -> list[Cell]:
    """Every chosen entry with its loss weights times every factor, and every seed, trained on split ``fit`` and tested
    on ``holdout``. Rates, and the weights of the stages before it, are their own.

    Raises:
        BadUsage: an entry that distils nothing, or nothing with a weight.
    """
    by_path = entries_by_path(entries.values())
    cells = []
    for entry in chosen:
        own = own_weights(resolve(entry.config, profile).config)
        if not own:
            raise BadUsage(
                f"{entry.name}: has no distillation loss whose weight could be changed (model.alpha and model.beta, or "
                "model.distillation.weight); choose what distils, or try --rates"
            )
        apart = held_out(entry, by_path, profile, None)
        for factor in factors:
            overrides = apart | {key: weight * factor for key, weight in own.items()}
            cells += [Cell(entry, f"{VARIANT}{as_said(factor)}", overrides, seed) for seed in range(seeds)]
    return cells


def own_weights(config: dict[str, Any]) -> dict[str, float]:
    """Keys of a config's distillation weights, and their values: MTCD's alpha and beta (Eq. 10) that are not 0, or the
    one weight of all that a distiller with a single teacher distils.
    """
    model = config.get("model") or {}
    if isinstance(model.get("distillation"), dict):
        return {"model.distillation.weight": model["distillation"].get("weight", 1.0)}
    if "teachers" not in model:
        return {}
    return {f"model.{name}": model[name] for name in ("alpha", "beta") if model.get(name)}
