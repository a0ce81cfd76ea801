"""2D ResNet at any width: MMAction2's starts at 64 channels, always."""

from __future__ import annotations

import torch
from mmaction.models.backbones import ResNet
from mmaction.models.backbones.resnet import make_res_layer
from mmaction.registry import MODELS
from mmcv.cnn import ConvModule
from torch import nn


@MODELS.register_module()
class SlimResNet(ResNet):
    """ResNet (https://arxiv.org/abs/1512.03385) with its width as an argument; the blocks are upstream's.

    Args:
        base_channels: channels of the stem and the first stage; 64 is ResNet.
        kwargs: those of MMAction2's ResNet (``depth``, ``norm_eval``, ...).

    Input: float ``[N * T, 3, H, W]``. Output: ``[N * T, 8 * base_channels * expansion, H / 32, W / 32]``.
    """

    def __init__(self, base_channels: int = 64, **kwargs) -> None:
        with torch.device("meta"):  # the fixed-width layers are replaced below: give them no memory
            super().__init__(**kwargs)
        shared = dict(conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        self.conv1 = ConvModule(
            self.in_channels, base_channels, kernel_size=7, stride=2, padding=3, bias=False, **shared
        )
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        inplanes = base_channels
        for i, (name, blocks) in enumerate(zip(self.res_layers, self.stage_blocks, strict=True)):
            planes = base_channels * 2**i
            layer = make_res_layer(
                self.block,
                inplanes,
                planes,
                blocks,
                stride=self.strides[i],
                dilation=self.dilations[i],
                style=self.style,
                with_cp=self.with_cp,
                **shared,
            )
            setattr(self, name, layer)
            inplanes = planes * self.block.expansion
        self.feat_dim = inplanes
