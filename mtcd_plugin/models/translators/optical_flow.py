"""Optical flow of RGB clips, as a rendering."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModel
from torch import Tensor

from mtcd_plugin.formats.flow_code import encode_flow
from mtcd_plugin.models.translators.base import frames_of
from mtcd_plugin.models.translators.low_light_enhance import check_enhancement, low_light_enhance

if TYPE_CHECKING:
    from mmaction.utils import OptSampleList

PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}


@MODELS.register_module()
class OpticalFlow(BaseModel):
    """Motion from each frame to the next, by dense inverse search (DIS, Kroeger et al., ECCV 2016) of OpenCV.

    It has no weights and is for tests only, with ``FlowStore``.

    Args:
        bound: motion in pixels of the frames as they come that is still told apart; more is clipped. 20 is usual for
            256 pixels (TSN); give a part of it for smaller frames.
        preset: ``ultrafast``, ``fast`` or ``medium``.
        pre_enhance: brightening of the clip before, see :func:`low_light_enhance`.
    """

    def __init__(
        self,
        bound: float = 20.0,
        preset: str = "medium",
        pre_enhance: str = "none",
        data_preprocessor: dict | None = None,
        init_cfg=None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        if not bound > 0:
            raise ValueError(f"OpticalFlow: bound={bound} must be a number of pixels above 0")
        if preset not in PRESETS:
            raise ValueError(f"OpticalFlow: preset={preset!r} is unknown; choose from {', '.join(PRESETS)}")
        self.bound = bound
        self.preset = preset
        self.pre_enhance = check_enhancement(pre_enhance)

    def forward(self, inputs, data_samples: OptSampleList = None, mode: str = "predict"):
        """RGB clips, uint8 [1, 3, T, H, W] each, as a list or stacked. ``predict``: each data sample gets ``flow``,
        uint8 [1, 2, T, H, W]: the motion x and y from frame t to t + 1, by :func:`encode_flow`; the last frame has
        that of the one before it. ``tensor``: the list of them.
        """
        clips = inputs["rgb"] if isinstance(inputs, dict) else inputs
        rendered = [self._render(clip) for clip in clips]
        if mode == "tensor":
            return rendered
        if mode != "predict":
            raise RuntimeError(f'Invalid mode "{mode}". OpticalFlow supports predict and tensor')
        for sample, clip in zip(data_samples, rendered, strict=True):
            sample.set_field(clip, "flow", dtype=Tensor)
        return data_samples

    def _render(self, clip: Tensor) -> Tensor:
        frames = low_light_enhance(frames_of(clip[None]), self.pre_enhance)[0]  # [T, 3, H, W] in 0..1
        images = (frames * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        code = encode_flow(optical_flow(images, self.preset), self.bound)
        return torch.from_numpy(code).permute(3, 0, 1, 2)[None]


def optical_flow(images: np.ndarray, preset: str = "medium") -> np.ndarray:
    """RGB frames, uint8 [T, H, W, 3] -> motion x, y from each frame to the next in pixels, float32 [T, H, W, 2]. The
    last frame has that of the one before it; a single frame has none.
    """
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in images]
    out = np.zeros((*images.shape[:3], 2), np.float32)
    dis = cv2.DISOpticalFlow.create(PRESETS[preset])
    for t, (frame, following) in enumerate(zip(grey, grey[1:], strict=False)):
        out[t] = dis.calc(frame, following, None)  # type: ignore[call-overload]  # None: no first guess
    if len(images) > 1:
        out[-1] = out[-2]
    return out
