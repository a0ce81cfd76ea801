"""VGG16 with a recurrent fc6, the network of PreRNN."""

from __future__ import annotations

from mmaction.registry import MODELS
from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mtcd_plugin.models.backbones.prernn_cells import CELLS, RecurrentLinear

STAGES = ((1, 2), (2, 2), (4, 3), (8, 3), (8, 3))  # VGG16: channels in multiples of the first's, and convolutions


@MODELS.register_module()
class PreRNNVGG(BaseModule):
    """VGG16 on each frame, its first fully connected layer made recurrent (PreRNN, CVPR 2018).

    Convolutions, the mean over a grid of ``pool_size`` x ``pool_size``, the recurrent fc6 (:class:`RecurrentLinear`)
    over the frames, and fc7 (ReLU, dropout). fc6 has its own non-linearity; with ``cell='rnn'`` and no recurrence it is
    VGG16.

    Args:
        base_channels: channels of the first stage; 64 is VGG16.
        fc_channels: of fc6 and fc7; 4096 is VGG16.
        pool_size: side of the grid that fc6 sees; 7 is VGG16.
        stem_stride: of the first convolution; 1 is VGG16. Poolings of maps with an odd side round up.
        cell: of fc6: ``rnn``, ``lstm`` or ``gru``; all gates share the pretrained layer (single input-to-hidden, SIH).
        dropout_ratio: after fc7, and before it.
        norm_cfg: of the convolutions; None, as VGG16, is hard to train from scratch.
        pretrained: file of weights, for the way that MMAction2's backbones name it.
        with_cp: recompute each stage in the backward pass, for memory.

    Weights have torchvision's order and, but for fc6 and fc7 (``classifier.0`` and ``.3`` there), its names.

    Input: float ``[N, 3, T, H, W]``. Output: a feature of each frame, ``[N, fc_channels, T, 1, 1]``.
    """

    def __init__(
        self,
        base_channels: int = 64,
        fc_channels: int = 4096,
        pool_size: int = 7,
        stem_stride: int = 1,
        cell: str = "gru",
        dropout_ratio: float = 0.5,
        norm_cfg: dict | None = None,
        pretrained: str | None = None,
        with_cp: bool = False,
        init_cfg: dict | list | None = None,
    ) -> None:
        if init_cfg is None:
            init_cfg = [{"type": "Kaiming", "layer": "Conv2d"}, {"type": "Constant", "layer": "BatchNorm2d", "val": 1}]
        super().__init__(init_cfg=init_cfg)
        if cell not in CELLS:
            raise ValueError(f"cell={cell!r} is unknown; choose from {', '.join(CELLS)}")
        self.pretrained = pretrained
        self.with_cp = with_cp
        layers: list[nn.Module] = []
        self.stages: list[int] = []  # where each stage ends
        before = 3
        for multiple, convolutions in STAGES:
            for _ in range(convolutions):
                channels = multiple * base_channels
                layers.append(nn.Conv2d(before, channels, 3, padding=1, stride=1 if layers else stem_stride))
                if norm_cfg:
                    layers.append(build_norm_layer(norm_cfg, channels)[1])
                layers.append(nn.ReLU(inplace=True))
                before = channels
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
            self.stages.append(len(layers))
        self.features = nn.Sequential(*layers)
        self.avg_pool = nn.AdaptiveAvgPool2d(pool_size)
        self.fc6 = RecurrentLinear(before * pool_size**2, fc_channels, cell)
        self.dropout = nn.Dropout(dropout_ratio)
        self.fc7 = nn.Sequential(nn.Linear(fc_channels, fc_channels), nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        """Frames' features; see the class for shapes."""
        clips, _, length = x.shape[:3]
        frames = x.transpose(1, 2).flatten(0, 1)
        start = 0
        for end in self.stages:
            stage = self.features[start:end]
            if self.with_cp and self.training:
                frames = checkpoint(stage, frames, use_reentrant=False)
            else:
                frames = stage(frames)
            start = end
        frames = self.avg_pool(frames).flatten(1).view(clips, length, -1)
        states = self.dropout(self.fc6(frames))
        features = self.dropout(self.fc7(states))
        return features.transpose(1, 2)[..., None, None]
