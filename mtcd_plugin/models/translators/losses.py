"""Losses of the encoders (Eq. 1-4) and of the translation GAN."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def pairwise_distances(features: Tensor) -> Tensor:
    """Euclidean distances (Eq. 4): [N, D] -> [N, N], with a finite gradient at distance 0."""
    squared = (features[:, None] - features[None]).square().sum(dim=2)
    return squared.clamp_min(1e-12).sqrt()


def hardest_pairs(distances: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """For every anchor the farthest sample of its identity and the nearest of another one, in this batch.

    Args:
        distances: [N, N]. labels: int64 [N].

    Returns:
        positions of the positives and negatives, int64 [M] each, and the M anchors that have both, int64 [M].
    """
    same = labels[:, None] == labels[None]
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    positive, negative = same & ~itself, ~same
    anchors = (positive.any(dim=1) & negative.any(dim=1)).nonzero()[:, 0]
    farthest = distances.masked_fill(~positive, -torch.inf).argmax(dim=1)
    nearest = distances.masked_fill(~negative, torch.inf).argmin(dim=1)
    return farthest[anchors], nearest[anchors], anchors


def batch_hard_triplet(features: Tensor, labels: Tensor, margin: float = 0.3, soft: bool = False) -> Tensor:
    """Eq. 3: mean over the anchors of ``[D_ip - D_in + margin]_+`` with the hardest positive and negative.

    Args:
        features: [N, D]. labels: int64 [N]. margin: epsilon of Eq. 3 (not given in the paper).
        soft: softplus(D_ip - D_in) instead of the hinge.

    Returns:
        A scalar; 0 where no anchor has both a positive and a negative.
    """
    distances = pairwise_distances(features)
    positive, negative, anchors = hardest_pairs(distances.detach(), labels)
    if not len(anchors):
        return features.sum() * 0.0
    gap = distances[anchors, positive] - distances[anchors, negative]
    return F.softplus(gap).mean() if soft else (gap + margin).clamp_min(0).mean()


def relation_consistency(translated: Tensor, original: Tensor, labels: Tensor) -> Tensor:
    """Online relation consistency of structured domain adaptation: identities keep their relations.

    For each anchor the hardest positive and negative are taken on the translated features; the softmax over
    the two distances of the translated images follows that of the same pairs of the originals, by
    cross-entropy. The originals' side has no gradient.

    Args:
        translated: [N, D] under the target's encoder. original: [N, E] under the source's. labels: int64 [N].

    Returns:
        A scalar; 0 where no anchor has both a positive and a negative.
    """
    ours = pairwise_distances(translated)
    theirs = pairwise_distances(original).detach()
    positive, negative, anchors = hardest_pairs(ours.detach(), labels)
    if not len(anchors):
        return translated.sum() * 0.0
    student = torch.stack([ours[anchors, positive], ours[anchors, negative]], dim=1)
    teacher = torch.stack([theirs[anchors, positive], theirs[anchors, negative]], dim=1)
    return -(teacher.softmax(dim=1) * student.log_softmax(dim=1)).sum(dim=1).mean()


def least_squares(scores: Tensor, real: bool) -> Tensor:
    """LSGAN: mean squared distance of the discriminator's scores to 1 (real) or 0 (fake)."""
    return (scores - float(real)).square().mean()
