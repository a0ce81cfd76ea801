"""Builds one clip store, in processes that write each clip straight to its place in the file.

While it is built, a store is the hidden folder ``.<name>.building``: ``frames.bin`` and a journal with one line
per finished clip. A clip's line is written after its bytes, and its checksum is compared when a build goes on,
so that after a kill at any moment whole clips are kept and nothing else is believed.

Imports no reader of data sets: the processes that decode start in a fraction of a second.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import shutil
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context, parent_process
from pathlib import Path

import numpy as np

from harness.data.store.journal import JOURNAL, add_to_journal, read_journal, rewrite_journal
from harness.ledger.files import refuse_link
from harness.ledger.lock import RunLock, kept_alive
from harness.system.disk import DiskFull
from mtcd_plugin.formats import frame_codec
from mtcd_plugin.formats.clip_store import FRAMES, INDEX, store_name
from mtcd_plugin.formats.clip_store_writer import complete_store, index_head
from mtcd_plugin.formats.clips import Clip, Stream, source_stream
from mtcd_plugin.formats.time_stamps import window_times
from mtcd_plugin.formats.video import iter_frames

BUILDER = ".builder"  # folder of the lock
WAIT_S = 0.2
FLUSH_EVERY_S = 0.5
AHEAD = 4  # clips per process that wait in the queue


@dataclass(frozen=True)
class Wanted:
    """One store to be had: ``clips`` are all that its place in the file is kept for, by id; those of ``skipped`` (in
    quarantine) are not decoded."""

    root: Path
    modality: str
    size: tuple[int, int]  # width, height
    source: str  # hash of what it is made from
    codec: str
    origin: str  # data set and lighting
    clips: tuple[Clip, ...] = field(repr=False)
    skipped: frozenset[str] = frozenset()

    @property
    def folder(self) -> Path:
        return self.root / store_name(self.modality, self.size, self.source, self.codec)

    @property
    def building(self) -> Path:
        return self.root / f".{self.folder.name}.building"

    @property
    def frame_bytes(self) -> int:
        return self.size[0] * self.size[1] * (3 if self.modality == "rgb" else 1)

    @property
    def frames(self) -> int:
        return sum(source_stream(c, self.modality).frames for c in self.clips)

    @property
    def raw_bytes(self) -> int:
        """Size of all frames uncompressed."""
        return self.frames * self.frame_bytes

    def __str__(self) -> str:
        size = f"{self.size[0]}x{self.size[1]}"
        return f"clip store {self.modality} {size} {self.codec} ({self.origin})"


@dataclass(frozen=True)
class Job:
    """One clip to decode and write. ``offset`` is where its bytes go, None for the end of the file."""

    folder: str
    clip_id: str
    stream: Stream
    size: tuple[int, int]
    gray: bool
    offset: int | None


def jobs_of(store: Wanted) -> list[Job]:
    """A job per clip, by id; the places of raw clips are known in advance from their windows."""
    jobs = []
    offset = 0
    for clip in sorted(store.clips, key=lambda c: c.clip_id):
        stream = source_stream(clip, store.modality)
        jobs.append(
            Job(
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


@contextmanager
def locked(root: Path, wait_line=lambda: None) -> Iterator[RunLock]:
    """One builder at a time in a folder of stores; another waits. A killed builder's claim is void."""
    lock = RunLock(root / BUILDER)
    try:
        if not lock.acquire():
            wait_line()
            while not lock.acquire():
                time.sleep(WAIT_S)
    except OSError as error:
        raise as_disk_full(error, lock.folder) from error
    try:
        with kept_alive(lambda: [lock]):
            yield lock
    finally:
        lock.release()


@contextmanager
def decoders(processes: int) -> Iterator[Executor | None]:
    """Processes that decode side by side; None, the caller's own, for one. They end when their parent does."""
    if processes <= 1:
        yield None
        return
    context = get_context("spawn")  # the fork server is the worker's, with torch in it
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_start)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def begin(store: Wanted) -> dict[str, dict]:
    """Make the folder and, for raw, claim the whole file's place on the disk. Returns the journal's entries whose
    bytes are whole: clip id -> entry of the index.

    Raises DiskFull where the place is not there; nothing new is left then. OSError where one of its files is a link.
    """
    folder, path = store.building, store.building / FRAMES
    for place in (folder, path, folder / JOURNAL, folder / INDEX):
        refuse_link(place)
    was_there = folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with open(path, "ab") as file:
            if store.codec == "raw" and os.fstat(file.fileno()).st_size != store.raw_bytes:
                _claim(file.fileno(), store.raw_bytes)
    except OSError as error:
        if not was_there:
            shutil.rmtree(folder)
        raise as_disk_full(error, path) from error
    found = read_journal(folder)
    entries = _whole(store, found)
    if entries.keys() != found.keys():
        rewrite_journal(folder, entries)
    return entries


