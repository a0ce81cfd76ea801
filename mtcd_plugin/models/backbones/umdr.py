"""UMDR (https://arxiv.org/abs/2211.09146): a network over space whose channels see all of time, and transformers."""

from __future__ import annotations

from typing import Any

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mtcd_plugin.models.backbones.frame_stem import frame_stem, scaled_widths
from mtcd_plugin.models.backbones.inception_blocks import WIDTHS, Inception, SameMaxPool, set_norm_momentum
from mtcd_plugin.models.backbones.temporal_branch import TemporalBranch

FLAT = (1, 3, 3)
KEY_CHANNELS = 16  # of a frame's query and key
BRANCHES = {16: (8, 16, 24), 32: (16, 32, 48), 64: (16, 32, 48)}  # frames of a clip -> those that each branch sees


def attend_channels(q: Tensor, k: Tensor, x: Tensor) -> Tensor:
    """Every frame's channels attend to one another.

    Args:
        q, k: float ``[N, C, T, d]``. x: ``[N, C, T, H, W]``, the values.

    Returns:
        ``[N, C, T, H, W]``: at frame t, softmax(q_t k_t^T / sqrt(d)) times the channels of that frame.
    """
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), x.transpose(1, 2)
    attention = (q @ k.transpose(2, 3) / q.shape[-1] ** 0.5).softmax(dim=-1)
    return (attention @ v.flatten(3)).view_as(v).transpose(1, 2)


class ChannelRecoupling(nn.Module):
    """Adds to a clip what its channels attend to, weighted frame by frame (the recoupling module of UMDR's code).

    Queries and keys of a frame are made of the whole clip: a linear layer over time of every channel's mean over
    space. In training the attention, ``N * T * C^2`` numbers, is not kept but computed again in the backward pass.

    Args:
        frames: T of the clips. out_channels: of the vector that is compared with the temporal network's token.

    Input: float ``[N, C, T, H, W]`` for any C. Output: the same shape; and the vector, ``[N, out_channels]``.
    """

    def __init__(self, frames: int, out_channels: int = 512) -> None:
        super().__init__()
        self.query = nn.Linear(frames, KEY_CHANNELS * frames, bias=False)
        self.key = nn.Linear(frames, KEY_CHANNELS * frames, bias=False)
        self.gate = nn.Sequential(
            nn.Linear(frames, 2 * frames, bias=False),
            nn.GELU(),
            nn.Linear(2 * frames, frames, bias=False),
            nn.LayerNorm(frames),
        )
        self.vector = nn.Linear(frames, out_channels)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        means = x.mean(dim=(3, 4))
        q, k = (layer(means).unflatten(-1, (-1, KEY_CHANNELS)) for layer in (self.query, self.key))
        if torch.is_grad_enabled() and q.requires_grad:
            attended = checkpoint(attend_channels, q, k, x, use_reentrant=False, preserve_rng_state=False)
        else:
            attended = attend_channels(q, k, x)
        gate = self.gate(attended.mean(dim=(1, 3, 4)))
        return x + attended * gate.sigmoid()[:, None, :, None, None], self.vector(gate)


class NeighbourMaxPool(nn.Module):
    """The larger of every two neighbouring channels: ``[N, 2 C, ...]`` -> ``[N, C, ...]``."""

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(1, (-1, 2)).amax(dim=2)


class Stage(nn.Module):
    """Layers without parameters over time, and a :class:`ChannelRecoupling`, whose outputs are those of the stage."""

    def __init__(self, layers: nn.Module, recoupling: ChannelRecoupling) -> None:
        super().__init__()
        self.layers = layers
        self.recoupling = recoupling

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.recoupling(self.layers(x))


