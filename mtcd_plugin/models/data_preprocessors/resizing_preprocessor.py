"""Clips of the benchmark's size for networks of another one."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor

from mtcd_plugin.models.data_preprocessors.clip_data_preprocessor import ClipDataPreprocessor


@MODELS.register_module()
class ResizingPreprocessor(ClipDataPreprocessor):
    """:class:`ClipDataPreprocessor` on frames that are resized first, after the crop.

    Args:
        size: height and width of the network's input in pixels. Bilinear, without a filter, as OpenCV's default; at
            half of the size that is the mean of 2 x 2 pixels.
        kwargs: of :class:`ClipDataPreprocessor`.
    """

    def __init__(self, size: int, **kwargs) -> None:
        super().__init__(**kwargs)
        if not isinstance(size, int) or size < 1:
            raise ValueError(f"size={size!r} must be a whole number of pixels above 0")
        self.size = size

    def preprocess(self, clips: Sequence[Tensor] | Tensor, modality: str = "") -> Tensor:
        """One modality of a batch: see :class:`ClipDataPreprocessor` for shapes."""
        batch = clips if isinstance(clips, Tensor) else torch.stack(list(clips))
        if batch.shape[-2:] != (self.size, self.size):
            frames = batch.to(torch.float32).flatten(0, 3)[:, None]
            frames = F.interpolate(frames, (self.size, self.size), mode="bilinear", align_corners=False)
            batch = frames.view(*batch.shape[:-2], self.size, self.size)
        return super().preprocess(batch, modality)
