"""Several frames in a row at each of the sampled instants."""

from __future__ import annotations

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform


@TRANSFORMS.register_module()
class ConsecutiveFrames(BaseTransform):
    """Take, in the place of each sampled frame, that frame and those after it: the stacks of optical flow of two-stream
    networks (Simonyan and Zisserman, NeurIPS 2014; TSN has 5 in a stack).

    It follows ``SampleClipFrames``. At the end of a clip a stack begins earlier, so that it lies within the clip; a
    clip shorter than a stack repeats its last frame.

    Args:
        consecutive: frames in a stack.

    Required keys: ``frame_inds streams clip_len``. Modified keys: ``frame_inds`` and ``clip_len``, whose frames are
    ``consecutive`` times as many, stack after stack.
    """

    def __init__(self, consecutive: int = 5) -> None:
        if consecutive < 1:
            raise ValueError(f"ConsecutiveFrames: consecutive={consecutive} must be at least 1")
        self.consecutive = consecutive

    def transform(self, results: dict) -> dict:
        steps = np.arange(self.consecutive)
        for name, positions in results["frame_inds"].items():
            count = results["streams"][name].frames
            starts = np.clip(positions, 0, max(count - self.consecutive, 0))
            results["frame_inds"][name] = np.minimum(starts[:, None] + steps, count - 1).ravel()
        results["clip_len"] *= self.consecutive
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(consecutive={self.consecutive})"
