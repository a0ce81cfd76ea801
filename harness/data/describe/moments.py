"""A few moments of a clip as small frames, for people to look at."""

from __future__ import annotations

import numpy as np

from mtcd_plugin.formats.clips import Stream
from mtcd_plugin.formats.video import read_frames

MOMENTS = (0.15, 0.4, 0.6, 0.85)  # of the clip's length
THUMB = (96, 72)  # width, height
MARGIN = 2
BACKGROUND = 250
BRIGHTENED = "rgb, brightened"  # stands beside dark frames, which are black to the eye


def shown_as(modality: str, lighting: str) -> tuple[str, ...]:
    """What is shown of a modality: frames of dark colour also brightened."""
    return (modality, BRIGHTENED) if modality == "rgb" and lighting == "dark" else (modality,)


def read_moments(path: str, stream: Stream, gray: bool) -> np.ndarray:
    """The moments of a stream whose file lies at ``path``: uint8 [len(MOMENTS), height, width, 3].

    Raises what ``read_frames`` does.
    """
    numbers = [min(stream.start + int(t * stream.frames), stream.end - 1) for t in MOMENTS]
    frames = read_frames(path, numbers, THUMB, gray)
    return np.repeat(frames, 3, axis=3) if gray else frames


def brightened(frames: np.ndarray) -> np.ndarray:
    """Frames uint8, all with one gain: 99 % of their values fit."""
    top = np.quantile(frames, 0.99) if frames.size else 255.0
    return (frames * (255.0 / max(float(top), 1.0))).clip(0, 255).astype(np.uint8)


def strip_width(frames: int = len(MOMENTS)) -> int:
    """Of ``strip``, in pixels."""
    return frames * (THUMB[0] + MARGIN) - MARGIN


def strip(frames: np.ndarray) -> np.ndarray:
    """Frames [n, height, width, 3] side by side: uint8 [height, ``strip_width(n)``, 3]."""
    image = np.full((THUMB[1], strip_width(len(frames)), 3), BACKGROUND, np.uint8)
    for k, frame in enumerate(frames):
        left = k * (THUMB[0] + MARGIN)
        image[:, left : left + THUMB[0]] = frame
    return image
