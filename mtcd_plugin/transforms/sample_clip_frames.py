"""Which frames of a clip to use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from mtcd_plugin.formats.clips import Stream
from mtcd_plugin.formats.sampling import Timeline, align, pick_frames, uniform_times
from mtcd_plugin.formats.time_stamps import window_times
from mtcd_plugin.transforms.load_modalities import ClipError


@TRANSFORMS.register_module()
class SampleClipFrames(BaseTransform):
    """Draw instants uniformly over the clip; colour takes its nearest frames, every other stream those nearest to them.

    The span that all streams cover is cut into ``clip_len`` equal segments; training takes a random instant of
    each, testing its centre. MMAction2's UniformSample does the same by frame index, for one stream. Frames have
    the time stamps of the streams' logs or files (``formats.sampling.align``).

    Args:
        clip_len: frames per clip; None takes every frame of the colour stream (of the first one where there is
            no colour).
        test_mode: take centres.

    Required keys: ``streams``; optional ``clip_id``, ``frame_times`` (modality -> ``window_times`` of its stream,
    where a store has kept them; others are read from the video).
    Added keys: ``frame_inds`` (modality -> positions in the stream's window, int64 [clip_len]), ``clock`` ("log",
    "file" or "fps": what the streams were matched by), ``clip_len``, ``num_clips``.

    Raises:
        ClipError: a video's time stamps cannot be read.
    """

    def __init__(self, clip_len: int | None = 32, test_mode: bool = False) -> None:
        if clip_len is not None and clip_len < 1:
            raise ValueError(f"SampleClipFrames: clip_len={clip_len} must be at least 1, or None for all frames")
        self.clip_len = clip_len
        self.test_mode = test_mode

    def transform(self, results: dict) -> dict:
        timeline = timeline_of(results, results["streams"])
        times = None
        if self.clip_len is not None:
            times = uniform_times(self.clip_len, timeline.window, None if self.test_mode else np.random)
        results["frame_inds"] = pick_frames(timeline.stamps, times)
        results["clock"] = timeline.clock
        results["clip_len"] = len(next(iter(results["frame_inds"].values())))
        results["num_clips"] = 1
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(clip_len={self.clip_len}, test_mode={self.test_mode})"


def timeline_of(results: dict, streams: Mapping[str, Stream]) -> Timeline:
    """The common time axis of a sample's streams; see :class:`SampleClipFrames` for keys and errors."""
    return align(streams, lambda name: _file_times(results, name, streams[name]))


def _file_times(results: dict, name: str, stream: Stream) -> Sequence[float] | None:
    known = results.get("frame_times", {})
    if name in known:
        return known[name]
    try:
        return window_times(stream)
    except (OSError, ValueError) as error:
        raise ClipError(f"clip {results.get('clip_id', '')}, {name}: {error}") from error
