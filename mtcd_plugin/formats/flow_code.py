"""How optical flow is kept in clip stores: two channels of eight bits."""

from __future__ import annotations

import numpy as np

NO_MOTION = 128


def encode_flow(flow: np.ndarray, bound: float) -> np.ndarray:
    """Motion in pixels, float [..., 2] -> uint8: 128 is none, 1 and 255 are -``bound`` and +``bound``; more is
    clipped. A step is ``bound`` / 127 pixels.
    """
    steps = np.rint(flow * (127 / bound))
    return (np.clip(steps, -127, 127) + NO_MOTION).astype(np.uint8)


def decode_flow(code: np.ndarray, bound: float) -> np.ndarray:
    """The inverse, float32 [..., 2] in pixels, to half a step."""
    return (code.astype(np.float32) - NO_MOTION) * (bound / 127)
