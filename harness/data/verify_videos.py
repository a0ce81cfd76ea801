"""Decodes video files from beginning to end, side by side, to see what really is in them."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context

import av
import numpy as np

Window = tuple[int, int]


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
    width: int = 0
    height: int = 0
    fps: float = 0.0
    codec: str = ""
    problem: str = ""
    cuts: tuple[Cut, ...] = ()  # one per window asked for


def scan_video(path: str, windows: tuple[Window, ...] = ()) -> Video:
    """Decode a file to its end. Never raises: whatever is wrong with the file is its ``problem``."""
    if not os.path.isfile(path):
        return Video(problem="does not exist")
    if not os.path.getsize(path):
        return Video(problem="is empty (0 bytes)")
    facts: dict = {}
    hashes = [hashlib.blake2b(digest_size=16) for _ in windows]
    sums = [0.0] * len(windows)
    count, problem, sound = 0, "", None
    try:
        with av.open(path) as container:
            if not container.streams.video:
                return Video(problem="holds no video")
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1  # files are decoded side by side
            size = (stream.width, stream.height)
            facts = dict(zip(("width", "height"), size, strict=True), stated_frames=stream.frames)
            facts |= dict(fps=float(stream.average_rate or 0), codec=stream.codec_context.name)
            for frame in container.decode(stream):
                if not problem and (problem := _defect(frame, count, size)):
                    sound = count
                wanted = [i for i, (start, end) in enumerate(windows) if start <= count < end]
                if wanted:
                    image = np.ascontiguousarray(frame.to_ndarray(format="gray"))
                    for i in wanted:
                        hashes[i].update(image)
                        sums[i] += float(image.mean())
                count += 1
    except Exception as error:  # FFmpeg's errors take many shapes; each of them is what the file is reported for
        reason = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
        broken = problem or f"breaks after {count} frames ({reason})"
        problem = broken if facts else f"cannot be opened as a video ({reason})"
    if facts and not count and not problem:
        problem = "holds no frame"
    cuts = tuple(
        Cut(h.hexdigest() if end <= count else "", total / max(1, min(end, count) - start))
        for h, total, (start, end) in zip(hashes, sums, windows, strict=True)
    )
    return Video(frames=count, sound_frames=count if sound is None else sound, problem=problem, cuts=cuts, **facts)


def _defect(frame: av.VideoFrame, number: int, size: tuple[int, int]) -> str:
    if frame.is_corrupt:
        return f"frame {number} is broken"
    if (frame.width, frame.height) != size:
        return f"frame {number} is {frame.width}x{frame.height}, the header says {size[0]}x{size[1]}"
    return ""


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
    with _pool(processes) as pool:
        while (todo or running) and not suspects:
            while todo and len(running) < 2 * processes:
                item = todo.popleft()
                try:
                    running[pool.submit(scan_video, *item)] = item
                except BrokenProcessPool:
                    suspects.append(item)
                    break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                item = running.pop(future)
                try:
                    put(item[0], future.result())
                except BrokenProcessPool:
                    suspects.append(item)
    return suspects + list(running.values())


def _scan_alone(path: str, windows: tuple[Window, ...]) -> Video:
    with _pool(1) as pool:
        try:
            return pool.submit(scan_video, path, windows).result()
        except BrokenProcessPool:
            return Video(problem="kills the process that decodes it")


def _pool(processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(processes, get_context("spawn"))  # the caller may hold threads
