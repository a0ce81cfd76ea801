"""What of a video file is not read, in words: bits of its colours, further streams."""

from __future__ import annotations

from av.video.stream import VideoStream

SCALE = "scale it to 8 bits beforehand if the lower ones matter"
CHOOSE = "check that it is the right one, or keep only that one in the file"


def bits_of(stream: VideoStream) -> int:
    """Bits of a colour, as stored; 0 where the format is not known."""
    form = stream.codec_context.format
    return max((part.bits for part in form.components), default=0) if form else 0


def cut_bits(bits: int) -> str:
    """What is said of a video whose colours have more than 8 bits; "" of any other."""
    return f"is stored with {bits} bits a pixel; the upper 8 are read" if bits > 8 else ""


def other_streams(streams: int) -> str:
    """What is said of a file with several streams of video; "" of any other."""
    return f"has {streams} video streams; the first is read" if streams > 1 else ""
