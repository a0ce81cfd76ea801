"""C3D at any width: MMAction2's has its 64 to 512 channels and 4096 units written in."""

from __future__ import annotations

import torch
from mmaction.models.backbones import C3D
from mmaction.registry import MODELS
from mmcv.cnn import ConvModule
from torch import nn

# Layer -> its input and output channels, in multiples of ``base_channels`` (None: the clip's 3).
WIDTHS = {
    "conv1a": (None, 1),
    "conv2a": (1, 2),
    "conv3a": (2, 4),
    "conv3b": (4, 4),
    "conv4a": (4, 8),
    "conv4b": (8, 8),
    "conv5a": (8, 8),
    "conv5b": (8, 8),
}


@MODELS.register_module()
class SlimC3D(C3D):
    """C3D (https://arxiv.org/abs/1412.0767) with its widths as arguments; the layers are otherwise upstream's.

    Args:
        base_channels: channels of the first layer; 64 is C3D.
        fc_channels: units of fc6 and fc7, so the channels of the feature; 4096 is C3D.
        out_dim: input features of fc6, i.e. ``8 * base_channels * T' * H' * W'`` after the last pooling.
        stem_stride: spatial stride of the first layer; 1 is C3D.
        kwargs: those of C3D (``norm_cfg``, ``dropout_ratio``, ...).

    Input: float ``[N, 3, T, H, W]``. Output: ``[N, fc_channels]``.
    """

    def __init__(
        self, base_channels: int = 64, fc_channels: int = 4096, out_dim: int = 8192, stem_stride: int = 1, **kwargs
    ) -> None:
        with torch.device("meta"):  # the fixed-width layers are replaced below: give them no memory
            super().__init__(out_dim=out_dim, **kwargs)
        for name, (before, after) in WIDTHS.items():
            conv = ConvModule(
                3 if before is None else before * base_channels,
                after * base_channels,
                kernel_size=(3, 3, 3),
                stride=(1, stem_stride, stem_stride) if before is None else 1,
                padding=(1, 1, 1),
                conv_cfg=self.conv_cfg,
                norm_cfg=self.norm_cfg,
                act_cfg=self.act_cfg,
            )
            setattr(self, name, conv)
        self.fc6 = nn.Linear(out_dim, fc_channels)
        self.fc7 = nn.Linear(fc_channels, fc_channels)
