"""Relational knowledge distillation: how clips lie to each other."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor

from mtcd_plugin.models.losses.distillation import DistillationLoss, Outputs


@MODELS.register_module()
class RelationalDistillation(DistillationLoss):
    """Huber loss between the distances of all pairs and the angles of all triples of clips in a batch.

    Park et al., *Relational Knowledge Distillation* (CVPR 2019, arXiv 1904.05068), Eq. 5-10: distances are divided by
    their mean over pairs, angles are cosines at the middle clip of a triple. Of the vectors that the class layers see.
    Means are over ordered pairs and triples of different clips.

    Args:
        distance_weight, angle_weight: of the two terms. weight: of their sum.

    A batch of one clip has no pair, one of two no triple: the term is 0.
    """

    def __init__(self, distance_weight: float = 25.0, angle_weight: float = 50.0, weight: float = 1.0) -> None:
        super().__init__(weight)
        self.distance_weight, self.angle_weight = distance_weight, angle_weight

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor, clips: list[str]) -> dict[str, Tensor]:
        own, other = student.vector().float(), teacher.vector().float()
        distance = _huber(pair_distances(own), pair_distances(other))
        angle = _huber(triple_cosines(own), triple_cosines(other))
        return {
            "loss_kd_distance": self.weight * self.distance_weight * distance,
            "loss_kd_angle": self.weight * self.angle_weight * angle,
        }


def pair_distances(x: Tensor) -> Tensor:
    """Euclidean distances of all ordered pairs of different rows, divided by their mean: [N, C] -> [N (N - 1)]."""
    different = ~torch.eye(len(x), dtype=torch.bool, device=x.device)
    first, second = different.nonzero(as_tuple=True)
    distances = (x[first] - x[second]).square().sum(dim=1).clamp(min=1e-12).sqrt()
    return distances / distances.mean() if len(distances) else distances


def triple_cosines(x: Tensor) -> Tensor:
    """Cosine at j of the angle between i - j and k - j, for all i, j, k that differ: [N, C] -> [N (N - 1) (N - 2)]."""
    towards = F.normalize(x[None] - x[:, None], dim=2)  # [j, i]: from j to i
    cosines = towards @ towards.transpose(1, 2)  # [j, i, k]
    same = torch.eye(len(x), dtype=torch.bool, device=x.device)
    different = ~(same[:, :, None] | same[:, None, :] | same[None])
    return cosines[different]


def _huber(own: Tensor, other: Tensor) -> Tensor:
    """Mean of the Huber loss with threshold 1, 0 for nothing."""
    return F.smooth_l1_loss(own, other, reduction="sum") / max(len(own), 1)
