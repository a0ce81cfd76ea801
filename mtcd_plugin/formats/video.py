"""Frames of video files, exactly: frame i is the i-th frame that the decoder gives, counted from the start.

Seeking by time stamp is not frame-exact on the H.264 files at hand, so files are decoded from their
start up to the last frame that is asked for. ``resize`` is the only resize in use, for stored and for
decoded frames.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np

from mtcd_plugin.formats.container import VideoError, open_video
from mtcd_plugin.formats.file_url import file_url
from mtcd_plugin.formats.orientation import orientation, upright
from mtcd_plugin.formats.time_stamps import check_end, read_time_stamps


class VideoInfo(NamedTuple):
    """What ``probe`` finds. ``width`` and ``height`` are those of frames as they are shown; ``fps`` is the mean rate of
    the time stamps, 0 where it is unknown.
    """

    frames: int
    width: int
    height: int
    fps: float


def read_frames(
    path: str,
    indices: Sequence[int] | np.ndarray,
    size: tuple[int, int] | None = None,
    gray: bool = False,
) -> np.ndarray:
    """Frames of a video file, the right way up.

    Args:
        path: any file that FFmpeg reads; of several video streams, the first.
        indices: frame numbers from 0, in any order, repeated or not. Up to ``LONGEST_REPEAT`` frames
            beyond the end of the file give its last frame.
        size: (width, height) to resize to, None for the size of the file.
        gray: one channel of luminance instead of three of RGB.

    Returns:
        uint8 [len(indices), height, width, 1 or 3].

    Raises:
        FileNotFoundError: no such file.
        VideoError: not a video, broken at or before a frame asked for, or too short.
    """
    wanted = np.asarray(indices, dtype=np.int64)
    numbers, places = np.unique(wanted, return_inverse=True)
    return np.stack(list(iter_frames(path, numbers, size, gray)))[places]


def iter_frames(
    path: str,
    numbers: Sequence[int] | np.ndarray,
    size: tuple[int, int] | None = None,
    gray: bool = False,
) -> Iterator[np.ndarray]:
    """Frames one by one as they are decoded, uint8 [h, w, 3 or 1]; ``numbers`` increase. See ``read_frames``."""
    numbers = np.asarray(numbers, dtype=np.int64)
    if numbers.size == 0 or numbers[0] < 0 or (np.diff(numbers) <= 0).any():
        raise ValueError(f"{path}: expected increasing frame numbers from 0, got {numbers.tolist()}")
    done, count, image = 0, 0, None
    with open_video(path) as (container, stream):
        full = stream.width, stream.height
        for frame in container.decode(stream):
            if problem := defect(frame, count, full):
                raise VideoError(f"{path}: {problem}")
            if count == numbers[done]:
                image = picture(frame, size, gray)
                yield image
                done += 1
                if done == len(numbers):
                    return
            count += 1
            last = frame
    if not count:
        raise VideoError(f"{path}: holds no frame")
    check_end(path, count, int(numbers[-1]))
    image = picture(last, size, gray)
    for _ in numbers[done:]:
        yield image


def defect(frame: av.VideoFrame, number: int, size: tuple[int, int]) -> str:
    """What is wrong with frame ``number`` of a stream of (width, height), '' for nothing."""
    if frame.is_corrupt:
        return f"frame {number} is broken"
    if (frame.width, frame.height) != size:
        return f"frame {number} is {frame.width}x{frame.height}, the header says {size[0]}x{size[1]}"
    return ""


def picture(frame: av.VideoFrame, size: tuple[int, int] | None = None, gray: bool = False) -> np.ndarray:
    """A decoded frame as it is shown, uint8 [h, w, 3 or 1]. ValueError where that is not by quarter turns."""
    # one thread: handing a small frame from thread to thread costs more than converting it
    image = frame.reformat(format="gray" if gray else "rgb24", threads=1).to_ndarray()
    image = np.ascontiguousarray(upright(image[..., None] if gray else image, orientation(frame)))
    return resize(image, size) if size else image


def resize(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A frame uint8 [h, w, c] resized to (width, height): by area when neither side grows, else bilinear.

    Large frames are halved first, exactly, while both sides stay at least as large as asked for: five times as fast
    for 1920 x 1080 as one step.
    """
    height, width, channels = frame.shape
    if (width, height) == tuple(size):
        return frame
    shrinks = size[0] <= width and size[1] <= height
    while width >= 2 * size[0] and height >= 2 * size[1] and width % 2 == 0 and height % 2 == 0:
        width, height = width // 2, height // 2
        frame = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    if (width, height) != tuple(size):
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        frame = cv2.resize(frame, tuple(size), interpolation=method)
    return frame.reshape(size[1], size[0], channels)


def probe(path: str) -> VideoInfo:
    """Number of frames, size and mean rate. Raises FileNotFoundError or VideoError.

    The first frame alone is decoded, for how it is shown: a broken one after it is not noticed here.
    """
    stamps = read_time_stamps(path)
    with open_video(path) as (container, stream):
        frame = next(container.decode(stream), None)
        if frame is None:
            raise VideoError(f"{path}: holds no frame")
        sideways = orientation(frame)[0] == 0
        width, height = (stream.height, stream.width) if sideways else (stream.width, stream.height)
    return VideoInfo(stamps.frames, width, height, stamps.rate)


def write_video(path: str, frames: np.ndarray, fps: float, crf: int = 18, gop: int = 12) -> None:
    """Write H.264 (the container follows the suffix, .mp4 or .avi), replacing ``path`` in one step.

    Args:
        frames: uint8 [n, h, w, 3] RGB or [n, h, w, 1]; even height and width.
        crf: quality, 0 (lossless up to chroma subsampling) to 51. gop: frames between key frames.
    """
    frames = np.asarray(frames)
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] not in (1, 3) or not len(frames):
        raise ValueError(f"{path}: expected uint8 [n, h, w, 1 or 3], got {frames.dtype} {frames.shape}")
    if frames.shape[1] % 2 or frames.shape[2] % 2:
        raise ValueError(f"{path}: H.264 needs even sizes, got {frames.shape[2]}x{frames.shape[1]}")
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.stem}.{os.getpid()}{target.suffix}")
    try:
        with av.open(file_url(unfinished), "w") as container:
            stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
            stream.width, stream.height = frames.shape[2], frames.shape[1]
            stream.pix_fmt = "yuv420p"
            stream.codec_context.thread_count = 1
            # AVI has no presentation times, so readers that go by them misplace B-frames
            # Macroblock-tree rate control is off: on small frames x264 does not repeat its own bytes with it.
            stream.options = {
                "crf": str(crf),
                "g": str(gop),
                "preset": "veryfast",
                "bf": "0",
                "x264-params": "mbtree=0",
            }
            for image in np.broadcast_to(frames, (*frames.shape[:3], 3)):
                picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
                container.mux(stream.encode(picture))
            container.mux(stream.encode())
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
