"""Statistics of a clip data set (paper, Table 1 and Figures 3-4), from its annotation and a sample of its frames."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from harness.data.clips import RECORDED
from harness.data.parts import only_made, unmade_line, unmade_streams
from harness.data.registry import clips_at
from mtcd_plugin.formats.clips import Clip, ClipTable
from mtcd_plugin.formats.splits import read_quarantine
from mtcd_plugin.formats.video import VideoInfo, probe, read_frames

SAMPLED_CLIPS = 40
FRAMES_PER_CLIP = 4


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
            line = f"clip {clip.clip_id}, {modality}: {str(error).replace(f'{self.root}/', '')}"
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


def dataset_statistics(root: Path, quarantine: str | Path = "") -> dict[str, Any]:
    """What a data page shows, as plain JSON values; ``Statistics`` in ``summary.py`` lists them.

    ``rgb`` holds per lighting the mean and standard deviation of colour values in [0, 1], over all pixels and channels
    of frames evenly spaced in an even sample of clips (Figure 4). Files that cannot be read do no harm: ``left_out``
    names them, and what they would have shown is measured on the others, or is not there.

    Raises:
        FileNotFoundError, ValueError: the annotation cannot be read, one line.
    """
    data = open_readable(root, quarantine)
    table, clips = data.table, data.clips
    info = {m: found for m in RECORDED if (found := _first_info(data, m)) is not None}
    about = Path(root) / "dataset.json"
    made = json.loads(about.read_text(encoding="utf-8-sig")) if about.is_file() else {}
    light = {light: _light(data, light) for light in sorted({c.lighting for c in clips})}
    return {
        "name": table.name,
        "synthetic": table.synthetic,
        "generator_version": str(made.get("generator_version", "")),
        "seed": str(made.get("seed", "")),
        "classes": list(table.classes),
        "clips": len(clips),
        "quarantined": data.quarantined,
        "subjects": len({c.subject for c in clips}),
        "clips_per_class": _count(table.classes[c.label] for c in clips),
        "clips_per_subject": _count(c.subject for c in clips),
        "clips_per_scene": _count(c.scene for c in clips if c.scene),
        "clips_per_split": _count(c.split for c in clips),
        "clips_per_lighting": _count(c.lighting for c in clips if c.lighting),
        "resolution": {m: [i.width, i.height] for m, i in info.items()},
        "fps": {m: round(i.fps, 3) for m, i in info.items()},
        "lengths": [c.streams["rgb"].frames for c in clips if "rgb" in c.streams],
        "seconds": round(sum(s.frames / s.fps for c in clips for m, s in c.streams.items() if m == "rgb"), 1),
        "rgb": {name: values for name, values in light.items() if values is not None},
        "left_out": data.left_out,
        **({"unmade": data.unmade} if data.unmade else {}),
    }


def _first_info(data: Readable, modality: str) -> VideoInfo | None:
    """What the first file of a modality is that can be opened; a few are tried."""
    for clip in [c for c in data.clips if modality in c.streams][:SAMPLED_CLIPS]:
        if (info := data.attempt(probe, clip, modality)) is not None:
            return info
    return None


def _count(items) -> dict[str, int]:
    return dict(sorted(Counter(items).items()))


def _light(data: Readable, lighting: str) -> dict[str, float] | None:
    clips = [c for c in data.clips if c.lighting == lighting and "rgb" in c.streams]
    chosen = [clips[i] for i in np.linspace(0, len(clips) - 1, min(SAMPLED_CLIPS, len(clips))).astype(int)]
    total = squares = count = 0.0
    for clip in chosen:
        s = clip.streams["rgb"]
        numbers = np.linspace(s.start, s.end - 1, min(FRAMES_PER_CLIP, s.frames)).astype(int)
        frames = data.attempt(partial(read_frames, indices=numbers), clip, "rgb")
        if frames is None:
            continue
        values = frames.astype(np.float64) / 255
        total += values.sum()
        squares += (values**2).sum()
        count += values.size
    if not count:
        return None
    mean = total / count
    return {"mean": mean, "std": float(np.sqrt(max(squares / count - mean**2, 0.0)))}
