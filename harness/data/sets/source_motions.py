"""The source set: synthetic motions that are no gestures, which networks are trained on before the benchmark's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.data.registry import ClipDataSet
from harness.data.synthesize.seeding import SOURCE_VERSION

if TYPE_CHECKING:
    from mtcd_plugin.formats.clips import ClipTable


def read(root: str, **keys: Any) -> ClipTable:
    from mtcd_plugin.formats.source_motions import read_source_motions

    return read_source_motions(root, **keys)


SOURCE_MOTIONS = ClipDataSet(
    name="source_motions",
    title="Source motions",
    marker="motions.csv",
    dataset_class="SourceMotionsDataset",
    generator="harness.data.synthesize.source_motions",
    generator_version="2.0",
    version=SOURCE_VERSION,
    on_demand=True,
    read=read,
)
