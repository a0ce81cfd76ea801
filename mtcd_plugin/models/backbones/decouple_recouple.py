"""Decouple & Recouple: a network over space, gates, and three transformers over time."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from mtcd_plugin.models.backbones.frame_stem import frame_stem, scaled_widths
from mtcd_plugin.models.backbones.inception_blocks import WIDTHS, Inception, SameMaxPool, set_norm_momentum
from mtcd_plugin.models.backbones.rank_pooling import MotionGuidance, motion_maps
from mtcd_plugin.models.backbones.recoupling import Recoupling
from mtcd_plugin.models.backbones.temporal_branch import TemporalBranch

FEWEST_FRAMES = 4
GUIDED = ("inception_3b", "inception_4b", "inception_5b")  # blocks after which the motion maps act


class SpatialNetwork(nn.Module):
    """DSN: Inception-I3D without temporal kernels, but for its poolings inside the blocks, and guided by motion.

    Args:
        in_channels: of the clip; 3, where there is guidance. base_channels: of the first layer. channels: of the
            output. window: frames of a window of :func:`motion_maps`; 0 for no guidance.

    Input: float ``[N, in_channels, T, H, W]``. Output: a feature of each frame, ``[N, T, channels]``.
    """

    def __init__(self, in_channels: int, base_channels: int, channels: int, window: int) -> None:
        super().__init__()
        blocks: OrderedDict[str, nn.Module] = OrderedDict()
        width = 3 * base_channels
        for name in ("3b", "3c", "4b", "4c", "5b", "5c"):
            if name == "4b":
                blocks["pool4"] = SameMaxPool((1, 3, 3), (1, 2, 2))
            if name == "5b":
                blocks["pool5"] = SameMaxPool((1, 2, 2), (1, 2, 2))
            block = Inception(width, scaled_widths(WIDTHS[name], base_channels), kernel=(1, 3, 3))
            blocks[f"inception_{name}"] = block
            width = block.out_channels
        self.window = window
        self.stem = frame_stem(in_channels, base_channels)
        self.blocks = nn.Sequential(blocks)
        self.linear = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, channels))
        self.guidance = MotionGuidance() if window else None

    def forward(self, clip: Tensor) -> Tensor:
        maps = motion_maps(clip, self.window) if self.guidance is not None else None
        x = self.stem(clip)
        for name, block in self.blocks.named_children():
            x = block(x)
            if self.guidance is not None and name in GUIDED:
                x = self.guidance(x, maps)
        return self.linear(x.mean(dim=(3, 4)).transpose(1, 2))


@MODELS.register_module()
class DecoupleRecouple(BaseModule):
    """The network of Decouple & Recouple for one modality, without its class layers
    (I3DWTrans, https://arxiv.org/abs/2112.09129; layers of the authors' code).

    Args:
        frames: T of the clips, 4 or more. The three branches see a quarter, half and three quarters of them.
        in_channels: of the clip.
        base_channels: channels of the first layer; 64 are the authors', the other blocks are in proportion.
        channels: of a frame's feature; a multiple of 32.
        window: frames over which motion is looked for, 4 for NvGesture and 10 for other data in the authors' code;
            0 for no guidance by motion.
        depth, heads, head_channels, hidden, keep, dropout: of the transformers, see :class:`TemporalBranch`.
        norm_momentum: of the batch normalisations; see :func:`set_norm_momentum`.
        init_cfg: see MMEngine's BaseModule.

    Input: float ``[N, in_channels, T, H, W]``. Output: the token of each branch ``[N, 3, channels]``, and the vector
    of the gates ``[N, channels]``, see :class:`Recoupling`. In training the frames of the branches are drawn.

    Raises ValueError for fewer frames, and for a clip of another length.
    """

    def __init__(
        self,
        frames: int = 64,
        in_channels: int = 3,
        base_channels: int = 64,
        channels: int = 512,
        window: int = 4,
        depth: int = 6,
        heads: int = 8,
        head_channels: int = 64,
        hidden: int = 768,
        keep: float = 0.7,
        dropout: float = 0.1,
        norm_momentum: float = 0.01,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if frames < FEWEST_FRAMES:
            raise ValueError(f"frames={frames} of DecoupleRecouple must be {FEWEST_FRAMES} or more")
        if window == 1 or window < 0:
            raise ValueError(f"window={window} of DecoupleRecouple must be 2 frames or more, or 0 for no guidance")
        self.frames = frames
        self.spatial = SpatialNetwork(in_channels, base_channels, channels, window)
        self.recoupling = Recoupling(frames, channels)
        self.branches = nn.ModuleList(
            TemporalBranch(quarters * frames // 4, channels, depth, heads, head_channels, hidden, keep, dropout)
            for quarters in (1, 2, 3)
        )
        set_norm_momentum(self, norm_momentum)

    def forward(self, clip: Tensor) -> tuple[Tensor, Tensor]:
        return self.temporal(self.frame_features(clip))

    def frame_features(self, clip: Tensor) -> Tensor:
        """The part over space: a clip ``[N, in_channels, T, H, W]`` to ``[N, T, channels]``."""
        if clip.shape[2] != self.frames:
            raise ValueError(f"DecoupleRecouple is built for {self.frames} frames, the clip has {clip.shape[2]}")
        return self.spatial(clip)

    def temporal(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The part over time: ``[N, T, channels]`` to the output of the whole."""
        weighed, vector = self.recoupling(features)
        tokens = [branch(weighed)[-1] for branch in self.branches]
        return torch.stack(tokens, dim=1), vector
