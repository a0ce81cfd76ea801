"""Which frames show the same instants: sampling by time, so that streams of any frame rate stay in step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mtcd_plugin.formats.clips import MODALITIES, RENDERED_FROM, Stream

SMALLEST_OVERLAP = 0.5  # of the shortest stream; below it the logs are taken to be of different clocks


@dataclass(frozen=True)
class Timeline:
    """The common time axis of a clip's streams.

    ``stamps`` has one time in seconds per frame of each stream's window, increasing; ``window`` is the span
    that every stream covers, from first to last time stamp; ``clock`` is "log", "file" or "fps".
    """

    clock: str
    stamps: dict[str, np.ndarray]
    window: tuple[float, float]


def align(streams: Mapping[str, Stream], file_times: Callable[[str], Sequence[float] | None]) -> Timeline:
    """Put streams on one time axis.

    By the time stamps of their logs ("log") where all have them and they overlap. Otherwise every window starts
    at 0, and its frames come at the time stamps of its file ("file", where a stream has them), or 1 / ``fps``
    apart ("fps").

    Args:
        file_times: stream -> times of its window's frames by its file, the first of them 0; None where they
            are 1 / ``fps`` apart. Asked only where the logs cannot be used. See ``window_times``.
    """
    if all(stream.times is not None for stream in streams.values()):
        stamps = {name: np.asarray(stream.times) for name, stream in streams.items()}
        start, end = _overlap(stamps)
        shortest = min(times[-1] - times[0] for times in stamps.values())
        if end - start >= SMALLEST_OVERLAP * shortest:
            return Timeline("log", stamps, (start, end))
    clock, stamps = "fps", {}
    for name, stream in streams.items():
        times = file_times(name)
        if times is not None:
            clock = "file"
        stamps[name] = np.arange(stream.frames) / stream.fps if times is None else np.asarray(times)
    return Timeline(clock, stamps, _overlap(stamps))


def uniform_times(count: int, window: tuple[float, float], rng=None) -> np.ndarray:
    """One time per each of ``count`` equal segments of the window: random with ``rng`` (anything with
    ``random(count)`` in [0, 1), such as ``numpy.random``), else the segment's centre. float64 [count],
    increasing.
    """
    start, end = window
    place = rng.random(count) if rng is not None else 0.5
    return start + (np.arange(count) + place) * ((end - start) / count)


def pick_frames(stamps: Mapping[str, np.ndarray], times: np.ndarray | None) -> dict[str, np.ndarray]:
    """Positions of the frames that show some instants, int64 [len(times)] for each stream.

    The leading stream takes its nearest frames, and every other stream those nearest to the frames that the
    leading one took. It is colour where there is colour, else the first of ``MODALITIES``. times None: every
    frame of the leading stream.
    """
    lead = min(stamps, key=lambda name: MODALITIES.index(RENDERED_FROM.get(name, name)))
    taken = np.arange(len(stamps[lead])) if times is None else nearest_indices(stamps[lead], times)
    shown = stamps[lead][taken]
    return {name: taken if name == lead else nearest_indices(own, shown) for name, own in stamps.items()}


def nearest_indices(stamps: np.ndarray, times: np.ndarray) -> np.ndarray:
    """For each time the position of the nearest time stamp (the earlier one of two equally near); times beyond the ends
    get the first or last. int64, the shape of ``times``.
    """
    return np.searchsorted((stamps[1:] + stamps[:-1]) / 2, times, side="left")


def _overlap(stamps: Mapping[str, np.ndarray]) -> tuple[float, float]:
    start = max(float(times[0]) for times in stamps.values())
    end = min(float(times[-1]) for times in stamps.values())
    return start, end
