"""Inception-I3D: GoogLeNet's blocks in 3D (https://arxiv.org/abs/1705.07750)."""

from __future__ import annotations

from typing import Any

from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from mtcd_plugin.models.backbones.inception_blocks import (
    WIDTHS,
    ConvUnit,
    Inception,
    SameMaxPool,
    Triple,
    set_norm_momentum,
)

# What the layers with strides have on both sides, and eps of the normalisations. Layers without strides agree.
CONVERSIONS: dict[str, tuple[dict[str, Triple], float]] = {
    "kinetics": ({}, 1e-3),
    "mmpose": (
        {"conv1": (2, 3, 3), "pool2": (0, 1, 1), "pool3": (0, 1, 1), "pool4": (1, 1, 1), "pool5": (0, 0, 0)},
        1e-5,
    ),
}


@MODELS.register_module()
class InceptionI3D(BaseModule):
    """Inception-I3D without its class layer.

    Args:
        in_channels: of the clip.
        base_channels: channels of the first layer; 64 is Inception-I3D, the others' are in proportion (at least 1).
        conv1_stride_t: temporal stride of the first layer.
        norm_momentum: of batch normalisations, see :func:`set_norm_momentum`.
        conversion: whose network in PyTorch it is. ``kinetics``: that of hassony2/kinetics_i3d_pytorch, with SAME
            padding everywhere and eps 1e-3; ``mmpose``: that of mmpose 0.x, whose MTUT has symmetric padding, so that
            64 frames become 31, 16, 8, and eps 1e-5.
        init_cfg: see MMEngine's BaseModule.

    Attributes:
        feat_dim: channels of the output.

    Input: float ``[N, in_channels, T, H, W]`` of any size. Output: ``[N, 16 * base_channels, T / 8, H / 32, W / 32]``,
    rounded up at each of the halvings; with ``mmpose`` conv1 gives one frame less where T is even, and the last halving
    rounds down.

    Raises ValueError for another conversion.
    """

    def __init__(
        self,
        in_channels: int = 3,
        base_channels: int = 64,
        conv1_stride_t: int = 2,
        norm_momentum: float = 0.01,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
        conversion: str = "kinetics",
    ) -> None:
        super().__init__(init_cfg)
        if conversion not in CONVERSIONS:
            raise ValueError(
                f"InceptionI3D: conversion '{conversion}' is unknown; choose from {', '.join(CONVERSIONS)}"
            )
        padding, eps = CONVERSIONS[conversion]

        def scaled(channels: int) -> int:
            return max(1, channels * base_channels // 64)

        self.conv1 = ConvUnit(in_channels, scaled(64), (7, 7, 7), (conv1_stride_t, 2, 2), padding.get("conv1"))
        self.pool2 = SameMaxPool((1, 3, 3), (1, 2, 2), padding.get("pool2"))
        self.conv2b = ConvUnit(scaled(64), scaled(64))
        self.conv2c = ConvUnit(scaled(64), scaled(192), (3, 3, 3))
        self.pool3 = SameMaxPool((1, 3, 3), (1, 2, 2), padding.get("pool3"))
        channels = scaled(192)
        for name, widths in WIDTHS.items():
            if name == "4b":
                self.pool4 = SameMaxPool((3, 3, 3), (2, 2, 2), padding.get("pool4"))
            if name == "5b":
                self.pool5 = SameMaxPool((2, 2, 2), (2, 2, 2), padding.get("pool5"))
            block = Inception(channels, [scaled(w) for w in widths])
            self.add_module(f"inception_{name}", block)
            channels = block.out_channels
        self.feat_dim = channels
        set_norm_momentum(self, norm_momentum)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm3d):
                module.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():  # in the order in which they were made
            x = layer(x)
        return x