def build(store: Wanted, todo: list[Job], pool: Executor | None, processes: int) -> Iterator[tuple[Job, str]]:
    """Decode and write these clips, in any order; yields each when it is in the journal, with the one line of what
    is wrong with it ('' for nothing).

    Raises DiskFull, or ValueError where a process was killed. Clips finished until then are kept.
    """
    with _flushing(store.building / FRAMES):
        yield from _results(store, todo, pool, processes)


def _results(store: Wanted, todo: list[Job], pool: Executor | None, processes: int) -> Iterator[tuple[Job, str]]:
    if pool is None:
        for job in todo:
            yield job, write_clip(job)
        return
    waiting = iter(todo)
    futures = {}
    try:
        while True:
            while len(futures) < AHEAD * processes and (job := next(waiting, None)):
                futures[pool.submit(write_clip, job)] = job
            if not futures:
                return
            for future in wait(futures, return_when=FIRST_COMPLETED).done:
                yield futures.pop(future), future.result()
    except BrokenProcessPool:
        raise ValueError(
            f"{store}: a decoding process was killed (out of memory?); finished clips are kept, run the same "
            "command again, with a smaller --jobs if need be"
        ) from None


def complete(store: Wanted) -> None:
    """Publish the store from its journal."""
    found = read_journal(store.building)
    head = index_head(store.modality, store.size, store.source, store.codec, store.origin)
    complete_store(store.building, store.folder, head, store.frames, dict(sorted(found.items())))
    (store.folder / JOURNAL).unlink()


def write_clip(job: Job) -> str:
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
        return f"clip {job.clip_id}: {error}"
    except FileNotFoundError as error:
        if not path.exists():
            raise
        return f"clip {job.clip_id}: {error}"
    except OSError as error:
        raise as_disk_full(error, path) from error
    return ""


def as_disk_full(error: OSError, path: Path) -> OSError:
    """What a full disk is called, any other error as it is."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return error
    return DiskFull(
        f"{path.parent}: the disk is full; free some space and run the same command again (finished clips are kept "
        "there), or remove that folder"
    )


def _claim(file: int, size: int) -> None:
    """Give a file its size and, where the system can, the blocks for it."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    os.ftruncate(file, size)


def _whole(store: Wanted, found: dict[str, dict]) -> dict[str, dict]:
    """Those entries of a journal whose bytes have their checksum."""
    path = store.building / FRAMES
    if not found or not os.path.getsize(path):
        return {}
    expected = {job.clip_id: job for job in jobs_of(store)}
    whole = {}
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for clip_id, entry in found.items():
            job = expected.get(clip_id)
            if job is None or entry["frames"] != job.stream.frames:
                continue
            if "times" not in entry:  # of a version before this one
                continue
            begin = entry["first"] if job.offset is None else job.offset
            length = entry["bytes"] if job.offset is None else entry["frames"] * store.frame_bytes
            if zlib.crc32(data[begin : begin + length]) == entry["crc32"]:
                whole[clip_id] = entry
    return whole


def _write_at(path: Path, frames: Iterator[np.ndarray], offset: int, count: int) -> dict[str, int]:
    """Write raw frames one by one while they are in the processor's cache."""
    crc, at, frame_bytes = 0, offset, 1
    file = os.open(path, os.O_WRONLY)
    try:
        for frame in frames:
            data = memoryview(np.ascontiguousarray(frame)).cast("B")
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


@contextmanager
def _flushing(path: Path) -> Iterator[None]:
    """Force a file to disk again and again beside the decoding, so that little is left to do at the end."""
    over = threading.Event()

    def flush() -> None:
        with open(path, "rb") as file:
            while not over.wait(FLUSH_EVERY_S):
                os.fsync(file.fileno())

    thread = threading.Thread(target=flush, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _start() -> None:
    """In a decoding process: one thread, no interrupts, and an end when the parent is gone."""
    import signal

    import cv2

    cv2.setNumThreads(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent_process().join()
    os._exit(1)
