"""Streams of video files that belong to no data set: when their frames were taken, by the files alone."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from harness.data.unread import CHOOSE, SCALE, bits_of, cut_bits, other_streams
from harness.data.unusable import more_of
from mtcd_plugin.formats.clips import Stream
from mtcd_plugin.formats.container import VideoError, open_video, video_streams
from mtcd_plugin.formats.time_stamps import TimeStamps, read_time_stamps, window_times
from mtcd_plugin.formats.video import probe

log = logging.getLogger(__name__)


def streams_of(clip: Mapping[str, Path]) -> dict[str, Stream]:
    """The streams of a clip's files, each whole.

    Where the time stamps of a file are of less or more than the frames a second that a data set may have (a long gap,
    time lapse), they count as they are; where they cannot be used at all, its header's rate does. A line says either,
    and what else of a file hardly tells of a gesture: what is not read, and a single frame.

    Raises:
        OSError: no such file. ValueError: no video, or one of which nothing says when its frames were taken; one line.
    """
    streams, stamps = {}, {}
    for modality, path in clip.items():
        try:
            info = probe(str(path))
        except VideoError as error:
            raise VideoError(f"{error}{more_of(path)}") from error
        streams[modality] = Stream(str(path), 0, info.frames, info.fps)
        stamps[modality] = read_time_stamps(str(path))
        _check_rate(str(path), stamps[modality])
        _say_content(str(path), info.frames)
    if all(_odd(found) is None for found in stamps.values()):
        return streams
    return {m: _with_times(stream, stamps[m]) for m, stream in streams.items()}


def _check_rate(path: str, found: TimeStamps) -> None:
    if not found.problem:
        return
    if found.kept is not None:
        log.info("note: %s: %s; frames are taken by them", path, found.problem)
    elif not found.rate:
        raise ValueError(f"{path}: has no frame rate in its header, and {found.problem}; write it anew with a rate")
    else:
        log.info("note: %s: %s; the %.4g frames/s of its header count", path, found.problem, found.rate)


def _say_content(path: str, frames: int) -> None:
    with open_video(path) as (container, stream):
        unread = {other_streams(len(video_streams(container))): CHOOSE, cut_bits(bits_of(stream)): SCALE}
    for said, remedy in unread.items():
        if said:
            log.info("note: %s: %s; %s", path, said, remedy)
    if frames == 1:
        log.info("note: %s: has one frame, which is taken for the whole gesture", path)


def _odd(found: TimeStamps) -> np.ndarray | None:
    """Times that count as they are, though no data set may have them: of a rate that no camera has, or one frame's."""
    return found.seconds if found.seconds is not None and not found.rate else found.kept


def _with_times(stream: Stream, found: TimeStamps) -> Stream:
    """The stream with a time for each frame, on a clock that begins with it."""
    times = _odd(found)
    if times is None:
        times = np.array(window_times(stream) or np.arange(stream.frames) / stream.fps)
    rate = (len(times) - 1) / float(times[-1]) if len(times) > 1 else 1.0
    return replace(stream, fps=rate, times=tuple(times.tolist()))
