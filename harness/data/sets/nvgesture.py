"""NvGesture: gestures in a car, seen by a colour, a depth and a stereo infrared camera."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.data.registry import ClipDataSet, Parts, Progress

if TYPE_CHECKING:
    from harness.data.verify.finding import Checked
    from mtcd_plugin.formats.clips import Clip, ClipTable


PART_OF = {"sk_color": "rgb", "sk_wrapped": "rgb", "sk_depth": "depth", "duo_left": "ir", "duo_right": "ir"}
"""The part of the synthetic set that a stream is in: a modality with all of its streams."""


def read(root: str, **keys: Any) -> ClipTable:
    from mtcd_plugin.formats.nvgesture import read_nvgesture

    return read_nvgesture(root, **keys)


def verify(root: Path, processes: int, progress: Progress | None) -> Checked:
    from harness.data.verify.clip_set import check_clip_set
    from harness.data.verify.nvgesture import CHECKS

    return check_clip_set(root, CHECKS, processes, progress, NVGESTURE)


def parts_read(dataset: Mapping[str, Any]) -> tuple[str, ...]:
    from harness.data.parts import recorded
    from mtcd_plugin.formats.nvgesture import DEFAULT_STREAMS

    streams = dataset.get("streams") or DEFAULT_STREAMS
    modalities = recorded(dataset.get("modalities") or ("rgb",))
    return tuple(PART_OF[streams[m]] for m in modalities if m in streams and streams[m] in PART_OF)


def part_of(clip: Clip, stream: str) -> str:
    return PART_OF[Path(clip.streams[stream].path).stem]


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
    parts=Parts(parts_read, part_of),
    windows="NvGesture's lists",
)
