"""CFCer, the fusion of two modalities in UMDR (https://arxiv.org/abs/2211.09146; layers of the authors' code).

A pair is two tensors of one shape, RGB's first; both sides of a pair have weights of their own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mtcd_plugin.models.backbones.knn_transformer import knn_attention

Pair = tuple[Tensor, Tensor]
SPATIAL_BLOCKS, TEMPORAL_BLOCKS = 2, 4


class PairNorm(nn.Module):
    """Layer normalisation of the channels of both sides together: a pair of ``[..., C]`` in and out."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(2 * channels)

    def forward(self, pair: Pair) -> Pair:
        first, second = self.norm(torch.cat(pair, dim=-1)).chunk(2, dim=-1)
        return first, second


class PairGate(nn.Module):
    """Every channel of both sides is multiplied by a gate between 0 and 1 that sees both: pairs of ``[..., C]``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(2 * channels)
        self.first, self.second = (
            nn.Sequential(nn.Linear(2 * channels, channels), nn.ReLU(), nn.Linear(channels, channels), nn.Sigmoid())
            for _ in range(2)
        )

    def forward(self, pair: Pair) -> Pair:
        both = self.norm(torch.cat(pair, dim=-1))
        return pair[0] * self.first(both), pair[1] * self.second(both)


class CrossAttention(nn.Module):
    """Attention with the other modality's keys, ``a = own + LayerNorm(attention)``, then ``a + MLP(LayerNorm(a))``.

    Args:
        channels: of a position, in and out. heads, head_channels: of the attention. hidden: of the MLP.
        keep: see :func:`knn_attention`. dropout: after both linear layers of the MLP.

    Input: ``own`` and ``other``, float ``[N, n, channels]``. Output: as ``own``.
    """

    def __init__(
        self, channels: int, heads: int, head_channels: int, hidden: int, keep: float = 0.7, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.heads, self.keep = heads, keep
        self.query, self.key, self.value = (
            nn.Linear(channels, heads * head_channels, bias=False) for _ in range(3)
        )  # without a projection, so heads * head_channels must be channels
        self.norm = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(
            nn.LayerNorm(channels),
            nn.Linear(channels, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, channels),
            nn.Dropout(dropout),
        )

    def forward(self, own: Tensor, other: Tensor) -> Tensor:
        attended = knn_attention(self.query(own), self.key(other), self.value(own), self.heads, self.keep)
        x = self.norm(attended) + own
        return x + self.mlp(x)


class CrossBlock(nn.Module):
    """Both sides attend with each other's keys, at once; before it a :class:`PairGate` where ``gated``."""

    def __init__(self, channels: int, gated: bool, **attention) -> None:
        super().__init__()
        self.gate = PairGate(channels) if gated else nn.Identity()
        self.first, self.second = (CrossAttention(channels, **attention) for _ in range(2))

    def forward(self, pair: Pair) -> Pair:
        a, b = self.gate(pair)
        return self.first(a, b), self.second(b, a)


class CrossFusion(nn.Module):
    """CFCer: classes of a clip from the frames' features and the tokens of two trained streams.

    Args:
        num_classes: K.
        frames: T.
        channels: C, of a feature and a token.
        heads, head_channels, hidden, keep, dropout: see :class:`CrossAttention`.

    Input: a pair of features ``[N, T, C]`` and one of tokens ``[N, C]``. Output: a pair of logits ``[N, K]``.

    Raises ValueError where the heads together have not C channels.
    """

    def __init__(
        self,
        num_classes: int,
        frames: int = 32,
        channels: int = 512,
        heads: int = 8,
        head_channels: int = 64,
        hidden: int = 768,
        keep: float = 0.7,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if heads * head_channels != channels:
            raise ValueError(
                f"CrossFusion: heads * head_channels is {heads * head_channels}, must be channels={channels}: "
                "there is no projection behind the attention"
            )
        attention = dict(heads=heads, head_channels=head_channels, hidden=hidden, keep=keep, dropout=dropout)
        self.spatial = nn.Sequential(
            PairNorm(channels), *(CrossBlock(channels, gated=True, **attention) for _ in range(SPATIAL_BLOCKS))
        )
        self.gate = PairGate(channels)
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(2))
        self.positions = nn.ParameterList(torch.randn(1, frames + 1, channels) for _ in range(2))
        self.temporal = nn.Sequential(
            PairNorm(channels), *(CrossBlock(channels, gated=False, **attention) for _ in range(TEMPORAL_BLOCKS))
        )
        self.classifiers = nn.ModuleList(nn.Linear(channels, num_classes) for _ in range(2))

    def forward(self, features: Pair, tokens: Pair) -> Pair:
        features, tokens = self.spatial(features), self.gate(tokens)
        sequences = [torch.cat([t[:, None], s], dim=1) for t, s in zip(tokens, features, strict=True)]
        first, second = (n(x) + p for n, x, p in zip(self.norms, sequences, self.positions, strict=True))
        first, second = self.temporal((first, second))
        return self.classifiers[0](first[:, 0]), self.classifiers[1](second[:, 0])
