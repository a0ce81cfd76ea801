"""From one student's config and a list of overrides to one job that trains them all, and back to a result a point."""

from __future__ import annotations

import copy
from typing import Any

STACKABLE = "CrossModalDistiller"  # type of the models that can train side by side
PREFIX = "model."
POINT_KEYS = (
    "alpha",
    "beta",
    "fusion",
    "distance",
    "reduction",
    "logit_weight",
    "temperature",
    "shuffle",
    "projection",
)


def can_stack(model: dict[str, Any], overrides: dict[str, Any]) -> bool:
    """Whether a job may train side by side with others of its config.

    Args:
        model: the config's ``model``.
        overrides: dotted keys in which the job differs from its config.
    """
    return model.get("type") == STACKABLE and all(
        key.startswith(PREFIX) and key[len(PREFIX) :] in POINT_KEYS for key in overrides
    )


def stack_sweep(config: dict[str, Any], points: list[dict[str, Any]], out_dir: str) -> dict[str, Any]:
    """One config that trains and tests every point side by side; results equal those of separate runs.

    Args:
        config: a resolved config of a student's stage, its ``model`` a ``CrossModalDistiller``.
        points: per point its dotted overrides, e.g. ``{"model.alpha": 0.0}``, as a variant has them; {} is
            the config as it stands.
        out_dir: folder for the predictions: ``<out_dir>/<point's number>/predictions.parquet``.

    Returns:
        A config for MMEngine's ``Runner``. Its checkpoints hold every student; ``point_checkpoints`` takes
        them apart.

    Raises:
        ValueError: the model is no distiller, or an override touches what the points share.
    """
    model = config["model"]
    if model.get("type") != STACKABLE:
        raise ValueError(f"a fused sweep needs a {STACKABLE}, the config has {model.get('type')}")
    for overrides in points:
        for key in overrides:
            if not can_stack(model, {key: None}):
                choices = ", ".join(PREFIX + k for k in POINT_KEYS)
                raise ValueError(
                    f"override '{key}' cannot differ between points of a fused sweep; choose from {choices}"
                )
    fused = copy.deepcopy(config)
    base = fused["model"]
    fused["model"] = dict(
        type="FusedSweepDistiller",
        base={k: v for k, v in base.items() if k != "data_preprocessor"},
        points=[{key[len(PREFIX) :]: value for key, value in overrides.items()} for overrides in points],
        data_preprocessor=base.get("data_preprocessor"),
    )
    fused["optim_wrapper"] = dict(constructor="SweepOptimWrapperConstructor", point=fused["optim_wrapper"])
    fused["test_evaluator"] = [dict(type="SweepPredictions", out_dir=out_dir, points=len(points))]
    return fused


def point_checkpoints(checkpoint: dict[str, Any]) -> list[dict[str, Any]]:
    """A fused job's checkpoint as one per point: the student's ``state_dict`` and the ``meta`` of the stage."""
    state = checkpoint["state_dict"]
    numbers = sorted({int(key.split(".")[1]) for key in state if key.startswith("points.")})
    meta = {key: value for key, value in checkpoint.get("meta", {}).items() if key == "mtcd"}
    found = []
    for number in numbers:
        prefix = f"points.{number}.student."
        student = {k[len(prefix) :]: v for k, v in state.items() if k.startswith(prefix)}
        found.append({"meta": copy.deepcopy(meta), "state_dict": student})
    return found


def group_size(points: int, parameters: int, free_bytes: int, activation_bytes: int = 0) -> int:
    """How many students fit side by side.

    Args:
        points: number of points. parameters: of one student with its projection.
        free_bytes: free memory. activation_bytes: of one student's step; one at a time is kept.

    Returns:
        Between 1 and ``points``: weight, gradient and two optimizer moments of 4 bytes each per parameter,
        within four fifths of what is free.
    """
    room = int(0.8 * free_bytes) - activation_bytes
    return max(1, min(points, room // max(1, 16 * parameters)))
