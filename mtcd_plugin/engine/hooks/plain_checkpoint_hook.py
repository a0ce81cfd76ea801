"""Checkpoints that ``torch.load(weights_only=True)`` can read."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer


@HOOKS.register_module()
class PlainCheckpointHook(Hook):
    """Save checkpoints of tensors and plain Python values only, and restore MMEngine's own types on resume.

    MMEngine pickles ``HistoryBuffer`` objects and numpy scalars into ``message_hub``; since torch 2.6
    such a file cannot be loaded safely, and test, ``load_from`` and resume all fail (mmengine#1655).
    Remove when the released mmengine writes checkpoints that load with ``weights_only=True``.
    """

    priority = "VERY_LOW"

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        hub = checkpoint.get("message_hub")
        if hub is not None:
            hub["log_scalars"] = {name: _buffer_to_plain(value) for name, value in hub["log_scalars"].items()}
        if "param_schedulers" in checkpoint:
            checkpoint["param_schedulers"] = _without_functions(checkpoint["param_schedulers"])
        for name, value in list(checkpoint.items()):
            checkpoint[name] = _plain(value)

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        scalars = checkpoint.get("message_hub", {}).get("log_scalars", {})
        for name, value in scalars.items():
            if isinstance(value, dict):
                scalars[name] = HistoryBuffer(
                    value["history"].numpy(), value["counts"].numpy(), max_length=value["max_length"]
                )


def _buffer_to_plain(buffer: HistoryBuffer) -> dict[str, Any]:
    history, counts = buffer.data
    return {
        "history": torch.from_numpy(np.array(history, dtype=np.float64)),
        "counts": torch.from_numpy(np.array(counts, dtype=np.int64)),
        "max_length": int(buffer.max_length),
    }


def _without_functions(state: Any) -> Any:
    """Schedulers' states without the functions that some hold (OneCycleLR's annealing); building one sets them anew."""
    if isinstance(state, dict):
        return {k: _without_functions(v) for k, v in state.items() if not callable(v)}
    if isinstance(state, list):
        return [_without_functions(v) for v in state]
    return state


def _plain(value: Any) -> Any:
    """Numpy values become tensors or Python numbers; containers are walked; all else is left as it is."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return torch.from_numpy(value.copy())
    if type(value) in (dict, OrderedDict):
        return type(value)((_plain(key), _plain(item)) for key, item in value.items())
    if type(value) in (list, tuple):
        return type(value)(_plain(item) for item in value)
    return value
