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

LONGEST_REPEAT = (
    5  # frames that a window may reach beyond the end of its file; the last frame is repeated
)


class VideoError(ValueError):
    """A file that cannot be decoded to the frames asked for. The message is one line and names the file."""


class VideoInfo(NamedTuple):
    """What ``probe`` finds."""

    frames: int
    width: int
    height: int
    fps: float


def read_frames(
    path: str,
    indices: Sequence[int] | np.ndarray,
    size: tuple[int, int] | None = None,
    gray: bool = False,
    decoder: str = "pyav",
) -> np.ndarray:
    """Frames of a video file.

    Args:
        path: any file that FFmpeg reads.
        indices: frame numbers from 0, in any order, repeated or not. Up to ``LONGEST_REPEAT`` frames
        beyond the
            end of the file give its last frame.
        size: (width, height) to resize to, None for the size of the file.
        gray: one channel of luminance instead of three of RGB.
        decoder: ``pyav``, or ``decord`` or ``torchcodec`` where installed.

    Returns:
        uint8 [len(indices), height, width, 1 or 3].

    Raises:
        FileNotFoundError: no such file.
        VideoError: not a video, broken, or too short.
    """
    wanted = np.asarray(indices, dtype=np.int64)
    numbers, places = np.unique(wanted, return_inverse=True)
    return np.stack(list(iter_frames(path, numbers, size, gray, decoder)))[places]


def iter_frames(
    path: str,
    numbers: Sequence[int] | np.ndarray,
    size: tuple[int, int] | None = None,
    gray: bool = False,
    decoder: str = "pyav",
) -> Iterator[np.ndarray]:
    """Frames one by one as they are decoded, uint8 [h, w, 3 or 1]; ``numbers`` increase. See ``read_frames``."""
    if decoder not in DECODERS:
        raise ValueError(f"decoder {decoder!r} is unknown; choose from {', '.join(DECODERS)}")
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{path}: no such video file")
    numbers = np.asarray(numbers, dtype=np.int64)
    if numbers.size == 0 or numbers[0] < 0 or (np.diff(numbers) <= 0).any():
        raise ValueError(f"{path}: expected increasing frame numbers from 0, got {numbers.tolist()}")
    images = DECODERS[decoder](path, numbers, gray)
    while True:
        try:
            image = next(images, None)
            if image is not None and size:
                image = resize(image, size)
        except VideoError:
            raise
        except ImportError:
            message = f"decoder {decoder!r} is not installed: pip install {decoder}, or use 'pyav'"
            raise ImportError(message) from None
        except Exception as error:  # each decoder has errors of its own; all mean an unreadable file
            reason = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
            raise VideoError(f"{path}: cannot be decoded ({reason})") from error
        if image is None:
            return
        yield image


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
    """Number of frames (by the container's header, or counted where it gives none), size and frame rate.

    Raises FileNotFoundError or VideoError. Nothing is decoded: a broken frame is not noticed here.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{path}: no such video file")
    try:
        with av.open(path) as container:
            stream = _video_stream(container, path)
            frames = stream.frames or sum(1 for packet in container.demux(stream) if packet.size)
            return VideoInfo(frames, stream.width, stream.height, float(stream.average_rate or 0))
    except av.error.FFmpegError as error:
        raise VideoError(f"{path}: cannot be opened ({error.strerror})") from error


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
        with av.open(str(unfinished), "w") as container:
            stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
            stream.width, stream.height = frames.shape[2], frames.shape[1]
            stream.pix_fmt = "yuv420p"
            stream.codec_context.thread_count = 1
            # AVI has no presentation times, so readers that go by them misplace B-frames
            # Macroblock-tree rate control is off: on small frames x264 does not repeat its own bytes with it.
            stream.options = {
                "crf": str(crf), "g": str(gop), "preset": "veryfast", "bf": "0", "x264-params": "mbtree=0",
            }  # fmt: skip
            for image in np.broadcast_to(frames, (*frames.shape[:3], 3)):
                picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
                container.mux(stream.encode(picture))
            container.mux(stream.encode())
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)


def _video_stream(container, path: str):
    if not container.streams.video:
        raise VideoError(f"{path}: holds no video")
    return container.streams.video[0]


def _pyav(path: str, numbers: np.ndarray, gray: bool) -> Iterator[np.ndarray]:
    """Images of increasing frame numbers, decoded one after the other from the start of the file."""
    done = 0
    frame, count = None, 0
    with av.open(path) as container:
        stream = _video_stream(container, path)
        stream.codec_context.thread_count = 1  # loader workers decode side by side
        for frame in container.decode(stream):
            if count == numbers[done]:
                if frame.is_corrupt:
                    raise VideoError(f"{path}: frame {count} is broken")
                yield _image(frame, gray)
                done += 1
                if done == len(numbers):
                    return
            count += 1
        _check_end(path, count, numbers)
        for _ in numbers[done:]:
            yield _image(frame, gray)


def _image(frame: av.VideoFrame, gray: bool) -> np.ndarray:
    # one thread: handing a small frame from thread to thread costs more than converting it
    image = frame.reformat(format="gray" if gray else "rgb24", threads=1).to_ndarray()
    return image[..., None] if gray else image


def _decord(path: str, numbers: np.ndarray, gray: bool) -> Iterator[np.ndarray]:
    import decord

    reader = decord.VideoReader(path, num_threads=1)
    _check_end(path, len(reader), numbers)  # decord can hang when it is asked for a frame beyond the end
    places = np.minimum(numbers, len(reader) - 1).tolist()
    image, following = None, 0
    for place in places:
        while following <= place:  # its random access gives wrong frames of AVI files
            image, following = reader.next(), following + 1
        yield _luminance(image.asnumpy()) if gray else image.asnumpy()


def _torchcodec(path: str, numbers: np.ndarray, gray: bool) -> Iterator[np.ndarray]:
    from torchcodec.decoders import VideoDecoder

    reader = VideoDecoder(path, dimension_order="NHWC", num_ffmpeg_threads=1)
    _check_end(path, len(reader), numbers)
    for image in reader.get_frames_at(np.minimum(numbers, len(reader) - 1).tolist()).data.numpy():
        yield _luminance(image) if gray else image


def _check_end(path: str, count: int, numbers: np.ndarray) -> None:
    if not count:
        raise VideoError(f"{path}: holds no frame")
    if numbers[-1] >= count + LONGEST_REPEAT:
        raise VideoError(f"{path}: has {count} frames, but frame {numbers[-1]} was asked for")


def _luminance(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]


DECODERS = {"pyav": _pyav, "decord": _decord, "torchcodec": _torchcodec}
