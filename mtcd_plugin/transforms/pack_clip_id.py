"""Data samples of clips whose frames nobody looks at."""

from __future__ import annotations

import numpy as np
from mmaction.registry import TRANSFORMS

from mtcd_plugin.transforms.pack_clip import PackClip


@TRANSFORMS.register_module()
class PackClipId(PackClip):
    """As :class:`PackClip`, but without frames: a whole pipeline for models that know a clip by its id.

    Required keys: ``label clip_id subject``. ``inputs`` is one black pixel, uint8 [1, 1, 1, 1, 1].
    """

    def transform(self, results: dict) -> dict:
        pixel = {"pixel": [np.zeros((1, 1, 1), np.uint8)], "modality_slices": {"pixel": (0, 1)}, "num_crops": 1}
        return super().transform({**results, **pixel})
