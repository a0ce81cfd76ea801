"""MGR-Dark: gestures in RGB, depth and infrared, each in the dark and in daylight."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.data.registry import ClipDataSet, Parts, Progress

if TYPE_CHECKING:
    from harness.data.segment.cut import Summary
    from harness.data.verify.finding import Checked
    from mtcd_plugin.formats.clips import Clip, ClipTable


def read(root: str, **keys: Any) -> ClipTable:
    from mtcd_plugin.formats.mgr_dark import read_mgr_dark

    return read_mgr_dark(root, **keys)


def verify(root: Path, processes: int, progress: Progress | None) -> Checked:
    from harness.data.verify.clip_set import check_clip_set
    from harness.data.verify.mgr_dark import CHECKS

    return check_clip_set(root, CHECKS, processes, progress, MGR_DARK)


def parts_read(dataset: Mapping[str, Any]) -> tuple[str, ...]:
    from harness.data.parts import recorded
    from mtcd_plugin.formats.mgr_dark import LIGHTINGS, STREAMS

    lightings = [light for light in LIGHTINGS if dataset.get("lighting", "dark") in (light, "both")]
    streams = [name for name in recorded(dataset.get("modalities") or ("rgb",)) if name in STREAMS]
    return tuple(f"{light} {name}" for light in lightings for name in streams)


def part_of(clip: Clip, stream: str) -> str:
    return f"{clip.lighting} {stream}"


def segment(root: Path, out: Path, **options: Any) -> Summary:
    from harness.data.segment.cut import segment_recordings

    return segment_recordings(root, out, **options)


MGR_DARK = ClipDataSet(
    name="mgr_dark",
    title="MGR-Dark",
    marker="annotations.csv",
    dataset_class="MGRDarkDataset",
    verify=verify,
    generator="harness.data.synthesize.mgr_dark_files",
    lights=True,
    read=read,
    keys=("lighting",),
    everything={"lighting": "both"},
    segment=segment,
    parts=Parts(parts_read, part_of),
)
