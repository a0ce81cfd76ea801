"""ResNet-18 with dropout inside its blocks, frame by frame (D'Eusanio et al., 3DV 2020)."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn


class DropoutBlock(nn.Module):
    """ResNet's basic block with dropout of whole channels: after its first ReLU, after its last one, and before the sum
    where the shortcut has weights of its own.
    """

    def __init__(self, in_channels: int, channels: int, stride: int, dropout_ratio: float) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or in_channels != channels:
            shortcut = nn.Conv2d(in_channels, channels, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(channels))
        self.dropout = nn.Dropout2d(dropout_ratio)

    def forward(self, x: Tensor) -> Tensor:
        out = self.dropout(F.relu(self.bn1(self.conv1(x))))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            out, x = self.dropout(out), self.downsample(x)
        return self.dropout(F.relu(out + x))


@MODELS.register_module()
class DropoutResNet18(BaseModule):
    """ResNet-18 (https://arxiv.org/abs/1512.03385) without its class layer, of :class:`DropoutBlock`. Its weights are
    called as torchvision's.

    Args:
        in_channels: 3, or 1 for depth: then the first of the three equal channels of a grey frame is taken.
        base_channels: channels of the first layer; 64 is ResNet-18.
        dropout_ratio: of whole channels.
        init_cfg: see MMEngine's BaseModule.

    Input: float ``[N * T, 3, H, W]``. Output: ``[N * T, 8 * base_channels, H / 32, W / 32]``, rounded up.
    """

    def __init__(
        self,
        in_channels: int = 3,
        base_channels: int = 64,
        dropout_ratio: float = 0.1,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.in_channels = in_channels
        self.conv1 = nn.Conv2d(in_channels, base_channels, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(base_channels)
        channels = base_channels
        for i in range(4):
            before, channels = channels, base_channels * 2**i
            first = DropoutBlock(before, channels, 1 if i == 0 else 2, dropout_ratio)
            self.add_module(f"layer{i + 1}", nn.Sequential(first, DropoutBlock(channels, channels, 1, dropout_ratio)))
        self.feat_dim = channels
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x[:, : self.in_channels])))
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))
