"""Which frames of a clip to use."""

from __future__ import annotations

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from mtcd_plugin.formats.sampling import align, nearest_indices, uniform_times


@TRANSFORMS.register_module()
class SampleClipFrames(BaseTransform):
    """Draw instants that all streams share, uniformly over the clip, and take the nearest frame of each stream.

    The span that all streams cover is cut into ``clip_len`` equal segments; training takes a random instant of
    each, testing its centre. MMAction2's UniformSample does the same by frame index, for one stream.

    Args:
        clip_len: frames per clip; None takes every frame of the first modality.
        test_mode: take centres.

    Required keys: ``streams``.
    Added keys: ``frame_inds`` (modality -> positions in the stream's window, int64 [clip_len]), ``clock`` ("log"
    or "fps": what the streams were matched by), ``clip_len``, ``num_clips``.
    """

    def __init__(self, clip_len: int | None = 32, test_mode: bool = False) -> None:
        if clip_len is not None and clip_len < 1:
            raise ValueError(
                f"SampleClipFrames: clip_len={clip_len} must be at least 1, or None for all frames"
            )
        self.clip_len = clip_len
        self.test_mode = test_mode

    def transform(self, results: dict) -> dict:
        timeline = align(results["streams"])
        if self.clip_len is None:
            times = next(iter(timeline.stamps.values()))
        else:
            times = uniform_times(self.clip_len, timeline.window, None if self.test_mode else np.random)
        results["frame_inds"] = {
            name: nearest_indices(stamps, times) for name, stamps in timeline.stamps.items()
        }
        results["clock"] = timeline.clock
        results["clip_len"] = len(times)
        results["num_clips"] = 1
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(clip_len={self.clip_len}, test_mode={self.test_mode})"
