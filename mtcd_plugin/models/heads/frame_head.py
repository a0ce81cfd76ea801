"""A classifier of frames, whose probabilities are averaged over a clip."""

from __future__ import annotations

from mmaction.models.heads.base import BaseHead
from mmaction.registry import MODELS
from mmengine.model.weight_init import normal_init
from torch import Tensor, nn

from mtcd_plugin.models.heads.frame_scores import mean_probability
from mtcd_plugin.models.heads.projected_head import labels_of


@MODELS.register_module()
class FrameHead(BaseHead):
    """A linear layer on each frame's feature. ``loss_cls`` is the mean cross-entropy over frames; a clip's class
    probabilities are the mean of its frames'.

    Args:
        init_std: of the layer's weights.
        kwargs: of ``BaseHead`` (``num_classes``, ``in_channels``, ``average_clips``, ...).

    Input: ``[N, in_channels, T, 1, 1]``, or with H and W, over which the mean is taken.
    """

    def __init__(self, num_classes: int, in_channels: int, init_std: float = 0.01, **kwargs) -> None:
        super().__init__(num_classes, in_channels, **kwargs)
        self.init_std = init_std
        self.fc_cls = nn.Linear(in_channels, num_classes)

    def init_weights(self) -> None:
        """The layer starts from small values."""
        normal_init(self.fc_cls, std=self.init_std)

    def frame_scores(self, x: Tensor) -> Tensor:
        """Logits of each frame, ``[N, T, num_classes]``."""
        return self.fc_cls(x.mean(dim=(3, 4)).transpose(1, 2))

    def forward(self, x: Tensor, **kwargs) -> Tensor:
        """Scores of clips, ``[N, num_classes]``: logs of the mean probabilities."""
        return mean_probability(self.frame_scores(x))

    def loss(self, feats: Tensor, data_samples: list, **kwargs) -> dict[str, Tensor]:
        """See the class."""
        logits = self.frame_scores(feats)
        labels = labels_of(data_samples, logits.device)
        every = labels[:, None].expand(-1, logits.shape[1])
        correct = mean_probability(logits.detach()).argmax(dim=1) == labels
        return {
            "top1_acc": correct.float().mean(),
            "loss_cls": self.loss_cls(logits.flatten(0, 1), every.flatten()),
        }
