"""Clip stores: the frames of one modality, decoded and resized once, in one memory-mapped file.

A store is a folder with ``frames.bin`` and ``index.json`` (where each clip lies, its checksum, the times of its
frames, and what the store was made from). ``frames.bin`` holds, by codec:

- ``raw``: uint8, frame after frame, each [height, width, channels]; a clip's ``first`` is its first frame;
- ``jpeg``: a block per clip (``frame_codec``), RGB as JPEG, one channel as PNG; ``first`` is its first byte.

A store is written beside its final place and renamed when complete: a folder of that name is always whole.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import shutil
import weakref
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mtcd_plugin.formats import frame_codec
from mtcd_plugin.formats.clips import Clip, source_stream
from mtcd_plugin.formats.content import content_hashes
from mtcd_plugin.formats.frame_codec import CODECS

FORMAT = 2  # raised when stores of before lack something, or hold other frames of the same videos
INDEX = "index.json"
FRAMES = "frames.bin"
DAMAGED = "the clip store's index is damaged; remove the folder and build it anew"


class StoreError(ValueError):
    """A store that is missing, incomplete or damaged. The message is one line and names the folder."""


def source_hash(clips: Iterable[Clip], modality: str) -> str:
    """Hash of what a store is made from: the clips' ids, windows, and the names and contents of their files. 16 hex
    digits.

    Give it every clip of one lighting that has the modality, of all splits, as ``groups`` does. A file that
    cannot be read has no content: its clip may be in quarantine, and is named where it is decoded.
    """
    digest = hashlib.sha256()
    clips = sorted(clips, key=lambda c: c.clip_id)
    contents = content_hashes({source_stream(clip, modality).path for clip in clips}, missing_ok=True)
    for clip in clips:
        stream = source_stream(clip, modality)
        name = os.path.basename(stream.path)
        row = [clip.clip_id, name, stream.start, stream.end, contents[stream.path]]
        digest.update(json.dumps(row).encode())
    return digest.hexdigest()[:16]


def store_name(modality: str, size: tuple[int, int], source: str, codec: str = "raw") -> str:
    """Folder name of a store, so that one of other videos or of another size is never taken for it.

    ``size`` is (width, height), ``source`` from ``source_hash``.
    """
    return f"{modality}-{size[0]}x{size[1]}-{codec}-{source}"


def stores_of(root: str, modality: str, source: str) -> Iterator[ClipStore]:
    """The sound stores below ``root`` that were made from these videos, whatever their size and codec."""
    for folder in sorted(Path(root).glob(f"{modality}-*x*-*-{source}")):
        try:
            yield ClipStore.open(folder)
        except StoreError:  # whoever needs this very one is told
            continue


def groups(clips: Iterable[Clip], modality: str) -> dict[str, list[Clip]]:
    """The clips of each store: lighting -> clips that have the modality (lighting is '' for NvGesture)."""
    found: dict[str, list[Clip]] = {}
    for clip in clips:
        if modality in clip.streams:
            found.setdefault(clip.lighting, []).append(clip)
    return found


def describe(modality: str, size: tuple[int, int], source: str, codec: str = "raw", origin: str = "") -> dict[str, Any]:
    """The head of an index; ``origin`` names the data set and lighting, so that stale stores can be told."""
    if codec not in CODECS:
        raise ValueError(f"codec {codec!r} is unknown; choose from {', '.join(CODECS)}")
    return {
        "format": FORMAT,
        "codec": codec,
        "modality": modality,
        "width": int(size[0]),
        "height": int(size[1]),
        "channels": 3 if modality == "rgb" else 1,
        "source": source,
        "origin": origin,
    }


def publish(unfinished: Path, folder: Path, about: dict, total_frames: int, clips: dict[str, dict]) -> None:
    """Make a folder with a complete, closed ``frames.bin`` a store: force it to disk, add the index, rename."""
    with open(unfinished / FRAMES, "rb") as file:
        os.fsync(file.fileno())
    index = {**about, "total_frames": total_frames, "clips": clips}
    if about["codec"] != "raw":
        index["total_bytes"] = os.path.getsize(unfinished / FRAMES)
    index["sha256"] = _checksum(index)
    with open(unfinished / INDEX, "w", encoding="utf-8") as file:
        json.dump(index, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(unfinished, folder)


class ClipStoreWriter:
    """Writes a store; use as a context manager, or call ``close`` (complete) or ``abort``.

    Args:
        folder: final place; it must not exist yet.
        modality, size: what is stored; size is (width, height).
        source: what the frames were made from (``source_hash`` for videos, the run's key for renderings).
    """

    def __init__(self, folder: str | os.PathLike, modality: str, size: tuple[int, int], source: str = "") -> None:
        self.folder = Path(folder)
        if self.folder.exists():
            raise StoreError(f"{self.folder}: exists already; remove it to build the store anew")
        self._about = describe(modality, size, source)
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
        if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[1:] != expected or not len(frames):
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
        self._file.close()
        publish(self._unfinished, self.folder, self._about, self._frames, self._clips)
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

    ``modality``, ``size`` (width, height), ``channels``, ``codec``, ``source``, ``origin`` and ``clip_ids`` say
    what it holds. Copies and pickles open the folder again.
    """

    def __init__(self, folder: Path, index: dict, file: int) -> None:
        self.folder = folder
        self.modality: str = index["modality"]
        self.size: tuple[int, int] = (index["width"], index["height"])
        self.channels: int = index["channels"]
        self.codec: str = index["codec"]
        self.source: str = index["source"]
        self.origin: str = index.get("origin", "")
        self._clips: dict[str, dict[str, Any]] = index["clips"]
        self._shape = (self.size[1], self.size[0], self.channels)
        self._frame_bytes = int(np.prod(self._shape))
        self._file = file
        weakref.finalize(self, os.close, file)
        self._bytes = np.frombuffer(mmap.mmap(file, 0, access=mmap.ACCESS_READ), np.uint8)

    @classmethod
    def open(cls, folder: str | os.PathLike) -> ClipStore:
        """Open a store. StoreError where it is missing, incomplete, or its index does not match its checksum;
        the frames themselves are checked by ``verify``."""
        path = Path(folder)
        try:
            index = json.loads((path / INDEX).read_text(encoding="utf-8"))
            if index["format"] != FORMAT or index["codec"] not in CODECS:
                raise StoreError(
                    f"{path}: store format {index['format']} ({index['codec']}) is not {FORMAT} "
                    f"({' or '.join(CODECS)}); build it anew"
                )
            if index.pop("sha256") != _checksum(index):
                raise StoreError(f"{path}: {DAMAGED}")
            shape = (index["total_frames"], index["height"], index["width"], index["channels"])
            raw = index["codec"] == "raw"
            expected = int(np.prod(shape, dtype=np.int64)) if raw else index["total_bytes"]
            size = os.path.getsize(path / FRAMES)
        except FileNotFoundError as error:
            raise StoreError(f"{path}: not a clip store ({error.filename} is missing)") from None
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError, UnicodeDecodeError):
            raise StoreError(f"{path}: {DAMAGED}") from None
        if size != expected:
            raise StoreError(f"{path}: the clip store is incomplete; remove the folder and build it anew")
        return cls(path, index, os.open(path / FRAMES, os.O_RDONLY))

    def __reduce__(self):
        return ClipStore.open, (self.folder,)

    @property
    def clip_ids(self) -> tuple[str, ...]:
        return tuple(self._clips)

    def __contains__(self, clip_id: str) -> bool:
        return clip_id in self._clips

    @property
    def frame_times(self) -> dict[str, list[float] | None]:
        """Clip -> what ``window_times`` says of its stream, for clips that were stored from videos."""
        return {clip_id: entry["times"] for clip_id, entry in self._clips.items() if "times" in entry}

    def length(self, clip_id: str) -> int:
        """Number of frames of a clip. StoreError for a clip that is not in the store."""
        return self._entry(clip_id)["frames"]

    def clip(self, clip_id: str) -> np.ndarray:
        """All frames of a clip's window, uint8 [n, height, width, channels].

        A read-only view for codec raw (nothing is read until it is used), a copy otherwise. StoreError for a
        clip that is not in the store."""
        entry = self._entry(clip_id)
        if self.codec == "raw":
            return self._block(entry).reshape(-1, *self._shape)
        return np.stack(self._decode(clip_id, range(entry["frames"])))

    def frames(self, clip_id: str, indices) -> np.ndarray:
        """A copy of frames by position in the window: uint8 [len(indices), height, width, channels]."""
        if self.codec == "raw":
            return self.clip(clip_id)[np.asarray(indices, dtype=np.int64)]
        return np.stack(self._decode(clip_id, indices))

    def private_frames(self, clip_id: str, indices) -> list[np.ndarray]:
        """Frames by position in the window, each uint8 [height, width, channels], for the caller alone.

        For codec raw they are copy-on-write views of a mapping of this call: reading copies nothing, and what
        is written to one reaches neither the file nor any other frame. IndexError beyond the window.
        """
        entry = self._entry(clip_id)
        if self.codec != "raw":
            return self._decode(clip_id, indices)
        begin = entry["first"] * self._frame_bytes
        before = begin % mmap.ALLOCATIONGRANULARITY
        length = before + entry["frames"] * self._frame_bytes
        mapping = mmap.mmap(self._file, length, access=mmap.ACCESS_COPY, offset=begin - before)
        clip = np.frombuffer(mapping, np.uint8, offset=before).reshape(-1, *self._shape)
        positions = np.asarray(indices, dtype=np.int64).tolist()
        if len(set(positions)) == len(positions):
            return [clip[i] for i in positions]
        taken: set[int] = set()
        frames = []
        for i in positions:  # a frame that is asked for again must not share the memory of the first
            frames.append(clip[i].copy() if i in taken else clip[i])
            taken.add(i)
        return frames

    def verify(self) -> list[str]:
        """Ids of the clips whose bytes do not match their checksum. Reads the whole store."""
        return [clip_id for clip_id, entry in self._clips.items() if zlib.crc32(self._block(entry)) != entry["crc32"]]

    def stored_bytes(self, clip_id: str) -> int:
        """Bytes that a clip takes in the file."""
        return len(self._block(self._entry(clip_id)))

    def _entry(self, clip_id: str) -> dict[str, Any]:
        if clip_id not in self._clips:
            raise StoreError(f"{self.folder}: clip {clip_id} is not in this store of {self.modality}")
        return self._clips[clip_id]

    def _block(self, entry: dict[str, Any]) -> np.ndarray:
        if self.codec == "raw":
            begin = entry["first"] * self._frame_bytes
            return self._bytes[begin : begin + entry["frames"] * self._frame_bytes]
        return self._bytes[entry["first"] : entry["first"] + entry["bytes"]]

    def _decode(self, clip_id: str, indices) -> list[np.ndarray]:
        entry = self._entry(clip_id)
        block = np.frombuffer(os.pread(self._file, entry["bytes"], entry["first"]), np.uint8)
        try:
            return frame_codec.decode(block, entry["frames"], indices)
        except ValueError as error:
            raise StoreError(f"{self.folder}: clip {clip_id}: {error}") from None


def _checksum(index: dict) -> str:
    return hashlib.sha256(json.dumps(index, sort_keys=True).encode()).hexdigest()
