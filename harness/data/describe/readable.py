"""The clips of a data set that are described, those that are made and in no quarantine, and what cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.data.parts import only_made, unmade_line, unmade_streams
from harness.data.registry import clips_at
from harness.data.unusable import more_of
from mtcd_plugin.formats.clips import Clip, ClipTable
from mtcd_plugin.formats.splits import read_quarantine


def open_table(root: Path) -> ClipTable:
    """All clips of the data set that a folder holds; see ``registry.clips_at`` for what it raises."""
    found = clips_at(root)
    return found.read(str(root), **found.everything)


@dataclass
class Readable:
    """The clips of a data set that are not in quarantine, and what could not be read of them."""

    root: Path
    table: ClipTable
    clips: tuple[Clip, ...]
    left_out: list[str] = field(default_factory=list)  # one line each: clip, modality, reason
    unmade: str = ""  # which parts of a synthetic set are not made yet, in a line

    @property
    def quarantined(self) -> int:
        return len(self.table.clips) - len(self.clips)

    def attempt(self, read: Callable[[str], Any], clip: Clip, modality: str) -> Any:
        """What ``read`` makes of a stream's file; None, and a line, where it cannot be read."""
        try:
            return read(clip.streams[modality].path)
        except (ValueError, OSError) as error:
            said = f"{error}{more_of(clip.streams[modality].path)}".replace(f"{self.root}/", "")
            line = f"clip {clip.clip_id}, {modality}: {said}"
            if line not in self.left_out:
                self.left_out.append(line)
            return None


def open_readable(root: Path, quarantine: str | Path = "") -> Readable:
    """The clips of ``open_table`` without those that a quarantine file names, and without what is not made yet."""
    table = open_table(root)
    unmade = unmade_streams(root, clips_at(root), table.clips)
    table = replace(table, clips=only_made(table.clips, unmade)) if unmade else table
    bad = read_quarantine(str(quarantine)) if quarantine else frozenset()
    return Readable(
        Path(root), table, tuple(c for c in table.clips if c.clip_id not in bad), unmade=unmade_line(unmade)
    )


def evenly(clips: Sequence[Clip], most: int) -> list[Clip]:
    """So many clips at most, evenly spaced among all."""
    return [clips[i] for i in np.linspace(0, len(clips) - 1, min(most, len(clips))).astype(int)]
