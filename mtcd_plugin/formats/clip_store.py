"""Clip stores: the frames of one modality, decoded and resized once, in one memory-mapped file.

A store is a folder with ``frames.bin`` and ``index.json`` (where each clip lies, its checksum, the times of its
frames, and what the store was made from). ``frames.bin`` holds, by codec:

- ``raw``: uint8, frame after frame, each [height, width, channels]; a clip's ``first`` is its first frame;
- ``jpeg``: a block per clip (``frame_codec``), RGB as JPEG, one channel as PNG; ``first`` is its first byte.

A store is written beside its final place and renamed when complete (``clip_store_writer``): a folder of that name is
always whole.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
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
    """Hash of what a store is made from: the clips' ids, windows, and the names and contents of their files.

    16 hex digits.

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
        except StoreError:  # opening the very store that is needed raises
            continue


def groups(clips: Iterable[Clip], modality: str) -> dict[str, list[Clip]]:
    """The clips of each store: lighting -> clips that have the modality (lighting is '' for NvGesture)."""
    found: dict[str, list[Clip]] = {}
    for clip in clips:
        if modality in clip.streams:
            found.setdefault(clip.lighting, []).append(clip)
    return found


def checksum(index: dict[str, Any]) -> str:
    """sha256 hex of an index without its own."""
    return hashlib.sha256(json.dumps(index, sort_keys=True).encode()).hexdigest()


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
        """Open a store. StoreError where it is missing, incomplete, or its index does not match its checksum.

        The frames themselves are checked by ``verify``.
        """
        path = Path(folder)
        try:
            index = json.loads((path / INDEX).read_text(encoding="utf-8"))
            if index["format"] != FORMAT or index["codec"] not in CODECS:
                raise StoreError(
                    f"{path}: store format {index['format']} ({index['codec']}) is not {FORMAT} "
                    f"({' or '.join(CODECS)}); build it anew"
                )
            if index.pop("sha256") != checksum(index):
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
        clip that is not in the store.
        """
        entry = self._entry(clip_id)
        if self.codec == "raw":
            return self._block(entry).reshape(-1, *self._shape)
        return np.stack(self._decode(clip_id, range(entry["frames"])))

    def first(self, clip_id: str) -> int:
        """Where a clip begins in ``all_frames``. StoreError for a clip that is not in the store."""
        return self._entry(clip_id)["first"]

    @property
    def all_frames(self) -> np.ndarray:
        """The frames of all clips, uint8 [frames, height, width, channels]: a read-only view, nothing is read until it
        is used. StoreError for a codec other than raw."""
        if self.codec != "raw":
            raise StoreError(f"{self.folder}: frames of a {self.codec} store have to be decoded")
        return self._bytes.reshape(-1, *self._shape)

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
        return [clip_id for clip_id, entry in self._clips.items() if zlib.crc32(self._block(entry)) != entry["crc32"]]  # type: ignore[arg-type]  # bytes

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
