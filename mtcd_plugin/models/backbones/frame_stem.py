"""The first layers of Decouple & Recouple and UMDR: Inception-I3D's, each frame by itself."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from mtcd_plugin.models.backbones.inception_blocks import ConvUnit, SameMaxPool


def scaled(channels: int, base_channels: int) -> int:
    """A layer's channels in a network whose first layer has ``base_channels`` of them and not 64; at least 1."""
    return max(1, channels * base_channels // 64)


def scaled_widths(widths: Sequence[int], base_channels: int) -> list[int]:
    """The widths of an Inception block, in proportion to those of a network with 64 channels in its first layer."""
    return [scaled(w, base_channels) for w in widths]


def frame_stem(in_channels: int = 3, base_channels: int = 64) -> nn.Sequential:
    """conv1 to pool3 of Inception-I3D with kernels ``1 x k x k``
    (Decouple & Recouple, https://arxiv.org/abs/2112.09129, authors' code).

    Input: float ``[N, in_channels, T, H, W]``. Output: ``[N, 3 * base_channels, T, H / 8, W / 8]``, rounded up at each
    of the halvings.
    """
    stem = nn.Sequential()
    stem.add_module("conv1", ConvUnit(in_channels, base_channels, (1, 7, 7), (1, 2, 2)))
    stem.add_module("pool2", SameMaxPool((1, 3, 3), (1, 2, 2)))
    stem.add_module("conv2b", ConvUnit(base_channels, base_channels))
    stem.add_module("conv2c", ConvUnit(base_channels, 3 * base_channels, (1, 3, 3)))
    stem.add_module("pool3", SameMaxPool((1, 3, 3), (1, 2, 2)))
    return stem
