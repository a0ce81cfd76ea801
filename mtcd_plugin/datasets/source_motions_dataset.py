"""The synthetic source set for MMAction2."""

from __future__ import annotations

from mmaction.registry import DATASETS

from mtcd_plugin.datasets.clip_dataset import ClipDataset
from mtcd_plugin.formats.clips import ClipTable
from mtcd_plugin.formats.source_motions import read_source_motions


@DATASETS.register_module()
class SourceMotionsDataset(ClipDataset):
    """Colour, depth and infrared videos of motions, each with three channels (``formats/source_motions.py``).

    Args:
        kwargs: see ``ClipDataset``.
    """

    def read_table(self) -> ClipTable:
        return read_source_motions(self.data_root)