def spatial_stages(base_channels: int, frames: int, channels: int) -> nn.ModuleList:
    """The three stages of DSN-v2: two Inception blocks, a pooling (in the last one of channels), a recoupling."""
    pools = [SameMaxPool(FLAT, (1, 2, 2)), SameMaxPool((1, 2, 2), (1, 2, 2)), NeighbourMaxPool()]
    stages, width = nn.ModuleList(), 3 * base_channels
    for names, pool in zip((("3b", "3c"), ("4b", "4c"), ("5b", "5c")), pools, strict=True):
        layers = nn.Sequential()
        for name in names:
            block = Inception(width, scaled_widths(WIDTHS[name], base_channels), kernel=FLAT)
            layers.add_module(f"inception_{name}", block)
            width = block.out_channels
        layers.add_module("pool", pool)
        stages.append(Stage(layers, ChannelRecoupling(frames, channels)))
    return stages


@MODELS.register_module()
class UMDR(BaseModule):
    """The network of UMDR for one modality, without its class layers (layers of the authors' code).

    Args:
        frames: T of the clips: 16, 32 or 64.
        in_channels: of the clip.
        base_channels: channels of the first layer; 64 is the authors' network, all others are in proportion. A
            multiple of 4. A frame's feature has 8 times as many.
        heads, head_channels, hidden, dropout: of the transformers, see :class:`TemporalBranch`.
        norm_momentum: of batch normalisations, see :func:`set_norm_momentum`.
        init_cfg: see MMEngine's BaseModule.

    Attributes:
        channels: C, of a frame's feature.

    Input: float ``[N, in_channels, frames, H, W]``. Output: the token of every branch ``[N, 3, C]``; its values after
    the last three layers, summed over the branches, ``[N, 3, C]``; the vectors of the three stages, ``[N, 3, C]``. In
    training the frames of the branches are drawn.

    Raises ValueError for another number of frames, and for a clip of another length.
    """

    def __init__(
        self,
        frames: int = 32,
        in_channels: int = 3,
        base_channels: int = 64,
        heads: int = 8,
        head_channels: int = 64,
        hidden: int = 768,
        dropout: float = 0.1,
        norm_momentum: float = 0.01,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if frames not in BRANCHES:
            raise ValueError(f"frames={frames} of UMDR is unknown; choose from {', '.join(map(str, BRANCHES))}")
        self.frames, self.channels = frames, 8 * base_channels
        self.stem = frame_stem(in_channels, base_channels)
        self.stages = spatial_stages(base_channels, frames, self.channels)
        self.linear = nn.Sequential(nn.LayerNorm(self.channels), nn.Linear(self.channels, self.channels))
        self.branches = nn.ModuleList(
            TemporalBranch(
                seen,
                self.channels,
                heads=heads,
                head_channels=head_channels,
                hidden=hidden,
                dropout=dropout,
                kernel=int(seen**0.5),
                positions_first=False,
            )
            for seen in BRANCHES[frames]
        )
        set_norm_momentum(self, norm_momentum)

    def forward(self, clip: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features, vectors = self.spatial(clip)
        tokens = self.temporal(features)
        return tokens[:, :, -1], tokens[:, :, -len(self.stages) :].sum(dim=1), vectors

    def spatial(self, clip: Tensor) -> tuple[Tensor, Tensor]:
        """The part over space: the frames' features ``[N, T, C]``, and the stages' vectors ``[N, 3, C]``."""
        if clip.shape[2] != self.frames:
            raise ValueError(f"UMDR is built for {self.frames} frames, the clip has {clip.shape[2]}")
        x, vectors = self.stem(clip), []
        for stage in self.stages:
            x, vector = stage(x)
            vectors.append(vector)
        return self.linear(x.mean(dim=(3, 4)).transpose(1, 2)), torch.stack(vectors, dim=1)

    def temporal(self, features: Tensor) -> Tensor:
        """The part over time: the token of every branch after every layer ``[N, 3, layers, C]``, of the features."""
        return torch.stack([torch.stack(branch(features), dim=1) for branch in self.branches], dim=1)
