"""What Inception-I3D and its descendants are made of: SAME padding, a convolution unit, GoogLeNet's block in 3D.

Axes are ``[N, C, T, H, W]``; kernels and strides are ``(T, H, W)``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Triple = tuple[int, int, int]
Widths = tuple[int, int, int, int, int, int]

# The blocks of Inception-I3D (https://arxiv.org/abs/1705.07750): outputs of the 1x1x1 unit; of the two units of the
# second branch, and of the third; of the unit behind the pooling.
WIDTHS: dict[str, Widths] = {
    "3b": (64, 96, 128, 16, 32, 32),
    "3c": (128, 128, 192, 32, 96, 64),
    "4b": (192, 96, 208, 16, 48, 64),
    "4c": (160, 112, 224, 24, 64, 64),
    "4d": (128, 128, 256, 24, 64, 64),
    "4e": (112, 144, 288, 32, 64, 64),
    "4f": (256, 160, 320, 32, 128, 128),
    "5b": (256, 160, 320, 32, 128, 128),
    "5c": (384, 192, 384, 48, 128, 128),
}


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """What TensorFlow's SAME adds before and after an axis, so that ``ceil(size / stride)`` positions come out."""
    total = max(kernel - (size % stride or stride), 0)
    return total // 2, total - total // 2


def pad_same(x: Tensor, kernel: Triple, stride: Triple) -> Tensor:
    """A clip with SAME padding of zeros."""
    pads = [same_padding(n, k, s) for n, k, s in zip(x.shape[2:], kernel, stride, strict=True)]
    flat = [p for pair in reversed(pads) for p in pair]
    return F.pad(x, flat) if any(flat) else x


def pad_clip(x: Tensor, kernel: Triple, stride: Triple, padding: Triple | None = None) -> Tensor:
    """A clip with ``padding`` zeros before and after each axis; None is :func:`pad_same`."""
    if padding is None:
        return pad_same(x, kernel, stride)
    return F.pad(x, [p for p in reversed(padding) for _ in range(2)])


class SameMaxPool(nn.Module):
    """Max-pooling with SAME padding of zeros, as TensorFlow's conversions have it; ``padding`` as :func:`pad_clip`."""

    def __init__(self, kernel: Triple, stride: Triple, padding: Triple | None = None) -> None:
        super().__init__()
        self.kernel, self.stride, self.padding = kernel, stride, padding

    def forward(self, x: Tensor) -> Tensor:
        x = pad_clip(x, self.kernel, self.stride, self.padding)
        if x.device.type == "cpu":  # PyTorch's pooling takes a tenth of the time with this layout there
            x = x.contiguous(memory_format=torch.channels_last_3d)
        return F.max_pool3d(x, self.kernel, self.stride)


class ConvUnit(nn.Module):
    """3D convolution without bias and with SAME padding, batch normalisation (eps 1e-3, momentum 0.01), ReLU;
    ``padding`` as :func:`pad_clip`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: Triple = (1, 1, 1),
        stride: Triple = (1, 1, 1),
        padding: Triple | None = None,
    ) -> None:
        super().__init__()
        self.kernel, self.stride, self.padding = kernel, stride, padding
        self.conv = nn.Conv3d(in_channels, out_channels, kernel, stride, bias=False)
        self.bn = nn.BatchNorm3d(out_channels, eps=1e-3, momentum=0.01)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(pad_clip(x, self.kernel, self.stride, self.padding))), inplace=True)


def set_norm_momentum(network: nn.Module, momentum: float) -> None:
    """Give another momentum to every batch normalisation of a network, in place.

    With 0.01, some hundreds of steps leave running statistics far behind the weights: networks that train well test at
    chance. Short trainings need 0.1.
    """
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.momentum = momentum


class Inception(nn.Module):
    """Four branches from one input, concatenated: 1x1x1; 1x1x1 and ``kernel``, twice; pooling and 1x1x1.

    Args:
        in_channels: of the input.
        widths: output channels of the units, in this order (a value of ``WIDTHS``).
        kernel: of the second unit of the second and third branch. pool_kernel: of the fourth branch.

    Attributes:
        out_channels: of the output, whose T, H and W are the input's.
    """

    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int],
        kernel: Triple = (3, 3, 3),
        pool_kernel: Triple = (3, 3, 3),
    ) -> None:
        super().__init__()
        a, b1, b2, c1, c2, d = widths
        self.branch1 = ConvUnit(in_channels, a)
        self.branch2 = nn.Sequential(ConvUnit(in_channels, b1), ConvUnit(b1, b2, kernel))
        self.branch3 = nn.Sequential(ConvUnit(in_channels, c1), ConvUnit(c1, c2, kernel))
        self.branch4 = nn.Sequential(SameMaxPool(pool_kernel, (1, 1, 1)), ConvUnit(in_channels, d))
        self.out_channels = a + b2 + c2 + d

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1)
