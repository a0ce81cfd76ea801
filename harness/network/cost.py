"""Parameters and multiply-adds of the network that predicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import torch
from mmengine.model import BaseModel
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from harness.network.clips import Shape, evaluating, predict, random_batch


class Cost(NamedTuple):
    """``params``: all weights, of every part that is needed to predict. ``flops``: multiply-adds of one clip."""

    params: int
    flops: int


def predicting_network(model: BaseModel) -> BaseModel:
    """The part that predicts: a distiller's student alone, any other model as a whole."""
    return getattr(model, "student", model)


def count_cost(model: BaseModel, input_shape: Shape | Mapping[str, Shape]) -> Cost:
    """Count a recognizer's parameters and the multiply-adds of predicting one clip (one view).

    Counted where they are executed, so any recognizer will do, 2D or 3D; convolutions and matrix products
    (attention included) are counted, element-wise work and normalisation are not. A multiply-add counts once,
    as in the tables of MMAction2.

    Args:
        model: a built recognizer or distiller; its mode, weights and buffers are left as they are.
        input_shape: of one clip, ``(C, T, H, W)``, or modality -> that where the model takes several.
    """
    network = predicting_network(model)
    params = sum(p.numel() for p in network.parameters())
    batch = random_batch(input_shape)
    with evaluating(model), plain_attention(), FlopCounterMode(display=False) as counter:
        predict(model, batch)
    return Cost(params, counter.get_total_flops() // 2)


@contextmanager
def plain_attention() -> Iterator[None]:
    """Context: attention as matrix products, because the fused kernels of the CPU are not counted."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
