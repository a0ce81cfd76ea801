"""How far a gesture is in each of the sampled frames."""

from __future__ import annotations

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from mtcd_plugin.transforms.sample_clip_frames import timeline_of


@TRANSFORMS.register_module()
class GestureProgress(BaseTransform):
    """Say for each sampled frame how much of the gesture is over, from 0 to 1, as GPM (3DV 2019) learns it.

    It follows ``SampleClipFrames``. Frames are compared with the gesture's spans by time, so that the spans, which are
    in frames of the colour video, hold for frames of any stream. A clip without spans is all gesture.

    Required keys: ``streams frame_inds``; optional ``spans span_stream``, and those of ``SampleClipFrames``.
    Added key: ``progress``, float32 [clip_len]: 0..1 within a span, NaN outside of all of them.
    """

    def transform(self, results: dict) -> dict:
        streams = results["streams"]
        stream, positions = next(iter(results["frame_inds"].items()))
        if not results.get("spans"):
            timeline = timeline_of(results, streams)
            own = timeline.stamps[stream]
            spans = [(float(own[0]), float(own[-1]))]
        else:
            colour = results["span_stream"]
            timeline = timeline_of(results, {**streams, "rgb": colour})
            spans = [
                (
                    seconds_of(first - colour.start, timeline.stamps["rgb"], colour.fps),
                    seconds_of(last - colour.start, timeline.stamps["rgb"], colour.fps),
                )
                for first, last in results["spans"]
            ]
        results["progress"] = progress(timeline.stamps[stream][positions], spans)
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def seconds_of(position: int, stamps: np.ndarray, fps: float) -> float:
    """When a frame was taken; frames beyond the window's ends, also negative ones, come 1 / ``fps`` apart."""
    inside = min(max(position, 0), len(stamps) - 1)
    return float(stamps[inside]) + (position - inside) / fps


def progress(times: np.ndarray, spans: list[tuple[float, float]]) -> np.ndarray:
    """For each time the share of its span that is over, NaN for a time in no span. float32, the shape of ``times``."""
    out = np.full(len(times), np.nan, np.float32)
    for start, end in spans:
        inside = (times >= start) & (times <= end)
        out[inside] = (times[inside] - start) / max(end - start, 1e-9)
    return out
