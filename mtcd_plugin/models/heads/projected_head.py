"""The head of a network that teaches: a classifier, and the projection that a student is compared with."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmaction.models.heads import I3DHead
from mmaction.registry import MODELS
from torch import Tensor, nn

from mtcd_plugin.models.distillers.projection import FeatureProjection, LearnedFusion


def labels_of(data_samples: list, device: torch.device) -> Tensor:
    """Labels of a batch, int64 [N]."""
    return torch.cat([sample.gt_label.reshape(-1)[:1] for sample in data_samples]).to(device)


@MODELS.register_module()
class ProjectedHead(I3DHead):
    """:class:`I3DHead` that carries T_t or T_a (Eq. 5-7), trained by a classifier of its own.

    If both sides of Eq. 5-7 could move, zero would be their trivial solution. So the projection of a network
    that teaches is trained here, by cross-entropy through an auxiliary linear classifier, and is frozen with
    the network afterwards. The auxiliary loss sees detached features: it trains the projection, never the
    network.

    Args:
        projection: arguments of :class:`FeatureProjection` but ``in_channels``.
        projection_weight: weight of ``loss_projection``.
        learned_fusion: '' or the kind of a :class:`LearnedFusion` to be trained (assistant's stage).
        kwargs: of :class:`I3DHead`.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        projection: dict | None = None,
        projection_weight: float = 1.0,
        learned_fusion: str = "",
        **kwargs,
    ) -> None:
        super().__init__(num_classes, in_channels, **kwargs)
        self.projection = FeatureProjection(in_channels, **(projection or {}))
        self.projection_fc = nn.Linear(self.projection.out_channels, num_classes)
        self.projection_weight = projection_weight
        self.learned_fusion = (
            LearnedFusion(self.projection.out_channels, learned_fusion, num_classes) if learned_fusion else None
        )

    def projection_loss(self, feats: Tensor, data_samples: list) -> dict[str, Tensor]:
        """Cross-entropy of the auxiliary classifier on projected, detached features [N, C, T', H, W]."""
        logits = self.projection_fc(self.projection(feats.detach()).mean(dim=1))
        labels = labels_of(data_samples, logits.device)
        return {"loss_projection": self.projection_weight * F.cross_entropy(logits, labels)}

    def loss(self, feats: Tensor, data_samples: list, **kwargs) -> dict[str, Tensor]:
        """Cross-entropy of the network, and of the projection."""
        losses = super().loss(feats, data_samples, **kwargs)
        losses.update(self.projection_loss(feats, data_samples))
        return losses
