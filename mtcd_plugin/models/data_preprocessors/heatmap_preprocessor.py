"""Clips with heat maps to be learned beside them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmaction.registry import MODELS
from torch import Tensor

from mtcd_plugin.models.data_preprocessors.clip_data_preprocessor import ClipDataPreprocessor
from mtcd_plugin.transforms.load_key_points import HEATMAP


@MODELS.register_module()
class HeatmapPreprocessor(ClipDataPreprocessor):
    """:class:`ClipDataPreprocessor`; what is called ``heatmap`` becomes float [N, V, 1, T, H, W] in 0..1."""

    def preprocess(self, clips: Sequence[Tensor] | Tensor, modality: str = "") -> Tensor:
        """One modality of a batch, or its heat maps."""
        if modality != HEATMAP:
            return super().preprocess(clips, modality)
        batch = clips if isinstance(clips, Tensor) else torch.stack(list(clips))
        return batch.to(torch.float32) / 255
