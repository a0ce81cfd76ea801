"""Opening video files: which stream is read, what is refused, and decoding with errors as errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from mtcd_plugin.formats.file_url import file_url
from mtcd_plugin.formats.regular import regular_stat

MOST_PIXELS = 4096 * 4096  # of a frame: twice 4K; a decoder holds some 16 such frames
FORMATS = (  # of FFmpeg; not playlists and lists of files, which name others, nor pictures
    "asf,avi,dv,flv,h264,hevc,ivf,m4v,matroska,mjpeg,mov,mpeg,mpegts,mpegvideo,mxf,nut,ogg,rm,yuv4mpegpipe"
)
OPTIONS = {"max_pixels": str(MOST_PIXELS), "err_detect": "explode"}


class VideoError(ValueError):
    """A file that cannot be decoded to the frames asked for. The message is one line and names the file."""


@contextmanager
def open_video(path: str) -> Iterator[tuple[InputContainer, VideoStream]]:
    """A file's container and the video stream that is read: the first one that is no cover picture.

    Decoding it, in one thread, raises an error where the decoder would conceal one. FFmpeg's errors, also those
    raised by what is done with the container, become VideoErrors.

    Raises:
        FileNotFoundError: no such file, or no regular one.
        VideoError: not a video in one of ``FORMATS``, broken, or frames larger than ``MOST_PIXELS``.
    """
    try:
        regular_stat(path)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"{path}: no such video file") from None
    except OSError as error:
        raise FileNotFoundError(f"{path}: no video file ({error.strerror})") from None
    # probing may decode a frame, so the limit is told to it too
    options = {"max_pixels": OPTIONS["max_pixels"], "format_whitelist": FORMATS, "protocol_whitelist": "file"}
    opened = False
    try:
        with av.open(file_url(path), options=options, metadata_errors="replace") as container:
            stream = _choose(container, path)
            stream.codec_context.thread_count = 1  # files are decoded side by side
            stream.codec_context.options = OPTIONS
            opened = True
            yield container, stream
    except VideoError:
        raise
    except (av.error.FFmpegError, ValueError) as error:
        failed = "cannot be decoded" if opened else "cannot be opened as a video"
        raise VideoError(f"{path}: {failed} ({reason(error)})") from error


def video_streams(container: InputContainer) -> list[VideoStream]:
    """The video streams of a container, in its order, without cover pictures."""
    return [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]


def reason(error: Exception) -> str:
    """What an error of FFmpeg says, in one line."""
    return getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__


def _choose(container: InputContainer, path: str) -> VideoStream:
    streams = video_streams(container)
    if not streams:
        raise VideoError(f"{path}: holds no video")
    width, height = streams[0].width, streams[0].height
    if not 0 < width * height <= MOST_PIXELS:
        raise VideoError(f"{path}: its frames are {width}x{height}: unreadable, or more than {MOST_PIXELS:,} pixels")
    return streams[0]
