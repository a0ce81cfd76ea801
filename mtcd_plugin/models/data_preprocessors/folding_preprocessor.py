"""Several frames in the channels of one, for networks that embed frame by frame."""

from __future__ import annotations

from collections.abc import Sequence

from mmaction.registry import MODELS
from torch import Tensor

from mtcd_plugin.models.data_preprocessors.clip_data_preprocessor import ClipDataPreprocessor


@MODELS.register_module()
class FoldingPreprocessor(ClipDataPreprocessor):
    """:class:`ClipDataPreprocessor` whose output has a number of consecutive frames in the channels of one.

    A linear embedding of patches is then one of cuboids: the tubelets of `ViViT <https://arxiv.org/abs/2103.15691>`_,
    section 3.2.

    Args:
        frames: so many become one: ``[N, V, 3, T, H, W]`` is ``[N, V, frames * 3, T / frames, H, W]``, channels of the
            first frame first. A clip of another number of frames than a multiple is a ValueError.
        kwargs: of :class:`ClipDataPreprocessor`, but ``format_shape``, which is ``'NCTHW'``.
    """

    def __init__(self, frames: int, **kwargs) -> None:
        super().__init__(**kwargs)
        if not isinstance(frames, int) or frames < 1:
            raise ValueError(f"frames={frames!r} must be a whole number above 0")
        if self.format_shape != "NCTHW":
            raise ValueError(f"format_shape={self.format_shape!r} has no time to fold; use 'NCTHW'")
        self.frames = frames

    def preprocess(self, clips: Sequence[Tensor] | Tensor, modality: str = "") -> Tensor:
        """One modality of a batch: see the class for shapes."""
        batch = super().preprocess(clips, modality)
        n, v, c, t, h, w = batch.shape
        if t % self.frames:
            raise ValueError(f"a clip of {t} frames cannot be folded by {self.frames}; give a multiple, by clip_len")
        folded = batch.view(n, v, c, t // self.frames, self.frames, h, w).permute(0, 1, 4, 2, 3, 5, 6)
        return folded.reshape(n, v, self.frames * c, t // self.frames, h, w)
