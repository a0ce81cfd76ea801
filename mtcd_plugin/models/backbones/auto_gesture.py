"""AutoGesture: the published networks of NAS with 3D central difference convolutions.

Searching multi-rate and multi-modal temporal enhanced networks for gesture recognition, Yu et al., IEEE TIP 2021
(https://arxiv.org/abs/2008.09412). Nothing is searched here: the genotypes are what the authors found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from mtcd_plugin.models.backbones.central_difference import CentralDifferenceConv3d
from mtcd_plugin.models.backbones.searched_cells import Cell, PreActUnit, read_genotype

KERNELS = ("as_published", "as_named")
RATES = {8: (4, 3), 16: (2, 2), 32: (1, 1)}  # frames of 32 -> step between them; width in multiples of the base
CELLS = (4, 5, 3)  # before the first pooling, before the second one, after it
WIDTHS = (2, 4, 8)  # of a cell's nodes, in multiples of its branch's width
FEATURES = (2, 8, 16)  # channels of a branch where connections start, likewise

# Capital letter: a cubic kernel, small: one that is named after time alone.
GENOTYPES = {
    "rgb": {
        8: "t3(1) T3(0) | id(0) id(1) | id(0) id(1) | t3(2) id(3)",
        16: "t3(1) id(0) | t3(1) T3(2) | T3(3) t3(1) | TR3(2) T3(3)",
        32: "TR3(1) id(0) | s(1) s(0) | t3(1) id(2) | t3(1) T3(0)",
    },
    "depth": {
        8: "s(1) t3(0) | id(1) id(0) | id(1) id(0) | s(2) id(1)",
        16: "t3(1) s(0) | T3(1) id(2) | t3(3) s(0) | t3(1) s(3)",
        32: "TR3(1) t3(0) | TR3(2) t3(1) | tr3(1) T3(3) | tr3(4) TR3(2)",
    },
}


class Connection(NamedTuple):
    """From one branch to another, each (modality, rate); what it is after the stem and after either pooling."""

    source: tuple[str, int]
    target: tuple[str, int]
    kinds: tuple[str, str, str]


def laterals(modality: str) -> tuple[Connection, ...]:
    """The connections of a network of one modality, in the order in which a branch concatenates them."""
    return tuple(Connection((modality, a), (modality, b), ("lateral",) * 3) for a, b in ((32, 16), (32, 8), (16, 8)))


def searched() -> tuple[Connection, ...]:
    """The connections of the network of RGB and depth, in the order of the published table."""
    ends = (
        "R16>R8 R32>R16 R32>R8 D16>D8 D32>D16 D32>D8 R8>D8 R16>D8 R16>D16 R32>D8 R32>D16 R32>D32 "
        "D8>R8 D16>R8 D16>R16 D32>R8 D32>R16 D32>R32"
    )
    kinds = (
        "tr 0 tr t t 0 0 c 0 c 0 0 t t t tr t tr",
        "t c 0 c t t t c tr c t tr t t t tr c tr",
        "t tr t tr tr t c 0 c c 0 tr tr 0 t t tr tr",
    )
    modality = {"R": "rgb", "D": "depth"}
    pairs = [[(modality[end[0]], int(end[1:])) for end in pair.split(">")] for pair in ends.split()]
    rows = zip(*(k.split() for k in kinds), strict=True)
    return tuple(Connection(a, b, row) for (a, b), row in zip(pairs, rows, strict=True))


class Unconnected(nn.Module):
    """A connection that contributes zeros. Its weights do nothing: the published network has them."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(in_channels, out_channels, 1, bias=False).requires_grad_(False)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        size = (x.shape[0], self.conv.out_channels, -(-x.shape[2] // self.stride), *x.shape[3:])
        return x.new_zeros(size)


def difference_unit(
    kind: str, in_channels: int, out_channels: int, size: int, flat: bool = False, stride: int = 1
) -> PreActUnit:
    """ReLU, a central difference convolution of ``size`` frames and, unless it is flat, pixels, normalisation."""
    kernel = (size, 1, 1) if flat else (size, size, size)
    conv = CentralDifferenceConv3d(in_channels, out_channels, kernel, (stride, 1, 1), kind)
    return PreActUnit(conv, out_channels)


