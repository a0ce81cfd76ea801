"""Builds clip stores: every clip decoded and resized once, kept memory-mapped, for all runs to read."""

from __future__ import annotations

import multiprocessing
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.plan.data import TABLE_KEYS, dataset_clips
from mtcd_plugin.formats.clip_store import ClipStoreWriter, groups, source_hash, store_name
from mtcd_plugin.formats.clips import Clip, source_stream
from mtcd_plugin.formats.video import read_frames

MARGIN_BYTES = 256 * 2**20  # left free on the disk


@dataclass(frozen=True)
class Wanted:
    """One store to be had."""

    folder: Path
    modality: str
    size: tuple[int, int]  # width, height
    source: str  # hash of what it is made from
    clips: tuple[Clip, ...]

    @property
    def bytes(self) -> int:
        """Size of the store once built."""
        channels = 3 if self.modality == "rgb" else 1
        return (
            sum(c.streams[self.modality].frames for c in self.clips) * self.size[0] * self.size[1] * channels
        )


def wanted_stores(datasets: Iterable[dict[str, Any]], root: Path) -> list[Wanted]:
    """The stores that these dataset configs would read, each once, complete for their data set and lighting."""
    found: dict[Path, Wanted] = {}
    for dataset in datasets:
        size = _size(dataset)
        if dataset.get("type") not in TABLE_KEYS or size is None:
            continue
        table, used = dataset_clips(dataset)
        lightings = {c.lighting for c in used}
        for modality in dataset.get("modalities") or ("rgb",):
            for lighting, clips in groups(table.clips, modality).items():
                if lighting in lightings:
                    source = source_hash(clips, modality)
                    folder = root / store_name(modality, size, source)
                    found[folder] = Wanted(folder, modality, size, source, tuple(clips))
    return list(found.values())


def build_for_datasets(
    datasets: Iterable[dict[str, Any]], root: Path, processes: int, say: Callable[[str], None]
) -> list[Path]:
    """Build the stores that these dataset configs lack. Returns the folders of all of them.

    Raises:
        OSError: they would fill the disk.
        ValueError, FileNotFoundError: a clip cannot be decoded; the line names it.
    """
    stores = wanted_stores(datasets, root)
    missing = [s for s in stores if not s.folder.exists()]
    if missing:
        root.mkdir(parents=True, exist_ok=True)
        _check_space(missing, root)
        context = multiprocessing.get_context("spawn")     # the fork server is the worker's, with torch in it
        with context.Pool(max(1, processes), initializer=_single_thread) as pool:
            for store in missing:
                _build(store, pool, say)
    return [s.folder for s in stores]


def _check_space(missing: list[Wanted], root: Path) -> None:
    need = sum(s.bytes for s in missing)
    free = shutil.disk_usage(root).free
    if need + MARGIN_BYTES > free:
        raise OSError(
            f"{root}: the clip store needs {need / 2**30:.1f} GiB and {free / 2**30:.1f} GiB are free; "
            "free some, put the work dir elsewhere, or run with --no-cache"
        )


def _build(store: Wanted, pool, say: Callable[[str], None]) -> None:
    began = time.monotonic()
    with ClipStoreWriter(store.folder, store.modality, store.size, source=store.source) as writer:
        jobs = [
            (c.clip_id, source_stream(c, store.modality), store.size, store.modality != "rgb")
            for c in store.clips
        ]
        for clip_id, frames in pool.imap(_decode, jobs, chunksize=4):
            writer.add(clip_id, frames)
    say(
        f"clip store {store.modality} {store.size[0]}x{store.size[1]}: {len(store.clips)} clips, "
        f"{store.bytes / 2**20:.0f} MiB, {time.monotonic() - began:.1f} s"
    )


def _decode(job) -> tuple[str, np.ndarray]:
    clip_id, stream, size, gray = job
    try:
        return clip_id, read_frames(stream.path, np.arange(stream.start, stream.end), size=size, gray=gray)
    except ValueError as e:
        raise ValueError(
            f"clip {clip_id}: {e}; `harness data verify` lists all such clips, --quarantine leaves them out"
        ) from None


def _single_thread() -> None:
    import cv2

    cv2.setNumThreads(0)


def _size(dataset: dict[str, Any]) -> tuple[int, int] | None:
    for transform in dataset.get("pipeline") or []:
        if transform.get("type") == "LoadModalities":
            return tuple(transform["size"])
    return None
