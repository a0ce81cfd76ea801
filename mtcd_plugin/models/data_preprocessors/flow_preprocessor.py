"""Stacks of optical flow as channels."""

from __future__ import annotations

from collections.abc import Sequence

from mmaction.registry import MODELS
from torch import Tensor

from mtcd_plugin.models.data_preprocessors.clip_data_preprocessor import ClipDataPreprocessor


@MODELS.register_module()
class FlowPreprocessor(ClipDataPreprocessor):
    """:class:`ClipDataPreprocessor` of stacks of optical flow (``ConsecutiveFrames``).

    Args:
        consecutive: frames in a stack.
        kwargs: of :class:`ClipDataPreprocessor`.

    Input ``inputs``: as there, with C = 2 and ``consecutive`` * T frames, stack after stack. Output: as there, with
    T frames of 2 * ``consecutive`` channels in the order x, y of the first frame of a stack, x, y of the second, ...
    """

    def __init__(self, consecutive: int = 5, **kwargs) -> None:
        super().__init__(**kwargs)
        self.consecutive = consecutive

    def preprocess(self, clips: Sequence[Tensor] | Tensor, modality: str = "") -> Tensor:
        """One modality of a batch: see the class for shapes. ValueError for frames that are no whole stacks."""
        return super().preprocess([self._stacked(clip) for clip in clips], modality)

    def _stacked(self, clip: Tensor) -> Tensor:
        views, channels, frames, height, width = clip.shape
        if channels != 2 or frames % self.consecutive:
            raise ValueError(
                f"FlowPreprocessor: {frames} frames of {channels} channels are no stacks of {self.consecutive} frames "
                "of 2; ConsecutiveFrames of the pipeline has the same consecutive"
            )
        stacks = clip.reshape(views, 2, frames // self.consecutive, self.consecutive, height, width)
        return stacks.permute(0, 3, 1, 2, 4, 5).flatten(1, 2)
