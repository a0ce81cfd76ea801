"""SYSU-MM01: visible and infrared images of people, which translators are trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.data.registry import Image, ImageDataSet, Progress

if TYPE_CHECKING:
    from harness.data.verify.finding import Checked


def read(root: str) -> Sequence[Image]:
    from mtcd_plugin.formats.sysu import read_sysu_mm01

    return read_sysu_mm01(root)


def shows(image: Image, dataset: Mapping[str, Any]) -> bool:
    images = dataset.get("images", "rgb")
    return images == "rgb+ir" or image.infrared == (images == "ir")


def verify(root: Path, processes: int, progress: Progress | None) -> Checked:
    from harness.data.verify.sysu_mm01 import check_sysu_mm01

    return check_sysu_mm01(root, processes, progress)


SYSU_MM01 = ImageDataSet(
    name="sysu_mm01",
    title="SYSU-MM01",
    marker="exp",
    dataset_class="SYSUMM01Dataset",
    verify=verify,
    generator="harness.data.synthesize.sysu_mm01",
    generator_version="2.0",
    read=read,
    shows=shows,
)
