"""What a clip store holds, before it is built."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mtcd_plugin.formats.clip_store import store_name
from mtcd_plugin.formats.clips import Clip, source_stream


@dataclass(frozen=True)
class StoreSpec:
    """One clip store. ``clips`` are all that have a place in its file;
    those whose ids are in ``skipped`` (quarantine) are not decoded."""

    root: Path
    modality: str
    size: tuple[int, int]  # width, height
    source: str  # hash of what it is made from
    codec: str
    origin: str  # data set and lighting
    clips: tuple[Clip, ...] = field(repr=False)
    skipped: frozenset[str] = frozenset()

    @property
    def decoded(self) -> tuple[Clip, ...]:
        """Its clips without those in quarantine."""
        return tuple(c for c in self.clips if c.clip_id not in self.skipped)

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
        """Those of all clips, which have their place in the file."""
        return sum(source_stream(c, self.modality).frames for c in self.clips)

    @property
    def raw_bytes(self) -> int:
        """Size of all frames uncompressed."""
        return self.frames * self.frame_bytes

    def __str__(self) -> str:
        size = f"{self.size[0]}x{self.size[1]}"
        return f"clip store {self.modality} {size} {self.codec} ({self.origin})"
