"""Frames the right way up, as the display matrix of their file says."""

from __future__ import annotations

import struct

import av
import numpy as np
from av.sidedata.sidedata import Type

UPRIGHT = (1, 0, 0, 1)
ONE = 1 << 16  # the matrix is of fixed-point numbers


def orientation(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    """(a, b, c, d) of -1, 0, 1: a pixel at (x, y) is shown at (a x + c y, b x + d y), but for a shift.

    Raises ValueError for a matrix that is no quarter turn or mirror image.
    """
    data = next((side for side in frame.side_data if side.type == Type.DISPLAYMATRIX), None)  # type: ignore[attr-defined]  # PyAV says str
    if data is None:
        return UPRIGHT
    a, b, _, c, d, *_ = struct.unpack("<9i", bytes(data))  # type: ignore[arg-type]  # PyAV says str
    found = tuple(round(value / ONE) for value in (a, b, c, d))
    exact = all(abs(value / ONE - whole) < 0.01 for value, whole in zip((a, b, c, d), found, strict=True))
    if not exact or found not in _ALL:
        raise ValueError("its frames are to be shown turned, but not by quarter turns")
    return found


def upright(image: np.ndarray, shown: tuple[int, int, int, int]) -> np.ndarray:
    """An image [h, w, ...] as it is to be shown: a view of [h, w, ...] or, on its side, of [w, h, ...]."""
    a, b, c, d = shown
    if a == 0:
        image = image.swapaxes(0, 1)
    return image[:: b + d, :: a + c]


_ALL = {(a, 0, 0, d) for a in (1, -1) for d in (1, -1)} | {(0, b, c, 0) for b in (1, -1) for c in (1, -1)}
