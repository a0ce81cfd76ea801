"""NvGesture: gestures in a car, seen by a colour, a depth and a stereo infrared camera."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.data.registry import ClipDataSet, Progress

if TYPE_CHECKING:
    from harness.data.verify.finding import Checked
    from mtcd_plugin.formats.clips import ClipTable


def read(root: str, **keys: Any) -> ClipTable:
    from mtcd_plugin.formats.nvgesture import read_nvgesture

    return read_nvgesture(root, **keys)


def verify(root: Path, processes: int, progress: Progress | None) -> Checked:
    from harness.data.verify.clip_set import check_clip_set
    from harness.data.verify.nvgesture import CHECKS

    return check_clip_set(root, CHECKS, processes, progress)


NVGESTURE = ClipDataSet(
    name="nvgesture",
    title="NvGesture",
    marker="Video_data",
    dataset_class="NvGestureDataset",
    verify=verify,
    generator="harness.data.synthesize.nvgesture_files",
    generator_version="2.0",
    read=read,
    keys=("streams", "lists", "spans"),
)
