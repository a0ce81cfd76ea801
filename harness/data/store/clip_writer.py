"""Decodes a clip and writes it to its place in a store's file, in a process of its own.

Imports no reader of data sets: the processes that decode start in a fraction of a second.
"""

from __future__ import annotations

import fcntl
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.data.store.journal import add_to_journal
from harness.data.store.space import as_disk_full
from harness.data.store.spec import StoreSpec
from harness.data.unusable import more_of
from mtcd_plugin.formats import frame_codec
from mtcd_plugin.formats.clip_store import FRAMES
from mtcd_plugin.formats.clips import Stream, source_stream
from mtcd_plugin.formats.time_stamps import window_times
from mtcd_plugin.formats.video import iter_frames


@dataclass(frozen=True)
class ClipJob:
    """One clip to decode and write. ``offset`` is where its bytes go, None for the end of the file."""

    folder: str
    clip_id: str
    stream: Stream
    size: tuple[int, int]
    gray: bool
    offset: int | None


def jobs_of(store: StoreSpec) -> list[ClipJob]:
    """A job per clip, by id; the places of raw clips are known in advance from their windows."""
    jobs = []
    offset = 0
    for clip in sorted(store.clips, key=lambda c: c.clip_id):
        stream = source_stream(clip, store.modality)
        jobs.append(
            ClipJob(
                folder=str(store.building),
                clip_id=clip.clip_id,
                stream=stream,
                size=store.size,
                gray=store.modality != "rgb",
                offset=offset if store.codec == "raw" else None,
            )
        )
        offset += stream.frames * store.frame_bytes
    return [job for job in jobs if job.clip_id not in store.skipped]


def write_clip(job: ClipJob) -> str:
    """Decode a clip, write its bytes, then its line of the journal. Returns what is wrong with the video, '' for
    nothing. Raises DiskFull."""
    path = Path(job.folder) / FRAMES
    numbers = np.arange(job.stream.start, job.stream.end)
    try:
        times = window_times(job.stream)
        frames = iter_frames(job.stream.path, numbers, job.size, job.gray)
        if job.offset is None:
            entry = _append(path, frame_codec.encode(frames))
        else:
            entry = _write_at(path, frames, job.offset, len(numbers))
        add_to_journal(path.parent, job.clip_id, {"frames": len(numbers), "times": times, **entry})
    except ValueError as error:
        return f"clip {job.clip_id}: {error}{more_of(job.stream.path)}"
    except FileNotFoundError as error:
        if not path.exists():
            raise
        return f"clip {job.clip_id}: {error}{more_of(job.stream.path)}"
    except OSError as error:
        raise as_disk_full(error, path) from error
    return ""


def _write_at(path: Path, frames: Iterator[np.ndarray], offset: int, count: int) -> dict[str, int]:
    """Write raw frames one by one while they are in the processor's cache."""
    crc, at, frame_bytes = 0, offset, 1
    file = os.open(path, os.O_WRONLY)
    try:
        for frame in frames:
            data = np.ascontiguousarray(frame).data.cast("B")
            frame_bytes = len(data)
            crc = zlib.crc32(data, crc)
            while data:
                written = os.pwrite(file, data, at)
                data, at = data[written:], at + written
    finally:
        os.close(file)
    if at != offset + count * frame_bytes:
        raise ValueError(f"{(at - offset) // frame_bytes} of {count} frames were decoded")
    return {"first": offset // frame_bytes, "crc32": crc}


def _append(path: Path, block: bytes) -> dict[str, int]:
    """Append a block; processes take turns."""
    with open(path, "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        first = file.seek(0, os.SEEK_END)
        file.write(block)
        file.flush()
    return {"first": first, "bytes": len(block), "crc32": zlib.crc32(block)}
