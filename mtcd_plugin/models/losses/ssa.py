"""Spatiotemporal semantic alignment of two streams (MTUT, https://arxiv.org/abs/1812.06145, section 3)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

READINGS = ("mmpose", "paper")
SMALLEST = 1e-12  # of a mean square: its root has no gradient at 0


def focus(own: Tensor, other: Tensor, beta: float = 2.0) -> Tensor:
    """How much a stream has to learn from another one: ``exp(beta * (own - other)) - 1``, 0 where it is the better.

    Args:
        own, other: class losses of each clip, [N]; no gradient goes into them.
    """
    return torch.expm1(beta * (own - other).detach().clamp_min(0))


def correlations(features: Tensor, reading: str = "mmpose") -> Tensor:
    """How alike the positions of a feature map are: float32 [N, d, d], d = T' H' W'.

    Args:
        features: [N, C, T', H', W'].
        reading: ``mmpose``: F^T F, where every channel has unit length over the positions. ``paper``: the correlation
            coefficient of two positions over the channels.
    """
    flat = features.flatten(2).float()
    if reading == "mmpose":
        flat = F.normalize(flat, dim=2, eps=1e-8)
    else:
        flat = F.normalize(flat - flat.mean(dim=1, keepdim=True), dim=1, eps=1e-8)
    return flat.transpose(1, 2) @ flat


def alignment(
    own: Tensor, other: Tensor, own_losses: Tensor, other_losses: Tensor, beta: float, reading: str
) -> Tensor:
    """The term by which one stream learns from another, of each clip, [N]; the other gets no gradient.

    Args:
        own, other: features, [N, C, T', H', W'] each; C may differ.
        own_losses, other_losses: class losses of each clip, [N].
        reading: ``mmpose``: the root of the mean square of the correlations' difference. ``paper``: its squared
            Frobenius norm.

    Raises:
        ValueError: features of different times or sizes.
    """
    if own.shape[2:] != other.shape[2:]:
        raise ValueError(
            f"features of {list(own.shape[2:])} and {list(other.shape[2:])} positions (T', H', W') cannot be "
            "aligned: give both streams the same frames, size and strides"
        )
    with torch.autocast(own.device.type, enabled=False):  # small differences of sums have no room in half precision
        square = (correlations(own, reading) - correlations(other.detach(), reading)).square().flatten(1)
        each = square.mean(dim=1).clamp_min(SMALLEST).sqrt() if reading == "mmpose" else square.sum(dim=1)
        return focus(own_losses.float(), other_losses.float(), beta) * each
