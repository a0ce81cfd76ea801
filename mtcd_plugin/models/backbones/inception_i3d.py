"""Inception-I3D: GoogLeNet's blocks in 3D (https://arxiv.org/abs/1705.07750), with SAME padding everywhere."""

from __future__ import annotations

from typing import Any

from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor

from mtcd_plugin.models.backbones.inception_blocks import WIDTHS, ConvUnit, Inception, SameMaxPool, set_norm_momentum


@MODELS.register_module()
class InceptionI3D(BaseModule):
    """Inception-I3D without its class layer, the network of the Kinetics conversion hassony2/kinetics_i3d_pytorch.

    Args:
        in_channels: of the clip.
        base_channels: channels of the first layer; 64 is Inception-I3D, the others' are in proportion (at least 1).
        conv1_stride_t: temporal stride of the first layer.
        norm_momentum: of batch normalisations, see :func:`set_norm_momentum`.
        init_cfg: see MMEngine's BaseModule.

    Attributes:
        feat_dim: channels of the output.

    Input: float ``[N, in_channels, T, H, W]`` of any size. Output: ``[N, 16 * base_channels, T / 8, H / 32, W / 32]``,
    rounded up at each of the halvings.
    """

    def __init__(
        self,
        in_channels: int = 3,
        base_channels: int = 64,
        conv1_stride_t: int = 2,
        norm_momentum: float = 0.01,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(init_cfg)

        def scaled(channels: int) -> int:
            return max(1, channels * base_channels // 64)

        self.conv1 = ConvUnit(in_channels, scaled(64), (7, 7, 7), (conv1_stride_t, 2, 2))
        self.pool2 = SameMaxPool((1, 3, 3), (1, 2, 2))
        self.conv2b = ConvUnit(scaled(64), scaled(64))
        self.conv2c = ConvUnit(scaled(64), scaled(192), (3, 3, 3))
        self.pool3 = SameMaxPool((1, 3, 3), (1, 2, 2))
        channels = scaled(192)
        for name, widths in WIDTHS.items():
            if name == "4b":
                self.pool4 = SameMaxPool((3, 3, 3), (2, 2, 2))
            if name == "5b":
                self.pool5 = SameMaxPool((2, 2, 2), (2, 2, 2))
            block = Inception(channels, [scaled(w) for w in widths])
            self.add_module(f"inception_{name}", block)
            channels = block.out_channels
        self.feat_dim = channels
        set_norm_momentum(self, norm_momentum)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():  # in the order in which they were made
            x = layer(x)
        return x
