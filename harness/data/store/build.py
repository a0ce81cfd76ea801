"""Builds one clip store, in processes that write each clip straight to its place in the file.

While it is built, a store is the hidden folder ``.<name>.building``: ``frames.bin`` and a journal with one line
per finished clip. A clip's line is written after its bytes, and its checksum is compared when a build goes on,
so that after a kill at any moment whole clips are kept and nothing else is believed.
"""

from __future__ import annotations

import mmap
import os
import shutil
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

from harness.data.store.clip_writer import ClipJob, jobs_of, write_clip
from harness.data.store.journal import JOURNAL, read_journal, rewrite_journal
from harness.data.store.space import as_disk_full
from harness.data.store.spec import StoreSpec
from harness.ledger.files import refuse_link
from harness.system.pool import completed, process_pool
from mtcd_plugin.formats.clip_store import FRAMES, INDEX
from mtcd_plugin.formats.clip_store_writer import complete_store, index_head

FLUSH_EVERY_S = 0.5
AHEAD = 4  # clips per process that wait in the queue
Written = tuple[ClipJob, str]  # and what is wrong with the clip, "" for nothing


@contextmanager
def decoders(processes: int) -> Iterator[Executor | None]:
    """Processes that decode side by side; None, the caller's own, for one. They end when their parent does, and at once
    where it is interrupted."""
    if processes <= 1:
        yield None
        return
    with process_pool(processes, _one_thread) as pool:
        yield pool


def begin(store: StoreSpec) -> dict[str, dict]:
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


def build(store: StoreSpec, todo: list[ClipJob], pool: Executor | None, processes: int) -> Iterator[Written]:
    """Decode and write these clips, in any order; yields each when it is in the journal, with the one line of what
    is wrong with it ('' for nothing).

    Raises DiskFull, or ValueError where a process was killed. Clips finished until then are kept.
    """
    with _flushing(store.building / FRAMES):
        yield from _results(store, todo, pool, processes)


def _results(store: StoreSpec, todo: list[ClipJob], pool: Executor | None, processes: int) -> Iterator[Written]:
    if pool is None:
        for job in todo:
            yield job, write_clip(job)
        return
    waiting = iter(todo)
    futures: dict[Future[str], ClipJob] = {}
    try:
        while True:
            while len(futures) < AHEAD * processes and (following := next(waiting, None)):
                futures[pool.submit(write_clip, following)] = following
            if not futures:
                return
            future = next(completed(futures))
            yield futures.pop(future), future.result()
    except BrokenProcessPool:
        raise ValueError(
            f"{store}: a decoding process was killed (out of memory?); finished clips are kept, run the same "
            "command again, with a smaller --jobs if need be"
        ) from None


def complete(store: StoreSpec) -> None:
    """Publish the store from its journal."""
    found = read_journal(store.building)
    head = index_head(store.modality, store.size, store.source, store.codec, store.origin)
    complete_store(store.building, store.folder, head, store.frames, dict(sorted(found.items())))
    (store.folder / JOURNAL).unlink()


def _claim(file: int, size: int) -> None:
    """Give a file its size and, where the system can, the blocks for it."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    os.ftruncate(file, size)


def _whole(store: StoreSpec, found: dict[str, dict]) -> dict[str, dict]:
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
    except BaseException:  # an interrupt does not wait for the disk
        over.set()
        raise
    over.set()
    thread.join()


def _one_thread() -> None:
    import cv2

    cv2.setNumThreads(0)
