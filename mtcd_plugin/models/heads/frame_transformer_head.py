"""Attention over the frames of a clip (D'Eusanio et al., "A Transformer-Based Network for Dynamic Hand Gesture
Recognition", 3DV 2020).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmaction.models.heads.base import BaseHead
from mmaction.registry import MODELS
from torch import Tensor, nn


class EncoderLayer(nn.Module):
    """Attention and feed-forward layer with one residual and one norm around both: ``LayerNorm(x + ff(attention(x)))``.

    Args:
        channels: of each frame. heads: of the attention. feedforward: inner width. dropout_ratio: at three places.

    Input and output: ``[N, T, channels]``.
    """

    def __init__(self, channels: int, heads: int, feedforward: int, dropout_ratio: float) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(f"in_channels={channels} cannot be divided among {heads} heads; change num_heads")
        self.heads = heads
        self.query, self.key, self.value, self.project = (nn.Linear(channels, channels) for _ in range(4))
        self.expand, self.reduce = nn.Linear(channels, feedforward), nn.Linear(feedforward, channels)
        self.norm = nn.LayerNorm(channels)
        self.dropout = nn.Dropout(dropout_ratio)
        for layer in (self.query, self.key, self.value, self.project):
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (f(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for f in (self.query, self.key, self.value))
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        out = self.dropout(self.project(attended))
        out = self.reduce(self.dropout(F.relu(self.expand(out))))
        return self.norm(x + self.dropout(out))


def sinusoidal_positions(length: int, channels: int, device: torch.device | None = None) -> Tensor:
    """[length, channels]: sine and cosine in turn of ``t / 10000^(2 i / channels)``, i their number; channels even."""
    exponent = torch.arange(0, channels, 2, dtype=torch.float32, device=device) / channels
    angle = torch.arange(length, dtype=torch.float32, device=device)[:, None] / 10000**exponent
    return torch.stack((angle.sin(), angle.cos()), dim=2).flatten(1)


@MODELS.register_module()
class FrameTransformerHead(BaseHead):
    """Encoder layers over the frames' features, their mean, and a class layer.

    Args:
        num_classes, in_channels: of the classes and of a frame's feature.
        num_layers, num_heads: of the encoder. feedforward_channels: its inner width.
        dropout_ratio: in its layers.
        kwargs: of MMAction2's BaseHead.

    Input: ``[N * T, in_channels, H, W]`` and ``num_segs``, which is T. Output: logits ``[N, num_classes]``.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        num_layers: int = 6,
        num_heads: int = 8,
        feedforward_channels: int = 1024,
        dropout_ratio: float = 0.5,
        **kwargs,
    ) -> None:
        super().__init__(num_classes, in_channels, **kwargs)
        self.layers = nn.ModuleList(
            EncoderLayer(in_channels, num_heads, feedforward_channels, dropout_ratio) for _ in range(num_layers)
        )
        self.fc_cls = nn.Linear(in_channels, num_classes)

    def forward(self, x: Tensor, num_segs: int, **kwargs) -> Tensor:
        frames = x.mean(dim=(2, 3)).unflatten(0, (-1, num_segs))
        frames = frames + sinusoidal_positions(num_segs, self.in_channels, x.device).to(x.dtype)
        for layer in self.layers:
            frames = layer(frames)
        return self.fc_cls(frames.mean(dim=1))
