"""Counted multiply-adds of configs, kept in the user's cache folder: the same config and code are counted once."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from harness.fingerprint.code import code_fingerprint, imported_modules
from harness.ledger.identity import canonical_json

FOLDER = "mgr-dark-operations"
LOADERS = ("train_dataloader", "test_dataloader")
OF_A_HEAD = ("num_classes",)  # a few classes more or less are no work that counts
WEIGHTS = ("alpha", "beta", "gamma")  # of losses: whether they are zero counts, their values do not
SHAPES = ("pipeline", "modalities", "with_infrared", "size")  # of a dataset config: what a clip's shape is from


class Operations(NamedTuple):
    """Multiply-adds: of a training step for each of its clips, and of predicting a clip; 0 for what is not done."""

    training: float
    predicting: float


def operations_of(config: dict[str, Any], modality: str) -> Operations:
    """Of a resolved config, counted on shapes alone (``harness.measure.operations``) or remembered.

    Raises:
        ValueError: its network cannot be counted; the message says why.
    """
    place = _place(config, modality)
    try:
        return Operations(*(float(n) for n in json.loads(place.read_text(encoding="utf-8"))))
    except (OSError, ValueError, TypeError):  # none, or damaged: counted anew
        found = _count(config, modality)
    own = place.with_suffix(f".{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        own.write_text(json.dumps(found), encoding="utf-8")
        own.replace(place)
    except OSError:
        pass  # a cache folder that cannot be written: it is counted anew the next time
    return found


def is_counted(config: dict[str, Any], modality: str) -> bool:
    """Whether it is remembered, so that it takes no time."""
    return _place(config, modality).is_file()


def _count(config: dict[str, Any], modality: str) -> Operations:
    from harness.measure.operations import predicting_operations, training_operations
    from harness.measure.parts import quietly

    with quietly():
        trains = bool(config.get("train_cfg"))
        tests = config.get("test_cfg") is not None and bool(config.get("test_dataloader"))
        return Operations(
            training_operations(config, modality) if trains else 0.0,
            predicting_operations(config, modality) if tests else 0.0,
        )


def _place(config: dict[str, Any], modality: str) -> Path:
    counted: Mapping[str, Any] = {
        "model": _alike(config["model"]),
        "loaders": [_shape(config.get(name)) for name in LOADERS],
        "does": [bool(config.get("train_cfg")), config.get("test_cfg") is not None],
        "modality": modality if any("modalities" not in _shape(config.get(name)) for name in LOADERS) else "",
    }
    told = [counted, code_fingerprint(config["model"], imported_modules(config)), version("torch")]
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(cache) / FOLDER / f"{hashlib.sha256(canonical_json(told).encode()).hexdigest()}.json"


def _alike(model: Any) -> Any:
    """A model's config without what changes no count, so that as few networks as possible are counted."""
    if isinstance(model, Mapping):
        return {
            key: bool(value) if key in WEIGHTS and isinstance(value, float) else _alike(value)
            for key, value in model.items()
            if key not in OF_A_HEAD
        }
    return [_alike(value) for value in model] if isinstance(model, (list, tuple)) else model


def _shape(loader: Mapping[str, Any] | None) -> dict[str, Any]:
    dataset = (loader or {}).get("dataset") or {}
    return {key: dataset[key] for key in SHAPES if key in dataset}
