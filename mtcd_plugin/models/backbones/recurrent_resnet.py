"""A 2D ResNet on each frame and a recurrent layer over the frames."""

from __future__ import annotations

from mmaction.registry import MODELS
from torch import Tensor, nn

from mtcd_plugin.models.backbones.slim_resnet import SlimResNet


@MODELS.register_module()
class RecurrentResNet(SlimResNet):
    """ResNet on each frame, the mean over its map, a GRU over the frames: our own design for GPM.

    The GRU belongs to the backbone, not to the head, so that starting weights of it know the order of frames. A frame's
    feature depends on no later frame.

    Args:
        hidden_channels: of the GRU.
        dropout_ratio: of frames' features before the GRU.
        kwargs: those of :class:`SlimResNet` (``depth``, ``base_channels``, ``norm_eval``, ...).

    Weights have ResNet's names, then ``gru.*``: a file of ResNet alone leaves the GRU as PyTorch initialises it.

    Input: float ``[N, 3, T, H, W]``. Output: a feature of each frame, ``[N, hidden_channels, T, 1, 1]``.
    """

    def __init__(self, hidden_channels: int = 512, dropout_ratio: float = 0.5, **kwargs) -> None:
        super().__init__(**kwargs)
        self.dropout = nn.Dropout(dropout_ratio)
        self.gru = nn.GRU(self.feat_dim, hidden_channels, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """Frames' features; see the class for shapes."""
        clips, _, length = x.shape[:3]
        maps = super().forward(x.transpose(1, 2).flatten(0, 1))
        states, _ = self.gru(self.dropout(maps.mean(dim=(2, 3)).view(clips, length, -1)))
        return states.transpose(1, 2)[..., None, None]
