"""Clip stores: the frames of one modality, decoded and resized once, in one memory-mapped file.

A store is a folder with ``frames.bin`` (uint8, frame after frame, each [height, width, channels]) and
``index.json`` (where each clip lies, its checksum, and what the store was made from). A store is written
beside its final place and renamed when complete: a folder of that name is always whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mtcd_plugin.formats.clips import Clip, file_size, source_stream

FORMAT = 1
INDEX = "index.json"
FRAMES = "frames.bin"
DAMAGED = "the clip store's index is damaged; remove the folder and build it anew"


class StoreError(ValueError):
    """A store that is missing, incomplete or damaged. The message is one line and names the folder."""


def source_hash(clips: Iterable[Clip], modality: str) -> str:
    """Hash of what a store is made from: the clips' ids, windows, file names and sizes. 16 hex digits.

    Give it every clip of one lighting that has the modality, of all splits, as ``groups`` does.
    """
    digest = hashlib.sha256()
    for clip in sorted(clips, key=lambda c: c.clip_id):
        stream = source_stream(clip, modality)
        name = os.path.basename(stream.path)
        row = [clip.clip_id, name, stream.start, stream.end, file_size(clip, modality)]
        digest.update(json.dumps(row).encode())
    return digest.hexdigest()[:16]


def store_name(modality: str, size: tuple[int, int], source: str, codec: str = "raw") -> str:
    """Folder name of a store, so that one of other videos or of another size is never taken for it.

    ``size`` is (width, height), ``source`` from ``source_hash``.
    """
    return f"{modality}-{size[0]}x{size[1]}-{codec}-{source}"


def groups(clips: Iterable[Clip], modality: str) -> dict[str, list[Clip]]:
    """The clips of each store: lighting -> clips that have the modality (lighting is '' for NvGesture)."""
    found: dict[str, list[Clip]] = {}
    for clip in clips:
        if modality in clip.streams:
            found.setdefault(clip.lighting, []).append(clip)
    return found


class ClipStoreWriter:
    """Writes a store; use as a context manager, or call ``close`` (complete) or ``abort``.

    Args:
        folder: final place; it must not exist yet.
        modality, size: what is stored; size is (width, height).
        source: what the frames were made from (``source_hash`` for videos, the run's key for renderings).
    """

    def __init__(
        self, folder: str | os.PathLike, modality: str, size: tuple[int, int], source: str = ""
    ) -> None:
        self.folder = Path(folder)
        if self.folder.exists():
            raise StoreError(f"{self.folder}: exists already; remove it to build the store anew")
        self._about = {
            "format": FORMAT,
            "codec": "raw",
            "modality": modality,
            "width": int(size[0]),
            "height": int(size[1]),
            "channels": 3 if modality == "rgb" else 1,
            "source": source,
        }
        self._clips: dict[str, dict[str, int]] = {}
        self._frames = 0
        self._unfinished = self.folder.with_name(f".{self.folder.name}.{os.getpid()}.unfinished")
        shutil.rmtree(self._unfinished, ignore_errors=True)
        self._unfinished.mkdir(parents=True)
        self._file = open(self._unfinished / FRAMES, "wb")  # noqa: SIM115 (closed in close and abort)

    def add(self, clip_id: str, frames: np.ndarray) -> None:
        """Append a clip: uint8 [n, height, width, channels], n > 0."""
        about = self._about
        expected = (about["height"], about["width"], about["channels"])
        if (
            frames.dtype != np.uint8
            or frames.ndim != 4
            or frames.shape[1:] != expected
            or not len(frames)
        ):
            raise ValueError(
                f"clip {clip_id}: expected uint8 frames [n, {', '.join(map(str, expected))}], "
                f"got {frames.dtype} {list(frames.shape)}"
            )
        if clip_id in self._clips:
            raise ValueError(f"clip {clip_id} is in the store already")
        frames = np.ascontiguousarray(frames)
        self._file.write(frames.data)
        self._clips[clip_id] = {
            "first": self._frames,
            "frames": len(frames),
            "crc32": zlib.crc32(frames.data),
        }
        self._frames += len(frames)

    def close(self) -> Path:
        """Complete the store and move it to its place. Returns the folder."""
        if not self._clips:
            self.abort()
            raise ValueError(f"{self.folder}: a store without clips")
        _sync(self._file)
        self._file.close()
        index = {**self._about, "total_frames": self._frames, "clips": self._clips}
        index["sha256"] = _checksum(index)
        with open(self._unfinished / INDEX, "w", encoding="utf-8") as file:
            json.dump(index, file)
            _sync(file)
        os.rename(self._unfinished, self.folder)
        return self.folder

    def abort(self) -> None:
        """Give up and remove what was written."""
        self._file.close()
        shutil.rmtree(self._unfinished, ignore_errors=True)

    def __enter__(self) -> ClipStoreWriter:
        return self

    def __exit__(self, kind, *_) -> None:
        self.abort() if kind else self.close()


class ClipStore:
    """A complete store, opened for reading with ``ClipStore.open``.

    ``modality``, ``size`` (width, height), ``channels``, ``source`` and ``clip_ids`` say what it holds.
    """

    def __init__(self, folder: Path, index: dict, frames: np.ndarray) -> None:
        self.folder = folder
        self.modality: str = index["modality"]
        self.size: tuple[int, int] = (index["width"], index["height"])
        self.channels: int = index["channels"]
        self.source: str = index["source"]
        self._clips: dict[str, dict[str, int]] = index["clips"]
        self._frames = frames

    @classmethod
    def open(cls, folder: str | os.PathLike) -> ClipStore:
        """Open a store. StoreError where it is missing, incomplete, or its index does not match its checksum;
        the frames themselves are checked by ``verify``."""
        path = Path(folder)
        try:
            index = json.loads((path / INDEX).read_text(encoding="utf-8"))
            if index["format"] != FORMAT:
                raise StoreError(
                    f"{path}: store format {index['format']} is not {FORMAT}; build it anew"
                )
            if index.pop("sha256") != _checksum(index):
                raise StoreError(f"{path}: {DAMAGED}")
            shape = (index["total_frames"], index["height"], index["width"], index["channels"])
            size = os.path.getsize(path / FRAMES)
        except FileNotFoundError as error:
            raise StoreError(f"{path}: not a clip store ({error.filename} is missing)") from None
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError, UnicodeDecodeError):
            raise StoreError(f"{path}: {DAMAGED}") from None
        if size != int(np.prod(shape, dtype=np.int64)):
            raise StoreError(
                f"{path}: the clip store is incomplete; remove the folder and build it anew"
            )
        frames = np.memmap(path / FRAMES, dtype=np.uint8, mode="r", shape=shape)
        return cls(path, index, frames.view(np.ndarray))

    @property
    def clip_ids(self) -> tuple[str, ...]:
        return tuple(self._clips)

    def __contains__(self, clip_id: str) -> bool:
        return clip_id in self._clips

    def length(self, clip_id: str) -> int:
        """Number of frames of a clip. StoreError for a clip that is not in the store."""
        return self._entry(clip_id)["frames"]

    def clip(self, clip_id: str) -> np.ndarray:
        """All frames of a clip's window as a read-only view, uint8 [n, height, width, channels].

        Nothing is read until it is used. StoreError for a clip that is not in the store."""
        entry = self._entry(clip_id)
        return self._frames[entry["first"] : entry["first"] + entry["frames"]]

    def frames(self, clip_id: str, indices) -> np.ndarray:
        """A copy of frames by position in the window: uint8 [len(indices), height, width, channels]."""
        return self.clip(clip_id)[np.asarray(indices, dtype=np.int64)]

    def _entry(self, clip_id: str) -> dict[str, int]:
        if clip_id not in self._clips:
            raise StoreError(f"{self.folder}: clip {clip_id} is not in this store of {self.modality}")
        return self._clips[clip_id]

    def verify(self) -> list[str]:
        """Ids of the clips whose frames do not match their checksum. Reads the whole store."""
        return [
            clip_id
            for clip_id, entry in self._clips.items()
            if zlib.crc32(self.clip(clip_id)) != entry["crc32"]
        ]


def _checksum(index: dict) -> str:
    return hashlib.sha256(json.dumps(index, sort_keys=True).encode()).hexdigest()


def _sync(file) -> None:
    file.flush()
    os.fsync(file.fileno())
