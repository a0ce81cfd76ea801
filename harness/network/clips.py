"""Clips to measure with: what a loader would give, of any shape, without any data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from mmengine.model import BaseModel

Shape = Sequence[int]


def random_batch(shape: Shape | Mapping[str, Shape], batch_size: int = 1, seed: int = 0) -> dict:
    """A batch as the loader gives it: ``inputs`` of random uint8 clips ``[1, C, T, H, W]``, and data samples.

    Args:
        shape: of one clip, ``(C, T, H, W)``, or modality -> that where the model takes several.

    Raises:
        ValueError: a shape that has not four positive numbers, or a batch size below 1.
    """
    from mmaction.structures import ActionDataSample

    if batch_size < 1:
        raise ValueError(f"batch size {batch_size}: at least 1 is needed")
    draw = torch.Generator().manual_seed(seed)

    def clips(one: Shape) -> list[torch.Tensor]:
        if len(one) != 4 or min(one) < 1:
            raise ValueError(f"input shape {tuple(one)}: four positive numbers (C, T, H, W) are needed")
        size = (1, *one)
        return [torch.randint(0, 256, size, generator=draw, dtype=torch.uint8) for _ in range(batch_size)]

    inputs = {m: clips(s) for m, s in shape.items()} if isinstance(shape, Mapping) else clips(shape)
    return {"inputs": inputs, "data_samples": [ActionDataSample() for _ in range(batch_size)]}


def pattern_batch(shape: Shape | Mapping[str, Shape], batch_size: int, seed: int = 0) -> dict:
    """As :func:`random_batch`, but clips that a network can tell apart: each a smooth pattern of its own."""
    batch = random_batch(shape, batch_size, seed)
    draw = torch.Generator().manual_seed(seed)

    def smooth(clip: torch.Tensor) -> torch.Tensor:
        coarse = torch.rand(1, 1, 2, 4, 4, generator=draw)
        fine = nn.functional.interpolate(coarse, size=clip.shape[2:], mode="trilinear")
        return (255 * fine).to(torch.uint8).expand(clip.shape).clone()

    inputs = batch["inputs"]
    if isinstance(inputs, Mapping):
        return {**batch, "inputs": {m: [smooth(c) for c in clips] for m, clips in inputs.items()}}
    return {**batch, "inputs": [smooth(c) for c in inputs]}


def predict(model: BaseModel, batch: dict) -> list:
    """Preprocess a batch and predict, without a graph; the model must be in eval mode."""
    with torch.no_grad():
        return model(**model.data_preprocessor(batch, False), mode="predict")


class evaluating:
    """Context: the model in eval mode; every part is back in its own mode afterwards."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model

    def __enter__(self) -> nn.Module:
        self.was = {m: m.training for m in self.model.modules()}
        return self.model.eval()

    def __exit__(self, *exc: object) -> None:
        for module, training in self.was.items():
            module.training = training
