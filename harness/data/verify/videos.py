"""Decodes video files from beginning to end, side by side, to see what really is in them."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import av
import av.logging
import numpy as np

from harness.data.unread import bits_of
from harness.data.unusable import more_of
from harness.ledger.files import NotAFile, open_file
from harness.system.pool import completed, process_pool
from mtcd_plugin.formats.container import VideoError, open_video, reason, video_streams
from mtcd_plugin.formats.orientation import orientation
from mtcd_plugin.formats.time_stamps import read_time_stamps
from mtcd_plugin.formats.video import defect, picture

Window = tuple[int, int]
ABSENT = "does not exist"  # begins the problem of a file that is not there


@dataclass(frozen=True)
class Cut:
    """Frames [start, end) of a video: hash of their luminance, '' if not all are there, and its mean in [0, 255]."""

    digest: str
    luminance: float


@dataclass(frozen=True)
class Video:
    """What decoding a file gave. ``problem`` is '' for a file that is whole."""

    frames: int = 0  # all that could be decoded
    sound_frames: int = 0  # those before the problem
    stated_frames: int = 0  # by the container's header, 0 where it gives none
    width: int = 0  # as frames are shown
    height: int = 0
    fps: float = 0.0
    codec: str = ""
    bits: int = 0  # of a colour, as stored
    streams: int = 0  # of video, in the file
    problem: str = ""
    unopened: bool = False  # there is no file that this user may open: not even its content can be hashed
    complaint: str = ""  # what the decoder logged as an error, and went on
    times: tuple[float, ...] = ()  # of frames, in seconds since the first one; () where they are not to be used
    times_problem: str = ""  # what is wrong with the time stamps
    cuts: tuple[Cut, ...] = ()  # one per window asked for


def scan_video(path: str, windows: tuple[Window, ...] = ()) -> Video:
    """Decode a file to its end. Never raises: whatever is wrong with the file is its ``problem``."""
    if unopened := _unopened(path):
        return Video(problem=unopened, unopened=True)
    if os.stat(path).st_size == 0:
        return Video(problem="is empty (0 bytes)")
    facts: dict[str, Any] = {}
    cuts = [_CutMaker(*window) for window in windows]
    problem, sound = "", None
    ticks: list[int | None] = []
    with _logged_errors() as complaints:
        try:
            with open_video(path) as (container, stream):
                size = (stream.width, stream.height)
                facts = _facts(container, stream)
                try:
                    for frame in container.decode(stream):
                        if not problem and (problem := defect(frame, len(ticks), size)):
                            sound = len(ticks)
                        if not ticks and orientation(frame)[0] == 0:
                            facts |= dict(width=size[1], height=size[0])
                        _cut(frame, len(ticks), cuts)
                        ticks.append(frame.pts)
                except Exception as error:  # noqa: BLE001  each of FFmpeg's errors is what the file is reported for
                    problem = problem or f"breaks after {len(ticks)} frames ({reason(error)})"
        except VideoError as error:
            problem = str(error).removeprefix(f"{path}: ") + more_of(path)
    count = len(ticks)
    if facts and not count and not problem:
        problem = "holds no frame"
    if not problem:
        facts |= _times(path, ticks)
    complaint = next((" ".join(text.split()) for _, _, text in complaints), "") if count and not problem else ""
    return Video(
        frames=count,
        sound_frames=count if sound is None else sound,
        problem=problem,
        complaint=complaint,
        cuts=tuple(cut.done() for cut in cuts),
        **facts,
    )


def _unopened(path: str) -> str:
    """Why a file cannot be opened; "" where it can."""
    try:
        open_file(path).close()
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT + more_of(path)
    except NotAFile as error:
        return str(error).removeprefix(f"{path}: ")
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return ""


def _cut(frame: av.VideoFrame, number: int, cuts: list[_CutMaker]) -> None:
    """Give a frame to the windows that it is in."""
    wanted = [cut for cut in cuts if cut.start <= number < cut.end]
    if wanted:
        image = picture(frame, gray=True)
        for cut in wanted:
            cut.add(image)


class _CutMaker:
    """Takes the frames of one window as they are decoded."""

    def __init__(self, start: int, end: int) -> None:
        self.start, self.end, self.frames, self.total = start, end, 0, 0.0
        self.digest = hashlib.blake2b(digest_size=16)

    def add(self, image: np.ndarray) -> None:
        self.digest.update(np.ascontiguousarray(image).data)
        self.total += float(image.mean())
        self.frames += 1

    def done(self) -> Cut:
        whole = self.frames == self.end - self.start
        return Cut(self.digest.hexdigest() if whole else "", self.total / max(1, self.frames))


def _facts(container, stream) -> dict:
    return dict(
        width=stream.width,
        height=stream.height,
        stated_frames=stream.frames,
        fps=float(stream.average_rate or 0),
        codec=stream.codec_context.name,
        bits=bits_of(stream),
        streams=len(video_streams(container)),
    )


def _times(path: str, ticks: list[int | None]) -> dict:
    """What the container says of the times of frames, beside the time stamps that came with the frames."""
    stamps = read_time_stamps(path)
    facts = dict(fps=stamps.rate, times_problem=stamps.problem)
    if stamps.seconds is None:
        return facts
    if stamps.frames != len(ticks):
        return facts | dict(times_problem=f"it has {stamps.frames} time stamps for {len(ticks)} frames")
    return facts | dict(times=tuple(stamps.seconds.tolist()))


@contextmanager
def _logged_errors() -> Iterator[list[tuple[int, str, str]]]:
    """What FFmpeg logs as an error. Some decoders (FFV1 on a wrong checksum) do no more than that."""
    before = av.logging.get_level(), av.logging.get_skip_repeated()
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)  # else what one file repeated is told of the next one
    try:
        with av.logging.Capture() as logs:
            yield logs
    finally:
        av.logging.set_level(before[0])
        av.logging.set_skip_repeated(before[1])


def scan_videos(
    files: Mapping[str, tuple[Window, ...]],
    processes: int,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Video]:
    """Decode every file in ``processes`` processes (1: in this one).

    A file that kills the process that decodes it is found and named, and the others are still decoded.
    ``progress`` is called as progress(files done, files in all).
    """
    found: dict[str, Video] = {}
    todo = deque(files.items())

    def put(path: str, video: Video) -> None:
        found[path] = video
        if progress:
            progress(len(found), len(files))

    if min(processes, len(files)) <= 1:
        for path, windows in todo:
            put(path, scan_video(path, windows))
        return found
    while todo:
        for path, windows in _scan_until_broken(todo, processes, put):
            put(path, _scan_alone(path, windows))
    return found


def _scan_until_broken(todo: deque, processes: int, put: Callable[[str, Video], None]) -> list:
    """Take files from ``todo`` until none is left or a process died; returns those that may have killed it."""
    running: dict = {}
    suspects: list = []
    with process_pool(processes) as pool:
        while (todo or running) and not suspects:
            while todo and len(running) < 2 * processes:
                item = todo.popleft()
                try:
                    running[pool.submit(scan_video, *item)] = item
                except BrokenProcessPool:
                    suspects.append(item)
                    break
            future = next(completed(running))
            item = running.pop(future)
            try:
                put(item[0], future.result())
            except BrokenProcessPool:
                suspects.append(item)
    return suspects + list(running.values())


def _scan_alone(path: str, windows: tuple[Window, ...]) -> Video:
    with process_pool(1) as pool:
        try:
            return next(completed([pool.submit(scan_video, path, windows)])).result()
        except BrokenProcessPool:
            return Video(problem="kills the process that decodes it")
