"""The backbone of a trained network as a file of starting weights: half precision, without class layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from harness.ledger.files import atomic_replace, sha256_of
from mtcd_plugin.models.weights.starting_weights import read_checkpoint_file, tensors_of

PREFIX = "backbone."


def write_backbone(checkpoint: Path, out: Path, meta: dict[str, Any]) -> str:
    """Write the weights of a recognizer's backbone, by its own names; returns the file's sha256.

    The file is ``dict(state_dict=..., meta=...)`` of tensors, text and numbers, for ``weights_only=True``.

    Raises:
        ValueError: no readable checkpoint, none of a recognizer, or a weight that half precision cannot hold.
    """
    given = tensors_of(read_checkpoint_file(checkpoint, "checkpoint"))
    state = {
        name.removeprefix(PREFIX): value.half() if value.is_floating_point() else value
        for name, value in given.items()
        if name.startswith(PREFIX)
    }
    if not state:
        raise ValueError(f"{checkpoint}: none of its weights begins with '{PREFIX}'")
    for name, value in state.items():
        if not torch.isfinite(value).all():
            raise ValueError(f"{checkpoint}: {PREFIX}{name} does not fit into half precision")
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_replace(out) as beside:
        torch.save({"state_dict": state, "meta": meta}, beside)
    return sha256_of(out)
