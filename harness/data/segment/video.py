"""Cuts clips out of one long video in one pass, each clip there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from mtcd_plugin.formats.container import VideoError, open_video
from mtcd_plugin.formats.file_url import file_url
from mtcd_plugin.formats.orientation import UPRIGHT, orientation, upright
from mtcd_plugin.formats.video import defect, probe

FPS = 25
COLOUR = ("color_range", "colorspace", "color_primaries", "color_trc")


@dataclass(frozen=True)
class Cut:
    """A clip to be: frame k is frame ``indices[k]`` of the source. Indices never decrease."""

    target: Path
    indices: tuple[int, ...]


def cut_video(
    source: str, cuts: list[Cut], crf: int, finished: Callable[[Path], None] | None = None
) -> dict[Path, str]:
    """Decode ``source`` once and write every cut as H.264 at 25 fps; ``finished`` is called with each target.

    Returns:
        target -> '' where it was written, else what is wrong with the source. Targets are replaced in one step.

    Raises:
        OSError: a clip cannot be written; what was finished before stays.
    """
    writers = {cut.target: _Writer(cut, crf) for cut in cuts}
    last = max(cut.indices[-1] for cut in cuts)
    problem, count = "", 0
    try:
        with open_video(source) as (container, stream):
            size = stream.width, stream.height
            for frame in container.decode(stream):
                if problem := defect(frame, count, size):
                    break
                for writer in writers.values():
                    if writer.take(count, frame, stream.codec_context) and finished:
                        finished(writer.cut.target)
                count += 1
                if count > last:
                    break
    except VideoError as error:
        problem = f"breaks after {count} frames ({str(error).removeprefix(f'{source}: ')})"
    finally:
        for writer in writers.values():
            writer.discard()
    problem = problem or f"has {count} frames, frame {last} is needed"
    return {target: "" if writer.done else problem for target, writer in writers.items()}


class WriteError(OSError):
    """A clip that cannot be written. The message is one line."""


class _Writer:
    """Encodes one cut while its source is being decoded."""

    def __init__(self, cut: Cut, crf: int):
        self.cut, self.crf = cut, crf
        self.place, self.done = 0, False
        self.unfinished = cut.target.with_name(f".{cut.target.stem}.{os.getpid()}{cut.target.suffix}")
        self.output: tuple[av.container.OutputContainer, av.VideoStream] | None = None

    def take(self, number: int, frame: av.VideoFrame, source) -> bool:
        """Encode frame ``number`` of the source as often as the cut wants it. True when that finished the clip."""
        indices = self.cut.indices
        if self.done or indices[self.place] != number:
            return False
        try:
            image = _upright(frame.reformat(format="yuv420p"), orientation(frame))
            container, stream = self.output or self._open(image, source)
            image.pict_type = 0  # the encoder chooses, not the source
            image.time_base = Fraction(1, FPS)
            while self.place < len(indices) and indices[self.place] == number:
                image.pts = self.place
                container.mux(stream.encode(image))
                self.place += 1
            if self.place == len(indices):
                self._finish(container, stream)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise WriteError(f"{self.cut.target}: cannot be written ({reason}); fix it and run again") from error
        return self.done

    def discard(self) -> None:
        """Remove what is unfinished."""
        if self.done or self.output is None:
            return
        with suppress(av.error.FFmpegError, OSError, ValueError):  # the file is removed, whatever state it is in
            self.output[0].close()
        self.unfinished.unlink(missing_ok=True)

    def _open(self, frame: av.VideoFrame, source) -> tuple[av.container.OutputContainer, av.VideoStream]:
        self.cut.target.parent.mkdir(parents=True, exist_ok=True)
        container = av.open(file_url(self.unfinished), "w")
        stream = container.add_stream("libx264", rate=FPS)
        self.output = container, stream
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
        context = stream.codec_context
        context.thread_count = 1
        context.time_base = Fraction(1, FPS)
        for name in COLOUR:  # else colours shift where the source says how to read its own
            setattr(context, name, getattr(source, name))
        # Macroblock-tree rate control is off: on small frames x264 does not repeat its own bytes with it.
        stream.options = {
            "crf": str(self.crf),
            "g": "12",
            "preset": "veryfast",
            "bf": "0",
            "x264-params": "mbtree=0",
        }
        return self.output

    def _finish(self, container: av.container.OutputContainer, stream: av.VideoStream) -> None:
        container.mux(stream.encode())
        container.close()
        found = probe(str(self.unfinished)).frames
        if found != len(self.cut.indices):
            raise ValueError(f"{found} of {len(self.cut.indices)} frames arrived on the disk")
        os.replace(self.unfinished, self.cut.target)
        self.done = True


def _upright(image: av.VideoFrame, shown: tuple[int, int, int, int]) -> av.VideoFrame:
    """A yuv420p frame of even sizes as it is to be shown."""
    if shown == UPRIGHT:
        return image
    data, height, width = image.to_ndarray(), image.height, image.width
    half = (height // 2, width // 2)
    planes = [data[:height], *data[height:].reshape(2, *half)]
    turned = [np.ascontiguousarray(upright(plane, shown)) for plane in planes]
    rows = np.concatenate([plane.ravel() for plane in turned]).reshape(-1, turned[0].shape[1])
    return av.VideoFrame.from_ndarray(rows, format="yuv420p")
