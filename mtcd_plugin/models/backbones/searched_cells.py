"""Cells that were found by architecture search, as AutoGesture and NI3D have them."""

from __future__ import annotations

import re
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Node = tuple[tuple[str, int], tuple[str, int]]  # operation and its input, twice
STEP = re.compile(r"(\w+)\((\d+)\)")


def read_genotype(text: str) -> tuple[Node, ...]:
    """``"t3(1) T3(0) | id(0) id(1)"``: two operations for each node, each with the number of its input.

    Inputs 0 and 1 are the cell's, 2 the first node, and so on.

    Raises:
        ValueError: a node that has not two operations, or an input that comes later.
    """
    nodes = []
    for number, part in enumerate(text.split("|"), start=2):
        steps = [(name, int(at)) for name, at in STEP.findall(part)]
        if len(steps) != 2 or any(at >= number for _, at in steps):
            raise ValueError(f"genotype {text!r}: node {number} must be two operations on earlier nodes: {part!r}")
        nodes.append((steps[0], steps[1]))
    return tuple(nodes)


class PreActUnit(nn.Module):
    """ReLU, a convolution, batch normalisation.

    Args:
        conv: without bias, to ``channels``. affine: whether the normalisation has weights.
    """

    def __init__(self, conv: nn.Module, channels: int, affine: bool = True) -> None:
        super().__init__()
        self.conv = conv
        self.bn = nn.BatchNorm3d(channels, affine=affine)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(F.relu(x)))


def pointwise(in_channels: int, out_channels: int, stride: int = 1, affine: bool = True) -> PreActUnit:
    """A unit of kernel 1 x 1 x 1; ``stride`` is that in space."""
    conv = nn.Conv3d(in_channels, out_channels, 1, (1, stride, stride), bias=False)
    return PreActUnit(conv, out_channels, affine)


class Cell(nn.Module):
    """Nodes that each add up two operations on the cell's inputs or on earlier nodes; all nodes, concatenated.

    Args:
        genotype: see :func:`read_genotype`.
        in_channels: of the input before the last one, and of the last one.
        channels: of every node.
        operation: the module for an operation's name and number of channels.
        stride: in space, of the input before the last one.
        affine: whether the normalisations of the inputs have weights.

    Attributes:
        out_channels: nodes times ``channels``.

    Inputs: ``s0`` [N, C0, T, stride * H, stride * W], ``s1`` [N, C1, T, H, W]. Output: [N, out_channels, T, H, W].
    """

    def __init__(
        self,
        genotype: tuple[Node, ...],
        in_channels: tuple[int, int],
        channels: int,
        operation: Callable[[str, int], nn.Module],
        stride: int = 1,
        affine: bool = True,
    ) -> None:
        super().__init__()
        self.preprocess0 = pointwise(in_channels[0], channels, stride, affine)
        self.preprocess1 = pointwise(in_channels[1], channels, 1, affine)
        self.ops = nn.ModuleList(operation(name, channels) for node in genotype for name, _ in node)
        self.inputs = tuple(at for node in genotype for _, at in node)
        self.out_channels = len(genotype) * channels

    def forward(self, s0: Tensor, s1: Tensor) -> Tensor:
        states = [self.preprocess0(s0), self.preprocess1(s1)]
        for i in range(0, len(self.ops), 2):
            a, b = (self.ops[j](states[self.inputs[j]]) for j in (i, i + 1))
            states.append(a + b)
        return torch.cat(states[2:], dim=1)
