"""The feature encoders that the translator's relation consistency depends on (paper, section 4.1, Eq. 1-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseModel
from torch import Tensor, nn

from mtcd_plugin.models.heads.projected_head import labels_of
from mtcd_plugin.models.translators.base import frames_of
from mtcd_plugin.models.translators.images import flip_pad_crop, normalize
from mtcd_plugin.models.translators.losses import batch_hard_triplet

if TYPE_CHECKING:
    from mmaction.utils import OptSampleList


class GeneralizedMeanPool(nn.Module):
    """GeM: ``mean(x^p)^(1/p)`` over the positions, p learnt; float [N, C, h, w] -> [N, C].

    Args:
        p: to begin with. eps: smallest value that is raised to a power.
    """

    def __init__(self, p: float = 3.0, eps: float = 1e-6) -> None:
        super().__init__()
        self.p, self.eps = nn.Parameter(torch.tensor([p])), eps

    def forward(self, x: Tensor) -> Tensor:
        return x.clamp_min(self.eps).pow(self.p).mean(dim=(2, 3)).pow(1 / self.p)


@MODELS.register_module()
class IdentityEncoder(BaseModel):
    """F(x | theta) of Eq. 1-4: images to identity features.

    ``L_pre = L_ce + triplet_weight * L_tri`` (Eq. 1), mean cross-entropy over the batch (Eq. 2; the paper's K
    is the number of identities) and the batch-hard triplet loss on Euclidean distances (Eq. 3-4). What the paper leaves
    open is as in structured domain adaptation: GeM pooling, the triplet loss on the pooled feature, and a batch norm
    without shift between it and a classifier without bias. The feature that others read is the one after batch norm.

    Args:
        backbone: config of a 2D network, float [N, 3, H, W] -> [N, C, h, w].
        feature_channels: C.
        num_identities: K, at least the number of people in the training split.
        triplet_weight: lambda_pre. margin: epsilon. soft_margin: softplus in place of the hinge. None is
            given in the paper; 1, 0.3 and the hinge are usual.
        label_smoothing: of the cross-entropy, 0 or 0.1.
        augment: arguments of :func:`flip_pad_crop` for training, None for none.
    """

    def __init__(
        self,
        backbone: dict,
        feature_channels: int,
        num_identities: int = 395,
        triplet_weight: float = 1.0,
        margin: float = 0.3,
        soft_margin: bool = False,
        label_smoothing: float = 0.0,
        augment: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg=None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.backbone = MODELS.build(backbone)
        self.pool = GeneralizedMeanPool()
        self.neck = nn.BatchNorm1d(feature_channels)
        self.neck.bias.requires_grad_(False)
        self.classifier = nn.Linear(feature_channels, num_identities, bias=False)
        self.num_identities, self.triplet_weight = num_identities, triplet_weight
        self.margin, self.soft_margin, self.label_smoothing = margin, soft_margin, label_smoothing
        self.augment = augment

    def pooled(self, images: Tensor) -> Tensor:
        """float [N, 3, H, W] in [0, 1] -> features before batch norm, [N, C]."""
        return self.pool(self.backbone(normalize(images)))

    def embed(self, images: Tensor) -> Tensor:
        """float [N, 3, H, W] in [0, 1] -> features after batch norm, [N, C]."""
        return self.neck(self.pooled(images))

    def forward(self, inputs, data_samples: OptSampleList = None, mode: str = "tensor"):
        """``inputs``: uint8 [1, C, T, H, W] each. ``loss``: the terms of Eq. 1; ``predict``: each sample gets
        ``feature``, float [C]; ``tensor``: the features [N, C].
        """
        clips = frames_of(inputs)
        if mode != "loss":
            features = self.embed(clips[:, 0])
            if mode == "tensor":
                return features
            for sample, feature in zip(data_samples, features, strict=True):
                sample.set_field(feature, "feature", dtype=Tensor)
            return data_samples
        if self.training and self.augment:
            (clips,) = flip_pad_crop([clips], **self.augment)
        features = self.pooled(clips[:, 0])
        labels = labels_of(data_samples, features.device)
        if int(labels.max()) >= self.num_identities:
            raise ValueError(f"identity {int(labels.max())} is not below model.num_identities={self.num_identities}")
        logits = self.classifier(self.neck(features))
        triplet = batch_hard_triplet(features, labels, self.margin, self.soft_margin)
        return {
            "loss_identity": F.cross_entropy(logits, labels, label_smoothing=self.label_smoothing),
            "loss_triplet": self.triplet_weight * triplet,
            "identity_top1": (logits.argmax(dim=1) == labels).float().mean(),
        }
