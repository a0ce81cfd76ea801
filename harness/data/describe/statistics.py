"""Statistics of a clip data set (paper, Table 1 and Figures 3-4), from its annotation and a sample of its frames."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from harness.data.describe.pictures import pictures
from harness.data.describe.readable import Readable, evenly, open_readable
from mtcd_plugin.formats.video import read_frames

SAMPLED_CLIPS = 40
FRAMES_PER_CLIP = 4


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
        **pictures(data),
        "lengths": [c.streams["rgb"].frames for c in clips if "rgb" in c.streams],
        "seconds": round(sum(s.frames / s.fps for c in clips for m, s in c.streams.items() if m == "rgb"), 1),
        "rgb": {name: values for name, values in light.items() if values is not None},
        "left_out": data.left_out,
        **({"unmade": data.unmade} if data.unmade else {}),
    }


def _count(items) -> dict[str, int]:
    return dict(sorted(Counter(items).items()))


def _light(data: Readable, lighting: str) -> dict[str, float] | None:
    clips = [c for c in data.clips if c.lighting == lighting and "rgb" in c.streams]
    total = squares = count = 0.0
    for clip in evenly(clips, SAMPLED_CLIPS):
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
