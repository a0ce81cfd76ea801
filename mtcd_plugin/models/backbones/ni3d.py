"""NI3D: Inception-I3D whose blocks are searched cells (Zhou et al., AAAI 2021, https://arxiv.org/abs/2102.05348)."""

from __future__ import annotations

from typing import Any

from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from mtcd_plugin.models.backbones.inception_blocks import ConvUnit, SameMaxPool, Triple, pad_same, set_norm_momentum
from mtcd_plugin.models.backbones.searched_cells import Cell, PreActUnit, read_genotype

# Of each group of cells: the genotype; channels of a node, cell by cell, in multiples of the first layer's.
GROUPS = (
    ("s(1) id(0) | s(0) d3(2) | dil(0) t(2) | d3(4) s(2)", (1, 1)),
    ("id(1) d1(0) | t(1) d1(2) | id(1) id(2) | t(1) d3(2)", (1, 1, 2, 2, 2)),
    ("d1(0) dil(1) | dil(1) d1(2) | t(3) dil(1) | dil(4) d1(3)", (2, 4)),
)
STEM = 3  # channels of the stem's output, likewise


class DepthwiseUnit(nn.Module):
    """Convolution of each channel by itself, SAME, normalisation (eps 1e-3, momentum 0.01), ReLU."""

    def __init__(self, channels: int, kernel: Triple) -> None:
        super().__init__()
        self.kernel = kernel
        self.conv = nn.Conv3d(channels, channels, kernel, groups=channels, bias=False)
        self.bn = nn.BatchNorm3d(channels, eps=1e-3, momentum=0.01)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(pad_same(x, self.kernel, (1, 1, 1)))).relu()


def dilated(channels: int) -> nn.Sequential:
    """A convolution 3 x 3 x 3 of every second pixel and frame, then 1 x 1 x 1."""
    return nn.Sequential(
        nn.Conv3d(channels, channels, 3, padding=2, dilation=2, bias=False),
        nn.Conv3d(channels, channels, 1, bias=False),
    )


def operation(name: str, channels: int) -> nn.Module:
    """An operation of a cell by its name in ``GROUPS``."""
    if name == "id":
        return nn.Identity()
    if name in ("d1", "d3"):
        size = int(name[1])
        return DepthwiseUnit(channels, (size, size, size))
    if name == "dil":
        return PreActUnit(dilated(channels), channels)
    kernel, padding = {"s": ((1, 3, 3), (0, 1, 1)), "t": ((3, 1, 1), (1, 0, 0))}[name]
    return PreActUnit(nn.Conv3d(channels, channels, kernel, padding=padding, bias=False), channels)


class CellGroup(nn.ModuleList):
    """Cells in a row; the first one has the group's input twice.

    Attributes:
        out_channels: of the last cell.
    """

    def __init__(self, genotype: str, in_channels: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        before = last = in_channels
        for width in widths:
            self.append(Cell(read_genotype(genotype), (before, last), width, operation))
            before, last = last, 4 * width
        self.out_channels = last

    def forward(self, x: Tensor) -> Tensor:
        s0 = s1 = x
        for cell in self:
            s0, s1 = s1, cell(s0, s1)
        return s1


@MODELS.register_module()
class NI3D(BaseModule):
    """Stem and poolings of Inception-I3D, with 2 + 5 + 2 cells in the place of its blocks.

    Args:
        in_channels: of the clip.
        base_channels: of the first layer; 64 is the published one.
        conv1_stride_t: temporal stride of the first layer.
        norm_momentum: of all batch normalisations, see :func:`set_norm_momentum`; None leaves those of the layers.
        init_cfg: see MMEngine's BaseModule.

    Attributes:
        feat_dim: channels of the output. group_channels: of what each group takes.

    Input: float ``[N, in_channels, T, H, W]`` of any size. Output: ``[N, 16 * base_channels, T / 8, H / 32, W / 32]``,
    rounded up at each of the halvings.
    """

    def __init__(
        self,
        in_channels: int = 3,
        base_channels: int = 64,
        conv1_stride_t: int = 2,
        norm_momentum: float | None = None,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        channels = STEM * base_channels
        self.stem = nn.Sequential(
            ConvUnit(in_channels, base_channels, (7, 7, 7), (conv1_stride_t, 2, 2)),
            SameMaxPool((1, 3, 3), (1, 2, 2)),
            ConvUnit(base_channels, base_channels),
            ConvUnit(base_channels, channels, (3, 3, 3)),
            SameMaxPool((1, 3, 3), (1, 2, 2)),
        )
        self.groups = nn.ModuleList()
        self.group_channels = []
        for genotype, widths in GROUPS:
            self.group_channels.append(channels)
            group = CellGroup(genotype, channels, tuple(n * base_channels for n in widths))
            self.groups.append(group)
            channels = group.out_channels
        self.pools = nn.ModuleList([SameMaxPool((3, 3, 3), (2, 2, 2)), SameMaxPool((2, 2, 2), (2, 2, 2))])
        self.feat_dim = channels
        if norm_momentum is not None:
            set_norm_momentum(self, norm_momentum)

    def enter(self, place: int, x: Tensor) -> Tensor:
        """From the output of what is before it, the clip or a group, to the input of a group."""
        return self.pools[place - 1](x) if place else self.stem(x)

    def forward(self, x: Tensor) -> Tensor:
        for place, group in enumerate(self.groups):
            x = group(self.enter(place, x))
        return x
