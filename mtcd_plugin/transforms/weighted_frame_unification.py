"""More frames where more moves."""

from __future__ import annotations

import cv2
import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from mtcd_plugin.formats.sampling import nearest_indices, uniform_times


@TRANSFORMS.register_module()
class WeightedFrameUnification(BaseTransform):
    """Keep ``clip_len`` of a clip's frames, at equal steps of the motion up to them (ResC3D, ICCVW 2017).

    From frame to frame the motion is the mean absolute difference of their grey levels (the paper: the magnitude of
    optical flow), and ``floor`` times its mean over the clip besides, so that a pause keeps some frames. The sum of
    it over the clip is cut into ``clip_len`` equal segments; training takes a random place of each, testing its
    centre, and the frame nearest to it. Where the motion is even these are the frames of ``SampleClipFrames``.

    It follows ``SampleClipFrames(clip_len=None)`` and ``LoadModalities``. With several modalities the motion of the
    first one says which instants all of them keep.

    Args:
        clip_len: frames to keep; a shorter clip repeats some.
        test_mode: take centres.
        floor: share of the mean motion that is added everywhere; the higher, the more even the frames.

    Required keys: ``imgs modality_slices frame_inds``.
    Modified keys: those, and ``clip_len``.
    """

    def __init__(self, clip_len: int = 32, test_mode: bool = False, floor: float = 0.1) -> None:
        if clip_len < 1:
            raise ValueError(f"WeightedFrameUnification: clip_len={clip_len} must be at least 1")
        if not floor > 0:
            raise ValueError(f"WeightedFrameUnification: floor={floor} must be above 0")
        self.clip_len = clip_len
        self.test_mode = test_mode
        self.floor = floor

    def transform(self, results: dict) -> dict:
        images, slices = results["imgs"], results["modality_slices"]
        first, end = next(iter(slices.values()))
        travelled = cumulative_motion(images[first:end], self.floor)
        places = uniform_times(self.clip_len, (0.0, travelled[-1]), None if self.test_mode else np.random)
        taken = nearest_indices(travelled, places)
        # copies, since a frame may be there twice and stock transforms write into theirs
        results["imgs"] = [images[start + i].copy() for start, _ in slices.values() for i in taken]
        results["modality_slices"] = {
            name: (n * self.clip_len, (n + 1) * self.clip_len) for n, name in enumerate(slices)
        }
        results["frame_inds"] = {name: positions[taken] for name, positions in results["frame_inds"].items()}
        results["clip_len"] = self.clip_len
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(clip_len={self.clip_len}, test_mode={self.test_mode}, floor={self.floor})"


def cumulative_motion(frames: list[np.ndarray], floor: float) -> np.ndarray:
    """How much has moved up to each frame, float64 [frames], from 0 on and increasing.

    Args:
        frames: uint8 [h, w, 3 or 1]. floor: see :class:`WeightedFrameUnification`. A still clip moves evenly.
    """
    grey = [cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) if f.shape[2] == 3 else f[..., 0] for f in frames]
    motion = np.array([cv2.absdiff(a, b).mean() for a, b in zip(grey, grey[1:], strict=False)])
    if not motion.any():
        motion = np.ones(len(frames) - 1)
    return np.concatenate([[0.0], np.cumsum(motion + floor * motion.mean())]) if len(motion) else np.zeros(1)
