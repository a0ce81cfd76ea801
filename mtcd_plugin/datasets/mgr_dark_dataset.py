"""MGR-Dark for MMAction2."""

from __future__ import annotations

from mmaction.registry import DATASETS

from mtcd_plugin.datasets.clip_dataset import ClipDataset
from mtcd_plugin.formats.clips import ClipTable
from mtcd_plugin.formats.mgr_dark import read_mgr_dark


@DATASETS.register_module()
class MGRDarkDataset(ClipDataset):
    """MGR-Dark (layout: ``formats/mgr_dark.py``).

    Args:
        lighting: ``dark`` (the benchmark), ``daylight`` or ``both``.
        kwargs: see ``ClipDataset``.
    """

    def __init__(self, data_root: str, pipeline: list, lighting: str = "dark", **kwargs) -> None:
        self.lighting = lighting
        super().__init__(data_root, pipeline, **kwargs)

    def read_table(self) -> ClipTable:
        return read_mgr_dark(self.data_root, self.lighting)
