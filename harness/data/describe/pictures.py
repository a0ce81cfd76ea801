"""Size and frame rate of a modality's pictures, and how many clips have others than most have."""

from __future__ import annotations

from collections import Counter
from typing import Any

from harness.data.clips import RECORDED
from harness.data.describe.readable import Readable, evenly
from mtcd_plugin.formats.video import probe

PROBED_CLIPS = 200  # of each modality: all of a small data set


def pictures(data: Readable) -> dict[str, Any]:
    """``resolution`` and ``fps`` that most clips have, by modality; ``other_resolution`` and ``other_fps``: those that
    the others have, with the number of clips; ``probed``: of how many clips of a modality at most, where not of all.
    """
    found: dict[str, dict[str, Any]] = {"resolution": {}, "other_resolution": {}, "fps": {}, "other_fps": {}}
    sampled = False
    for modality in RECORDED:
        clips = [c for c in data.clips if modality in c.streams]
        sampled = sampled or len(clips) > PROBED_CLIPS
        sizes, rates = Counter[tuple[int, int]](), Counter[float]()
        for clip in evenly(clips, PROBED_CLIPS):
            if (info := data.attempt(probe, clip, modality)) is not None:
                sizes[info.width, info.height] += 1
                rates[round(info.fps or clip.streams[modality].fps, 2)] += 1  # that of the annotation, where it counts
        if not sizes:
            continue
        (size, _), *other_sizes = sizes.most_common()
        (rate, _), *other_rates = rates.most_common()
        found["resolution"][modality], found["fps"][modality] = list(size), rate
        if other_sizes:
            found["other_resolution"][modality] = {f"{w} x {h}": n for (w, h), n in other_sizes}
        if other_rates:
            found["other_fps"][modality] = {f"{fps:g}": n for fps, n in other_rates}
    return found | ({"probed": PROBED_CLIPS} if sampled else {})
