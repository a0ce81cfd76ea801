"""A recognizer that is trained on mixed clips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmaction.models.recognizers import Recognizer3D
from mmaction.registry import MODELS
from torch import Tensor

from mtcd_plugin.models.heads.projected_head import labels_of
from mtcd_plugin.models.losses.soft_targets import soft_targets
from mtcd_plugin.models.recognizers.mixing import mix_batch

if TYPE_CHECKING:
    from mmaction.utils import SampleList


@MODELS.register_module()
class MixingRecognizer3D(Recognizer3D):
    """:class:`Recognizer3D` whose batches are mixed by :func:`mix_batch` in training.

    The head's ``loss`` must take ``targets``, float ``[N, num_classes]``; they are smoothed by the head's
    ``label_smooth_eps``. Where memory makes a step go in parts, each part is mixed by itself.

    Args:
        mixing: ``shuffle_prob``, ``shuffle_alpha`` and ``mixup_alpha`` of :func:`mix_batch`; None mixes nothing.
        kwargs: of :class:`Recognizer3D`.
    """

    def __init__(self, mixing: dict[str, float] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mixing = mixing

    def loss(self, inputs: Tensor, data_samples: SampleList, **kwargs: Any) -> dict[str, Tensor]:
        """``inputs``: float ``[N, 1, C, T, H, W]``."""
        labels = labels_of(data_samples, inputs.device)
        targets = soft_targets(labels, self.cls_head.num_classes, self.cls_head.label_smooth_eps)
        if self.mixing is not None:
            inputs, targets = mix_batch(inputs, targets, **self.mixing)
        features, _ = self.extract_feat(inputs, data_samples=data_samples)
        return self.cls_head.loss(features, data_samples, targets=targets)
