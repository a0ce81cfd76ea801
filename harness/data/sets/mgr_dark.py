"""MGR-Dark: gestures in RGB, depth and infrared, each in the dark and in daylight."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.data.registry import ClipDataSet, Progress

if TYPE_CHECKING:
    from harness.data.segment.cut import Summary
    from harness.data.verify.finding import Checked
    from mtcd_plugin.formats.clips import ClipTable


def read(root: str, **keys: Any) -> ClipTable:
    from mtcd_plugin.formats.mgr_dark import read_mgr_dark

    return read_mgr_dark(root, **keys)


def verify(root: Path, processes: int, progress: Progress | None) -> Checked:
    from harness.data.verify.clip_set import check_clip_set
    from harness.data.verify.mgr_dark import CHECKS

    return check_clip_set(root, CHECKS, processes, progress)


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
)
