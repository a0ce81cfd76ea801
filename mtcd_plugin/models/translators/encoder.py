"""The feature encoders that the translator's relation consistency stands on (paper, section 4.1, Eq. 1-4)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseModel
from torch import Tensor, nn

from mtcd_plugin.models.heads.projected_head import labels_of
from mtcd_plugin.models.translators.base import frames_of
from mtcd_plugin.models.translators.losses import batch_hard_triplet

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@MODELS.register_module()
class IdentityEncoder(BaseModel):
    """F(x | theta) of Eq. 1-4: images to identity features.

    ``L_pre = L_ce + triplet_weight * L_tri`` (Eq. 1), mean cross-entropy over the batch (Eq. 2; the paper's K
    is the number of identities) and the batch-hard triplet loss on Euclidean distances (Eq. 3-4).

    Args:
        backbone: config of a 2D network, float [N, 3, H, W] -> [N, C, h, w].
        feature_channels: C.
        num_identities: K, at least the number of people in the training split.
        triplet_weight: lambda_pre. margin: epsilon. soft_margin: softplus in place of the hinge. None is
            given in the paper; 1, 0.3 and the hinge are usual.
        label_smoothing: of the cross-entropy, 0 or 0.1.
        bn_neck: batch norm between the feature and the classifier.
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
        bn_neck: bool = False,
        data_preprocessor: dict | None = None,
        init_cfg=None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.backbone = MODELS.build(backbone)
        self.neck = nn.BatchNorm1d(feature_channels) if bn_neck else nn.Identity()
        self.classifier = nn.Linear(feature_channels, num_identities)
        self.num_identities, self.triplet_weight = num_identities, triplet_weight
        self.margin, self.soft_margin, self.label_smoothing = margin, soft_margin, label_smoothing
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)

    def embed(self, images: Tensor) -> Tensor:
        """float [N, 3, H, W] in [0, 1] -> features [N, C]."""
        return self.backbone((images - self.mean) / self.std).mean(dim=(2, 3))

    def forward(self, inputs, data_samples: list | None = None, mode: str = "tensor"):
        """``inputs``: uint8 [1, C, T, H, W] each. ``loss``: the terms of Eq. 1; ``predict``: each sample gets
        ``feature``,
        float [C]; ``tensor``: the features [N, C]."""
        frames = frames_of(inputs)[:, 0]
        features = self.embed(frames)
        if mode == "tensor":
            return features
        if mode == "predict":
            for sample, feature in zip(data_samples, features, strict=True):
                sample.set_field(feature, "feature", dtype=Tensor)
            return data_samples
        labels = labels_of(data_samples, features.device)
        if int(labels.max()) >= self.num_identities:
            raise ValueError(
                f"identity {int(labels.max())} is not below model.num_identities={self.num_identities}"
            )
        logits = self.classifier(self.neck(features))
        triplet = batch_hard_triplet(features, labels, self.margin, self.soft_margin)
        return {
            "loss_identity": F.cross_entropy(logits, labels, label_smoothing=self.label_smoothing),
            "loss_triplet": self.triplet_weight * triplet,
            "identity_top1": (logits.argmax(dim=1) == labels).float().mean(),
        }
