"""When frames were taken: the time stamps that a container keeps, read without decoding.

Frame i is the i-th in the order of display, which is that of the stamps. AVI keeps none, only a rate and which
frames were dropped; raw streams keep nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from mtcd_plugin.formats.clips import Stream
from mtcd_plugin.formats.container import VideoError, open_video
from mtcd_plugin.formats.tables import FPS, LAST_FRAME

LONGEST_REPEAT = 5  # frames that a window may reach beyond the end of its file; the last one is repeated
STEADY = 0.1  # of a frame's period: stamps that are nowhere further from a constant rate are of that rate
NOMINAL = 0.001  # by which the rate in a header may differ from that of the stamps


class TimeStamps(NamedTuple):
    """What a container says of its frames' times.

    ``seconds``: since the first frame, float64 [frames], increasing; None where there are none to be used, and
    then ``problem`` says why. ``rate``: frames per second, 0 where unknown. ``kept``: seconds that are whole, though no
    data set may use them: of a rate that no camera has.
    """

    frames: int
    seconds: np.ndarray | None
    rate: float
    problem: str = ""
    kept: np.ndarray | None = None


def read_time_stamps(path: str) -> TimeStamps:  # noqa: C901  one check after the other
    """The time stamps of a file's video stream.

    Raises FileNotFoundError or VideoError. Nothing is decoded: a broken frame is not noticed here.
    """
    stamps: list[int | None] = []
    latest, goes_back = None, 0
    with open_video(path) as (container, stream):
        untimed = container.format.name == "avi"  # what FFmpeg gives as pts is a guess there
        for packet in container.demux(stream):
            if not packet.size or packet.is_discard:
                continue
            if packet.dts is not None:
                if latest is not None and packet.dts < latest:
                    goes_back = goes_back or len(stamps)
                latest = packet.dts
            known = packet.dts if untimed or packet.pts is None else packet.pts
            stamps.append(known)
            if len(stamps) > LAST_FRAME:
                raise VideoError(f"{path}: has more than {LAST_FRAME:,} frames; cut it into shorter files")
        unit = stream.time_base
        nominal = _believable(float(stream.average_rate or 0))
    count = len(stamps)
    if not count:
        raise VideoError(f"{path}: holds no frame")
    if None in stamps or unit is None:
        return TimeStamps(count, None, nominal, "its container keeps no time stamps")
    if goes_back:
        return TimeStamps(count, None, nominal, f"its time stamps go back at frame {goes_back}")
    ticks = np.sort(np.array(stamps, np.int64))
    if (np.diff(ticks) <= 0).any():
        return TimeStamps(count, None, nominal, "several of its frames have one time stamp")
    if count == 1:
        return TimeStamps(count, np.zeros(1), nominal)
    rate = float((count - 1) / (int(ticks[-1] - ticks[0]) * unit))
    seconds = (ticks - ticks[0]) * float(unit)
    if not _believable(rate):
        return TimeStamps(count, None, nominal, f"its time stamps say {rate:.3g} frames/s", seconds)
    if nominal and abs(nominal / rate - 1) < NOMINAL:
        rate = nominal
    return TimeStamps(count, seconds, rate)


def window_times(stream: Stream) -> tuple[float, ...] | None:
    """Times of a window's frames by their file, in seconds since its first one; None where they are i / ``fps``,
    or where the file has no time stamps to be used.

    Raises FileNotFoundError, or VideoError for a file that is no video or too short.
    """
    return _window_times(stream.path, stream.start, stream.end, stream.fps)


@lru_cache(maxsize=1 << 16)
def _window_times(path: str, start: int, end: int, fps: float) -> tuple[float, ...] | None:
    stamps = read_time_stamps(path)
    check_end(path, stamps.frames, end - 1)
    if stamps.seconds is None:
        return None
    times = cut_times(stamps.seconds, start, end, fps)
    return None if is_steady(times, fps) else tuple(times.tolist())


def cut_times(seconds: Sequence[float] | np.ndarray, start: int, end: int, fps: float) -> np.ndarray:
    """Times of frames [start, end) in seconds since the first of them, float64 [end - start]. Frames beyond the end of
    the file, at most ``LONGEST_REPEAT``, come 1 / ``fps`` apart.
    """
    repeated = seconds[-1] + np.arange(1, LONGEST_REPEAT + 1) / fps
    times = np.concatenate([seconds, repeated])[start:end]
    return times - times[0]


def is_steady(times: np.ndarray, fps: float) -> bool:
    """Whether times, the first of them 0, are those of a constant rate, to ``STEADY``."""
    return float(np.abs(times * fps - np.arange(len(times))).max()) <= STEADY


def check_end(path: str, frames: int, last: int) -> None:
    """VideoError where frame ``last`` is too far beyond the end of a file to be its last frame repeated."""
    if last >= frames + LONGEST_REPEAT:
        raise VideoError(f"{path}: has {frames} frames, but frame {last} was asked for")


def _believable(rate: float) -> float:
    return rate if FPS[0] <= rate <= FPS[1] else 0.0
