"""Res3D-18: a ResNet whose convolutions are all 3 x 3 x 3, the network of ResC3D."""

from __future__ import annotations

from mmaction.models.backbones.resnet3d import ResNet3d
from mmaction.registry import MODELS
from mmcv.cnn import ConvModule
from torch import Tensor


@MODELS.register_module()
class Res3D18(ResNet3d):
    """Res3D-18 (https://arxiv.org/abs/1708.05038), as published with C3D v1.1; ResC3D (ICCVW 2017) uses it.

    MMAction2's ResNet-18 without pooling and with every kernel 3 x 3 x 3, time halved with space from the second
    stage on, and one layer more: the shortcut of the first unit is a 1 x 1 x 1 convolution as well. The last map is
    averaged over space and keeps its steps in time.

    Args:
        base_channels: channels of the stem and the first stage; 64 is Res3D-18.
        in_channels: of the clip.
        kwargs: those of ResNet3d that leave the layers as they are (``frozen_stages``, ``norm_cfg``, ``norm_eval``,
            ``pretrained``, ``with_cp``).

    Input: float ``[N, in_channels, T, H, W]``. Output: ``[N, 8 * base_channels, T / 8, 1, 1]``; ``I3DHead`` with
    ``spatial_type=None`` flattens it channel by channel, with ``'avg'`` averages over time, too.
    """

    def __init__(self, base_channels: int = 64, in_channels: int = 3, **kwargs) -> None:
        super().__init__(
            depth=18,
            in_channels=in_channels,
            base_channels=base_channels,
            conv1_kernel=(3, 7, 7),
            temporal_strides=(1, 2, 2, 2),
            inflate=(1, 1, 1, 1),
            with_pool1=False,
            with_pool2=False,
            zero_init_residual=False,
            **kwargs,
        )
        self.layer1[0].downsample = ConvModule(
            base_channels,
            base_channels,
            kernel_size=1,
            bias=False,
            conv_cfg=self.conv_cfg,
            norm_cfg=self.norm_cfg,
            act_cfg=None,
        )

    def forward(self, x: Tensor) -> Tensor:
        """A clip's feature; see the class for shapes."""
        return super().forward(x).mean(dim=(3, 4), keepdim=True)