def operation(kernels: str, name: str, channels: int) -> nn.Module:
    """An operation of a cell by its name in ``GENOTYPES``."""
    if name == "id":
        return nn.Identity()
    if name == "s":
        return PreActUnit(nn.Conv3d(channels, channels, (1, 3, 3), padding=(0, 1, 1), bias=False), channels)
    flat = kernels == "as_named" and name.islower()
    return difference_unit(name.rstrip("3").lower(), channels, channels, 3, flat)


def connection(kernels: str, kind: str, in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """A connection by its kind; ``stride`` is that in time."""
    if kind == "0":
        return Unconnected(in_channels, out_channels, stride)
    size = 5 if stride == 4 or kind == "lateral" else 3
    if kind in ("lateral", "c"):
        conv = nn.Conv3d(in_channels, out_channels, (size, 1, 1), (stride, 1, 1), (size // 2, 0, 0), bias=False)
        if kind == "lateral":
            return nn.Sequential(conv, nn.BatchNorm3d(out_channels))
        return PreActUnit(conv, out_channels)
    return difference_unit(kind, in_channels, out_channels, size, kernels == "as_named", stride)


class Branch(nn.Module):
    """One frame rate of one modality: stem and cells.

    Args:
        genotype: of its cells. width: channels of its first layer.
        arriving: channels that connections bring, at each of the three places. kernels, cells: see
            :class:`AutoGesture`.
    """

    def __init__(self, genotype: str, width: int, arriving: Sequence[int], kernels: str, cells: Sequence[int]) -> None:
        super().__init__()
        self.stem0 = nn.Sequential(
            nn.Conv3d(3, width, 3, padding=1, bias=False),
            nn.BatchNorm3d(width),
            nn.ReLU(inplace=True),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        )
        self.stem1 = nn.Sequential(
            nn.Conv3d(width, 2 * width, 3, padding=1, bias=False),
            nn.BatchNorm3d(2 * width),
            nn.ReLU(inplace=True),
            nn.MaxPool3d(3, 2, 1),
        )
        self.counts = tuple(cells)
        self.cells = nn.ModuleList()
        nodes, make = read_genotype(genotype), partial(operation, kernels)
        before, last = width, 0
        for place, count in enumerate(self.counts):
            last = FEATURES[place] * width + arriving[place]
            for i in range(count):
                stride = 2 if place and i == 0 else 1
                cell = Cell(nodes, (before, last), WIDTHS[place] * width, make, stride, affine=False)
                self.cells.append(cell)
                before, last = last, cell.out_channels
        self.out_channels = last

    def stem(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The two inputs of the first cell, less what connections bring."""
        a = self.stem0(x)
        return F.avg_pool3d(a, 2), self.stem1(a)

    def run(self, place: int, s0: Tensor, s1: Tensor) -> tuple[Tensor, Tensor]:
        """The cells between one place and the next; all but the last ones are followed by the pooling."""
        first = sum(self.counts[:place])
        for cell in self.cells[first : first + self.counts[place]]:
            s0, s1 = s1, cell(s0, s1)
        return s0, s1 if place + 1 == len(self.counts) else F.max_pool3d(s1, (1, 3, 3), (1, 2, 2), (0, 1, 1))


@MODELS.register_module()
class AutoGesture(BaseModule):
    """Three branches of different frame rates a modality, with connections between them.

    Args:
        modalities: one of ``rgb`` and ``depth``, whose genotypes differ, or both, which are then connected by what
            was searched.
        base_channels: width of the branch that sees every frame; 16 is the published one. Those that see every
            second and every fourth one are two and three times as wide.
        kernels: ``as_published`` gives the operations named 3x1x1 and 5x1x1 the cubic kernels that the authors' code
            builds; ``as_named`` takes them at their names.
        cells: how many cells a branch has before the first pooling, before the second one and after it.
        init_cfg: see MMEngine's BaseModule.

    Attributes:
        feat_dim: channels of the output, 192 * ``base_channels`` a modality.

    Input: float ``[N, 3, T, H, W]``, or modality -> that with both. T is a multiple of 8, H and W of 4.
    Output: ``[N, feat_dim, 1, 1, 1]``, the branches' means from the fastest on, RGB first.

    Raises:
        ValueError: another size of input, or an unknown argument.
    """

    def __init__(
        self,
        modalities: Sequence[str] = ("rgb",),
        base_channels: int = 16,
        kernels: str = "as_published",
        cells: Sequence[int] = CELLS,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.modalities = tuple(modalities)
        if self.modalities not in (("rgb",), ("depth",), ("rgb", "depth")):
            raise ValueError(f"modalities={list(modalities)} is unknown; choose from [rgb], [depth] and [rgb, depth]")
        if kernels not in KERNELS:
            raise ValueError(f"kernels={kernels!r} is unknown; choose from {', '.join(KERNELS)}")
        if len(cells) != len(CELLS) or min(cells) < 1:
            raise ValueError(f"cells={list(cells)} must be three numbers of cells, each at least 1")
        joint = len(self.modalities) > 1
        self.wiring = searched() if joint else laterals(self.modalities[0])
        width = {rate: factor * base_channels for rate, (_, factor) in RATES.items()}
        sent = tuple(n // 2 for n in WIDTHS) if joint else WIDTHS
        sent = (sent[0], sent[0], sent[1])  # in multiples of the sender's width
        self.branches = nn.ModuleDict()
        for modality in self.modalities:
            for rate in RATES:
                senders = [c.source[1] for c in self.wiring if c.target == (modality, rate)]
                arriving = [sum(n * width[sender] for sender in senders) for n in sent]
                branch = Branch(GENOTYPES[modality][rate], width[rate], arriving, kernels, cells)
                self.branches[self._name(modality, rate)] = branch
        self.connections = nn.ModuleList(
            nn.ModuleList(
                connection(
                    kernels,
                    c.kinds[place],
                    FEATURES[place] * width[c.source[1]],
                    sent[place] * width[c.source[1]],
                    c.source[1] // c.target[1],
                )
                for c in self.wiring
            )
            for place in range(len(CELLS))
        )
        self.feat_dim = sum(self._branch(*end).out_channels for end in self._ends())

    def forward(self, x: Tensor | Mapping[str, Tensor]) -> Tensor:
        clips = x if isinstance(x, Mapping) else {self.modalities[0]: x}
        states = {}
        for modality in self.modalities:
            check_size(clips[modality])
            for rate, (step, _) in RATES.items():
                states[modality, rate] = self._branch(modality, rate).stem(clips[modality][:, :, ::step])
        for place in range(len(CELLS)):
            arrived: dict[tuple[str, int], list[Tensor]] = {branch: [] for branch in states}
            units: Any = self.connections[place]
            for unit, (source, target, _) in zip(units, self.wiring, strict=True):
                arrived[target].append(unit(states[source][1]))
            for branch, (s0, s1) in states.items():
                joined = torch.cat([*arrived[branch], s1], dim=1)
                states[branch] = self._branch(*branch).run(place, s0, joined)
        return torch.cat([states[end][1].mean(dim=(2, 3, 4), keepdim=True) for end in self._ends()], dim=1)

    def _ends(self) -> list[tuple[str, int]]:
        """The branches in the order of the feature."""
        return [(modality, rate) for modality in self.modalities for rate in reversed(RATES)]

    def _branch(self, modality: str, rate: int) -> Branch:
        return self.branches[self._name(modality, rate)]  # type: ignore[return-value]  # a ModuleDict holds modules

    def _name(self, modality: str, rate: int) -> str:
        return f"{modality}{rate}" if len(self.modalities) > 1 else str(rate)


def check_size(clip: Tensor) -> None:
    """ValueError for a clip [..., T, H, W] that the branches cannot divide."""
    frames, height, width = clip.shape[-3:]
    if frames % 8 or height % 4 or width % 4:
        raise ValueError(
            f"AutoGesture: a clip of {frames} frames of {height} x {width} pixels: frames must be a multiple of 8, "
            "height and width of 4; set clip_len of SampleClipFrames and size of the data preprocessor or of the crop"
        )
