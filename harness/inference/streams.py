"""Streams of video files that belong to no data set: when their frames were taken, by the files alone."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from mtcd_plugin.formats.clips import Stream
from mtcd_plugin.formats.container import open_video
from mtcd_plugin.formats.time_stamps import TimeStamps, read_time_stamps, window_times
from mtcd_plugin.formats.video import probe

log = logging.getLogger(__name__)
BEYOND = "its time stamps say "  # how ``TimeStamps.problem`` begins where they are whole, of a rate that no camera has


def streams_of(clip: Mapping[str, Path]) -> dict[str, Stream]:
    """The streams of a clip's files, each whole.

    Where the time stamps of a file are of less or more than the frames a second that a data set may have (a long gap,
    time lapse), they count as they are; where they cannot be used at all, its header's rate does. A line says either.

    Raises:
        OSError: no such file. ValueError: no video, or one of which nothing says when its frames were taken; one line.
    """
    streams, stamps = {}, {}
    for modality, path in clip.items():
        info = probe(str(path))
        streams[modality] = Stream(str(path), 0, info.frames, info.fps)
        stamps[modality] = read_time_stamps(str(path))
        _check_rate(str(path), stamps[modality])
    if not any(_count_as_they_are(found) for found in stamps.values()):
        return streams
    return {m: _with_times(stream, stamps[m]) for m, stream in streams.items()}


def _check_rate(path: str, found: TimeStamps) -> None:
    if not found.problem:
        return
    if _count_as_they_are(found):
        log.info("note: %s: %s; frames are taken by them", path, found.problem)
    elif not found.rate:
        raise ValueError(f"{path}: has no frame rate in its header, and {found.problem}; write it anew with a rate")
    else:
        log.info("note: %s: %s; the %.4g frames/s of its header count", path, found.problem, found.rate)


def _count_as_they_are(found: TimeStamps) -> bool:
    """Whether time stamps are whole, but of no rate that a data set may have (one frame has none at all)."""
    return found.problem.startswith(BEYOND) or not (found.problem or found.rate)


def _with_times(stream: Stream, found: TimeStamps) -> Stream:
    """The stream with a time for each frame, on a clock that begins with it."""
    if _count_as_they_are(found):
        times = _whole_stamps(stream.path)
    else:
        times = np.array(window_times(stream) or np.arange(stream.frames) / stream.fps)
    rate = (len(times) - 1) / float(times[-1]) if len(times) > 1 else 1.0
    return replace(stream, fps=rate, times=tuple(times.tolist()))


def _whole_stamps(path: str) -> np.ndarray:
    """The time stamps of a file in seconds since its first frame, as ``read_time_stamps`` has found them whole."""
    with open_video(path) as (container, stream):
        untimed = container.format.name == "avi"
        packets = [p for p in container.demux(stream) if p.size and not p.is_discard]
        ticks = np.sort(np.array([p.dts if untimed or p.pts is None else p.pts for p in packets], np.int64))
        return (ticks - ticks[0]) * float(stream.time_base or 1)
