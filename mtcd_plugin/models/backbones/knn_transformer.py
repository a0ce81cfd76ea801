"""Transformer layers whose attention keeps the nearest keys (Decouple & Recouple, https://arxiv.org/abs/2112.09129)."""

from __future__ import annotations

from torch import Tensor, nn


def knn_attention(q: Tensor, k: Tensor, v: Tensor, heads: int, keep: float = 0.7) -> Tensor:
    """Attention in which every query of every head sees only the keys with the largest scores.

    Args:
        q: float ``[N, n, heads * d]``; a head's channels are contiguous.
        k, v: ``[N, m, heads * d]``.
        keep: part of the m keys, rounded down, but one at least; 1 is ordinary attention.

    Returns:
        ``[N, n, heads * d]``.
    """
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    kept = max(1, int(keep * k.shape[-2]))
    if kept < k.shape[-2]:
        nearest = scores.topk(kept, dim=-1).indices
        far = scores.new_ones(scores.shape, dtype=bool).scatter(-1, nearest, False)
        scores = scores.masked_fill(far, float("-inf"))
    return (scores.softmax(dim=-1) @ v).transpose(1, 2).flatten(2)


class KnnTransformerLayer(nn.Module):
    """Pre-norm layer: attention over the nearest keys, then two linear layers, each added to its input.

    Args:
        channels: of a position, in and out.
        heads, head_channels: of the attention.
        hidden: channels between the two linear layers.
        keep: see :func:`knn_attention`. dropout: after the projection and after both linear layers.

    Input and output: float ``[N, n, channels]``.
    """

    def __init__(
        self,
        channels: int = 512,
        heads: int = 8,
        head_channels: int = 64,
        hidden: int = 768,
        keep: float = 0.7,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.heads, self.keep = heads, keep
        self.norm1 = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * heads * head_channels, bias=False)
        self.projection = nn.Sequential(nn.Linear(heads * head_channels, channels), nn.Dropout(dropout))
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, channels),
            nn.Dropout(dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm1(x)).chunk(3, dim=-1)
        x = x + self.projection(knn_attention(q, k, v, self.heads, self.keep))
        return x + self.mlp(self.norm2(x))
