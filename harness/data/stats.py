"""Statistics of a clip data set (paper, Table 1 and Figures 3-4), from its annotation and a sample of its frames."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from mtcd_plugin.formats.clips import Clip, ClipTable
from mtcd_plugin.formats.mgr_dark import read_mgr_dark
from mtcd_plugin.formats.nvgesture import read_nvgesture
from mtcd_plugin.formats.video import probe, read_frames

SAMPLED_CLIPS = 40
FRAMES_PER_CLIP = 4


def open_table(root: Path) -> ClipTable:
    """The clip table of a folder, told by what lies in it. Raises FileNotFoundError for a folder of neither layout."""
    root = Path(root)
    if (root / "annotations.csv").is_file():
        return read_mgr_dark(str(root), "both")
    if (root / "Video_data").is_dir():
        return read_nvgesture(str(root))
    raise FileNotFoundError(f"{root}: neither MGR-Dark (annotations.csv) nor NvGesture (Video_data) is here")


def dataset_statistics(root: Path) -> dict[str, Any]:
    """What a data page shows, as plain JSON values.

    ``rgb`` holds per lighting the mean and standard deviation of colour values in [0, 1], over all pixels and channels
    of frames evenly spaced in an even sample of clips (Figure 4).
    """
    table = open_table(root)
    clips = table.clips
    first = {m: next((c.streams[m] for c in clips if m in c.streams), None) for m in ("rgb", "depth", "ir")}
    info = {m: probe(s.path) for m, s in first.items() if s is not None}
    about = Path(root) / "dataset.json"
    made = json.loads(about.read_text(encoding="utf-8")) if about.is_file() else {}
    return {
        "name": table.name,
        "synthetic": table.synthetic,
        "generator_version": made.get("generator_version", ""),
        "seed": made.get("seed", ""),
        "classes": list(table.classes),
        "clips": len(clips),
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
        "rgb": {
            light: _light([c for c in clips if c.lighting == light])
            for light in sorted({c.lighting for c in clips})
        },
    }


def _count(items) -> dict[str, int]:
    return dict(sorted(Counter(items).items()))


def _light(clips: list[Clip]) -> dict[str, float]:
    chosen = [clips[i] for i in np.linspace(0, len(clips) - 1, min(SAMPLED_CLIPS, len(clips))).astype(int)]
    total = squares = count = 0.0
    for clip in chosen:
        s = clip.streams["rgb"]
        numbers = np.linspace(s.start, s.end - 1, min(FRAMES_PER_CLIP, s.frames)).astype(int)
        values = read_frames(s.path, numbers).astype(np.float64) / 255
        total += values.sum()
        squares += (values**2).sum()
        count += values.size
    mean = total / count
    return {"mean": mean, "std": float(np.sqrt(max(squares / count - mean**2, 0.0)))}
