"""Writing clip stores, see ``clip_store``."""

from __future__ import annotations

import json
import os
import shutil
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from mtcd_plugin.formats.clip_store import FORMAT, FRAMES, INDEX, StoreError, checksum
from mtcd_plugin.formats.clips import CHANNELS
from mtcd_plugin.formats.frame_codec import CODECS


def index_head(
    modality: str, size: tuple[int, int], source: str, codec: str = "raw", origin: str = ""
) -> dict[str, Any]:
    """The head of an index; ``origin`` names the data set and lighting, by which stale stores are found."""
    if codec not in CODECS:
        raise ValueError(f"codec {codec!r} is unknown; choose from {', '.join(CODECS)}")
    return {
        "format": FORMAT,
        "codec": codec,
        "modality": modality,
        "width": int(size[0]),
        "height": int(size[1]),
        "channels": CHANNELS.get(modality, 1),
        "source": source,
        "origin": origin,
    }


def complete_store(unfinished: Path, folder: Path, head: dict, total_frames: int, clips: dict[str, dict]) -> None:
    """Make a folder with a complete, closed ``frames.bin`` a store: force it to disk, add the index, rename."""
    with open(unfinished / FRAMES, "rb") as file:
        os.fsync(file.fileno())
    index = {**head, "total_frames": total_frames, "clips": clips}
    if head["codec"] != "raw":
        index["total_bytes"] = os.path.getsize(unfinished / FRAMES)
    index["sha256"] = checksum(index)
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
        self._head = index_head(modality, size, source)
        self._clips: dict[str, dict[str, int]] = {}
        self._frames = 0
        self._unfinished = self.folder.with_name(f".{self.folder.name}.{os.getpid()}.unfinished")
        shutil.rmtree(self._unfinished, ignore_errors=True)
        self._unfinished.mkdir(parents=True)
        self._file = open(self._unfinished / FRAMES, "wb")  # noqa: SIM115 (closed in close and abort)

    def add(self, clip_id: str, frames: np.ndarray) -> None:
        """Append a clip: uint8 [n, height, width, channels], n > 0."""
        head = self._head
        expected = (head["height"], head["width"], head["channels"])
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
        complete_store(self._unfinished, self.folder, self._head, self._frames, self._clips)
        return self.folder

    def abort(self) -> None:
        """Give up and remove what was written."""
        self._file.close()
        shutil.rmtree(self._unfinished, ignore_errors=True)

    def __enter__(self) -> ClipStoreWriter:
        return self

    def __exit__(self, kind, *_) -> None:
        if kind:
            self.abort()
        else:
            self.close()
