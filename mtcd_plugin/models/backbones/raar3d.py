"""RAAR3D: NI3D with attention to what moves and to where hands and bodies are.

Regional attention with architecture-rebuilt 3D network for RGB-D gesture recognition, Zhou et al., AAAI 2021
(https://arxiv.org/abs/2102.05348).
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from mtcd_plugin.models.backbones.ni3d import NI3D

PAIRINGS = ("as_published", "by_time")
WINDOW = 5  # frames that are ranked


def rank_pool(x: Tensor) -> Tensor:
    """Approximate rank pooling of each frame and the four before it: sum over k = 1..5 of (2 k - 6) x_{t - 5 + k}.

    Frames before the first are zeros. A clip ``[N, C, T, H, W]`` and the same.
    """
    padded = F.pad(x, (0, 0, 0, 0, WINDOW - 1, 0))
    frames = x.shape[2]
    # the weights are -4, -2, 0, 2, 4
    outer = padded[:, :, 4 : 4 + frames] - padded[:, :, :frames]
    return 4 * outer + 2 * (padded[:, :, 3 : 3 + frames] - padded[:, :, 1 : 1 + frames])


class DynamicAttention(nn.Module):
    """``p x + q x (1 + a)`` with a = ReLU(BN(:func:`rank_pool`)); p and q start at 1 and 0.

    [N, channels, T, H, W] and the same.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Parameter(torch.tensor([1.0, 0.0]))
        self.bn = nn.BatchNorm3d(channels)

    def forward(self, x: Tensor) -> Tensor:
        a = self.bn(rank_pool(x)).relu()
        return self.mix[0] * x + self.mix[1] * x * (1 + a)


class StaticAttention(nn.Module):
    """``p x + q x (1 + h)`` with a heat map h for each frame; p and q start at 1 and 0.

    Args:
        pairing: see :class:`RAAR3D`.

    Inputs: ``x`` [N, C, T', H', W'] and ``heat`` [N, 1, T, H, W], whose largest values are taken over space.
    """

    def __init__(self, pairing: str) -> None:
        super().__init__()
        self.mix = nn.Parameter(torch.tensor([1.0, 0.0]))
        self.pairing = pairing

    def forward(self, x: Tensor, heat: Tensor) -> Tensor:
        heat = F.adaptive_max_pool3d(paired(heat, x.shape[2], self.pairing), x.shape[2:])
        return self.mix[0] * x + self.mix[1] * x * (1 + heat)


def paired(heat: Tensor, frames: int, pairing: str) -> Tensor:
    """The map of each of ``frames`` frames of a feature, [N, 1, T, H, W] -> [N, 1, frames, H, W]."""
    if pairing == "as_published":
        return heat[:, :, :frames]
    return heat[:, :, torch.arange(frames, device=heat.device) * heat.shape[2] // frames]


class HeatMaps(nn.Module):
    """Where hands and bodies are, from the picture alone: three blocks of two 2D convolutions.

    [N, 3, T, H, W] -> [N, 1, T, H, W], at least 0, in the sizes of pictures ``shrink`` times as small. From the second
    block on the map before is a fourth channel.
    """

    def __init__(self, in_channels: int = 3, shrink: int = 1) -> None:
        super().__init__()
        self.shrink = shrink
        self.blocks = nn.ModuleList(self.block(in_channels + (i > 0)) for i in range(3))
        for layer in self.modules():  # with so few channels a third of the time on a CPU
            if isinstance(layer, nn.Conv2d):
                layer.weight.data = layer.weight.data.contiguous(memory_format=torch.channels_last)

    @staticmethod
    def block(channels: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, 1, 3, padding=1, bias=False),
            nn.BatchNorm2d(1),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        pictures = x.transpose(1, 2).flatten(0, 1).contiguous(memory_format=torch.channels_last)
        if self.shrink > 1:
            pictures = F.avg_pool2d(pictures, self.shrink)
        heat = self.blocks[0](pictures)
        for block in self.blocks[1:]:
            heat = block(torch.cat([pictures, heat], dim=1))
        return heat.unflatten(0, (x.shape[0], x.shape[2])).transpose(1, 2)


@MODELS.register_module()
class RAAR3D(BaseModule):
    """NI3D, each of whose three groups of cells takes f + static(dynamic(f), heat maps) for its input f.

    Args:
        pairing: which heat map a frame of a feature meets, where it has fewer frames than the clip: ``by_time`` the
            one of its time; ``as_published`` the one of its number, as in the authors' code, so that the maps of the
            clip's end are not used.
        in_channels, base_channels, conv1_stride_t, norm_momentum: of :class:`NI3D`.
        heat_shrink: how many times as small as the clip's frames the heat maps are, to save time.
        init_cfg: see MMEngine's BaseModule.

    Attributes:
        feat_dim: channels of the output.

    Input and output as :class:`NI3D`.
    """

    def __init__(
        self,
        pairing: str = "as_published",
        in_channels: int = 3,
        base_channels: int = 64,
        conv1_stride_t: int = 2,
        norm_momentum: float | None = None,
        heat_shrink: int = 1,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if pairing not in PAIRINGS:
            raise ValueError(f"pairing={pairing!r} is unknown; choose from {', '.join(PAIRINGS)}")
        self.ni3d = NI3D(in_channels, base_channels, conv1_stride_t, norm_momentum)
        self.heat_maps = HeatMaps(in_channels, heat_shrink)
        self.dynamic = nn.ModuleList(DynamicAttention(channels) for channels in self.ni3d.group_channels)
        self.static = nn.ModuleList(StaticAttention(pairing) for _ in self.ni3d.group_channels)
        self.feat_dim = self.ni3d.feat_dim

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_with_heat(x)[0]

    def forward_with_heat(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The feature and the heat maps ``[N, 1, T, H / heat_shrink, W / heat_shrink]``."""
        heat = self.heat_maps(x)
        for place, group in enumerate(self.ni3d.groups):
            x = self.ni3d.enter(place, x)
            x = group(x + self.static[place](self.dynamic[place](x), heat))
        return x, heat
