"""Distances between projected features (paper, Eq. 5-7)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

DISTANCES = ("normalized_l2", "l2", "mse", "cosine", "smooth_l1")
REDUCTIONS = ("mean", "sum")
UNIT_LENGTH = ("normalized_l2", "cosine")  # distances whose projections are scaled to unit length


def feature_distance(
    source: Tensor, target: Tensor, distance: str = "normalized_l2", reduction: str = "mean"
) -> Tensor:
    """Distance of every clip's projected features; the batch is not reduced.

    The norms of Eq. 5-7 are printed over a pair; the difference is meant: ``1/2 ||source - target||^2``.

    Args:
        source: [N, P, D], what the arrow of the equation starts from (detach it for a stopped gradient).
        target: [N, P, D], what is pulled towards it. P positions (1, or T', or T'HW), D projected channels.
        distance: ``normalized_l2``: 1/2 squared L2 per position, of vectors that the caller has scaled to
            unit length (bounded by [0, 2] there); ``l2``: the same formula on raw vectors; ``mse``: squared
            difference; ``smooth_l1``: Huber with threshold 1; ``cosine``: 1 - cosine.
        reduction: ``mean`` or ``sum`` over positions; for the raw distances (l2, mse, smooth_l1) over
            positions and channels alike.

    Returns:
        [N], same dtype.
    """
    if source.shape != target.shape:
        raise ValueError(
            f"projected features differ in shape, {list(source.shape)} against {list(target.shape)} (clips, "
            "positions, channels): give both networks the same input size and out_channels, or set "
            "level='vector' in every projection"
        )
    if distance == "normalized_l2":
        each = 0.5 * (source - target).square().sum(dim=2)
    elif distance == "cosine":
        each = 1 - F.cosine_similarity(source, target, dim=2)
    elif distance == "l2":
        each = 0.5 * (source - target).square().flatten(1)
    elif distance == "mse":
        each = (source - target).square().flatten(1)
    elif distance == "smooth_l1":
        each = F.smooth_l1_loss(target, source, reduction="none").flatten(1)
    else:
        raise ValueError(f"distance '{distance}' is unknown; choose from {', '.join(DISTANCES)}")
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction '{reduction}' is unknown; choose from {', '.join(REDUCTIONS)}")
    return each.mean(dim=1) if reduction == "mean" else each.sum(dim=1)


def logit_distance(teacher: Tensor, student: Tensor, temperature: float) -> Tensor:
    """Hinton's distillation: ``tau^2 KL(softmax(teacher / tau) || softmax(student / tau))`` of every clip.

    Args:
        teacher: [N, K] logits. student: [N, K] logits. temperature: tau > 0.

    Returns:
        [N].
    """
    target = (teacher / temperature).log_softmax(dim=1)
    log_probability = (student / temperature).log_softmax(dim=1)
    return temperature**2 * (target.exp() * (target - log_probability)).sum(dim=1)


def scaled_for(distance: str, z: Tensor) -> Tensor:
    """Projected features [N, P, D], of unit length where the distance asks for it."""
    return F.normalize(z, dim=2) if distance in UNIT_LENGTH else z


def mean_where(each: Tensor, present: Tensor) -> Tensor:
    """Sum over the clips that are present, divided by the number of all clips; two [N] -> a scalar."""
    return torch.where(present, each, each.new_zeros(())).sum() / len(each)
