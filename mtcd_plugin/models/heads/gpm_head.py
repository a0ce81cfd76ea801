"""A head that knows how far a gesture is."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from mmaction.models.heads.base import BaseHead
from mmaction.registry import MODELS
from mmengine.model.weight_init import normal_init
from torch import Tensor, nn

from mtcd_plugin.models.heads.frame_scores import mean_probability
from mtcd_plugin.models.heads.projected_head import labels_of


@MODELS.register_module()
class GPMHead(BaseHead):
    """Gesture and progress of each frame, after GPM (3DV 2019, https://arxiv.org/abs/1909.06672).

    The paper's idea, recognition frame by frame and a model of how far the gesture is, trained together; sizes and
    losses are our own design. Two layers on each frame's feature: the gesture or "no gesture" (the last class), and the
    progress (a sigmoid).

    Args:
        num_classes: gestures, without "no gesture".
        in_channels: of a frame's feature.
        progress_weight: of ``loss_progress``.
        progress_beta: where the smooth L1 loss of progress turns from square to linear.
        init_std: of both layers' weights.

    ``loss_cls`` is the mean cross-entropy over all frames, ``loss_progress`` the smooth L1 loss over frames within the
    gesture. Targets come from the samples' ``progress`` (``GestureProgress``); a sample without one is all gesture, its
    frames at the centres of equal segments. A clip's probabilities are the mean of its frames', without "no gesture".

    Input: ``[N, in_channels, T, 1, 1]`` of a backbone that knows earlier frames, as :class:`RecurrentResNet` does.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        progress_weight: float = 1.0,
        progress_beta: float = 0.1,
        init_std: float = 0.01,
        **kwargs,
    ) -> None:
        super().__init__(num_classes, in_channels, **kwargs)
        self.progress_weight = progress_weight
        self.progress_beta = progress_beta
        self.init_std = init_std
        self.fc_cls = nn.Linear(in_channels, num_classes + 1)
        self.fc_progress = nn.Linear(in_channels, 1)

    def init_weights(self) -> None:
        """Both layers start from small values."""
        normal_init(self.fc_cls, std=self.init_std)
        normal_init(self.fc_progress, std=self.init_std)

    def frame_scores(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of each frame, ``[N, T, num_classes + 1]``, and its progress in 0..1, ``[N, T]``."""
        frames = x.mean(dim=(3, 4)).transpose(1, 2)
        return self.fc_cls(frames), self.fc_progress(frames).squeeze(2).sigmoid()

    def forward(self, x: Tensor, **kwargs) -> Tensor:
        """Scores of clips ``[N, num_classes]``; their softmax are the clip's probabilities."""
        logits, _ = self.frame_scores(x)
        return mean_probability(logits, self.num_classes)

    def loss(self, feats: Tensor, data_samples: list, **kwargs) -> dict[str, Tensor]:
        """See the class."""
        logits, progress = self.frame_scores(feats)
        wanted = progress_of(data_samples, logits.shape[1]).to(logits.device)
        inside = wanted.isfinite()
        labels = labels_of(data_samples, logits.device)
        classes = torch.where(inside, labels[:, None], self.num_classes)
        far = F.smooth_l1_loss(
            progress.float(), torch.where(inside, wanted, 0), beta=self.progress_beta, reduction="none"
        )
        scores = mean_probability(logits.detach(), self.num_classes)
        return {
            "top1_acc": (scores.argmax(dim=1) == labels).float().mean(),
            "loss_cls": self.loss_cls(logits.flatten(0, 1), classes.flatten()),
            "loss_progress": self.progress_weight * (far * inside).sum() / inside.sum().clamp_min(1),
        }


def progress_of(data_samples: list, frames: int) -> Tensor:
    """Progress of each sample's frames, float32 ``[N, frames]``, NaN outside the gesture.

    Raises ValueError for a sample whose ``progress`` is of another number of frames.
    """
    even = (np.arange(frames, dtype=np.float32) + 0.5) / frames
    rows = [np.asarray(sample.metainfo.get("progress", even), np.float32) for sample in data_samples]
    for sample, row in zip(data_samples, rows, strict=True):
        if row.shape != (frames,):
            raise ValueError(
                f"clip {sample.metainfo.get('clip_id', '')}: progress of shape {list(row.shape)} for {frames} frames; "
                "GPMHead reads one view, and GestureProgress follows the last choice of frames"
            )
    return torch.from_numpy(np.stack(rows))
