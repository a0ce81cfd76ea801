"""The projections T_t, T_a and T_s of Eq. 5-7, and the fusion of Eq. 7."""

from __future__ import annotations

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

KINDS = ("linear", "conv_bn", "orthogonal", "identity")
LEVELS = ("time", "vector", "map")
FUSIONS = ("mean", "sum", "max", "assistant", "learned")
LEARNED_FUSIONS = ("gate", "concat", "attention")


@MODELS.register_module()
class FeatureProjection(BaseModule):
    """T: a feature map to P vectors of D channels.

    Args:
        in_channels: C of the feature map [N, C, T', H, W].
        out_channels: D.
        kind: ``linear`` LayerNorm + Linear; ``conv_bn`` 1 x 1 x 1 convolution + batch norm; ``orthogonal`` a
            fixed random matrix with orthonormal rows or columns, the same one for all networks of equal C and
            D; ``identity`` nothing (D = C).
        level: ``time``: pooled over space, P = T' (default: infrared has another field of view and frame
            rate, so positions in the image do not correspond); ``vector``: pooled over time as well, P = 1;
            ``map``: P = T'HW.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int = 512,
        kind: str = "linear",
        level: str = "time",
        init_cfg=None,
    ) -> None:
        super().__init__(init_cfg)
        if kind not in KINDS:
            raise ValueError(f"FeatureProjection: kind '{kind}' is unknown; choose from {', '.join(KINDS)}")
        if level not in LEVELS:
            raise ValueError(f"FeatureProjection: level '{level}' is unknown; choose from {', '.join(LEVELS)}")
        self.kind, self.level = kind, level
        self.out_channels = in_channels if kind == "identity" else out_channels
        if kind == "linear":
            self.norm: nn.Module = nn.LayerNorm(in_channels)
            self.linear = nn.Linear(in_channels, out_channels)
        elif kind == "conv_bn":
            self.linear = nn.Linear(in_channels, out_channels, bias=False)
            self.norm = nn.BatchNorm1d(out_channels)
        elif kind == "orthogonal":
            generator = torch.Generator().manual_seed(0)
            wide = torch.randn(max(in_channels, out_channels), min(in_channels, out_channels), generator=generator)
            q = torch.linalg.qr(wide).Q
            self.register_buffer("matrix", q if out_channels > in_channels else q.T)  # [D, C]

    def forward(self, feature: Tensor) -> Tensor:
        """[N, C, T', H, W] -> [N, P, D]."""
        if self.level == "time":
            x = feature.mean(dim=(3, 4)).transpose(1, 2)
        elif self.level == "vector":
            x = feature.mean(dim=(2, 3, 4))[:, None]
        else:
            x = feature.flatten(2).transpose(1, 2)
        if self.kind == "linear":
            return self.linear(self.norm(x))
        if self.kind == "conv_bn":
            return self.norm(self.linear(x).flatten(0, 1)).unflatten(0, x.shape[:2])
        if self.kind == "orthogonal":
            return x @ self.matrix.T
        return x


class LearnedFusion(BaseModule):
    """Fusion with weights of its own, trained by a classifier in the assistant's stage and frozen afterwards.

    Args:
        channels: D.
        kind: ``gate``: z = g * t + (1 - g) * a with g = sigmoid(Linear([t, a])) per channel; ``concat``:
            Linear([t, a]), the 1 x 1 convolution on the concatenation; ``attention``: two weights per
            position from a softmax over Linear(t) and Linear(a).
        num_classes: K of the auxiliary classifier.
    """

    def __init__(self, channels: int, kind: str, num_classes: int) -> None:
        super().__init__()
        if kind not in LEARNED_FUSIONS:
            raise ValueError(f"learned fusion '{kind}' is unknown; choose from {', '.join(LEARNED_FUSIONS)}")
        self.kind = kind
        if kind == "attention":
            self.score = nn.Linear(channels, 1)
        else:
            self.mix = nn.Linear(2 * channels, channels)
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, teacher: Tensor, assistant: Tensor) -> Tensor:
        """Two [N, P, D] -> [N, P, D]."""
        if self.kind == "attention":
            both = torch.stack([teacher, assistant])  # [2, N, P, D]
            return (self.score(both).softmax(dim=0) * both).sum(dim=0)
        mixed = self.mix(torch.cat([teacher, assistant], dim=2))
        if self.kind == "concat":
            return mixed
        gate = mixed.sigmoid()
        return gate * teacher + (1 - gate) * assistant

    def logits(self, teacher: Tensor, assistant: Tensor) -> Tensor:
        """Two [N, P, D] -> [N, K], for the auxiliary classifier."""
        return self.fc(self(teacher, assistant).mean(dim=1))


def fuse_features(
    teacher: Tensor | None, assistant: Tensor, fusion: str, learned: LearnedFusion | None = None
) -> Tensor:
    """F_fusion of Eq. 7 in the projected space; two [N, P, D] -> [N, P, D].

    ``mean`` is (teacher + assistant) / 2. The mean of two unit vectors is shorter where they disagree, so the
    student is pulled less there. ``assistant`` takes the assistant alone (third row of Table 4).
    """
    if fusion == "assistant":
        return assistant
    if fusion == "mean":
        return (teacher + assistant) / 2  # type: ignore[operator]  # it needs a teacher
    if fusion == "sum":
        return teacher + assistant  # type: ignore[operator]  # it needs a teacher
    if fusion == "max":
        return torch.maximum(teacher, assistant)  # type: ignore[arg-type]  # it needs a teacher
    if fusion == "learned":
        return learned(teacher, assistant)  # type: ignore[misc]  # it needs a learned fusion
    raise ValueError(f"fusion '{fusion}' is unknown; choose from {', '.join(FUSIONS)}")
