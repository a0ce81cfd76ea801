"""NvGesture for MMAction2."""

from __future__ import annotations

from collections.abc import Mapping

from mmaction.registry import DATASETS

from mtcd_plugin.datasets.clip_dataset import ClipDataset
from mtcd_plugin.formats.clips import ClipTable
from mtcd_plugin.formats.nvgesture import DEFAULT_STREAMS, read_nvgesture


@DATASETS.register_module()
class NvGestureDataset(ClipDataset):
    """NvGesture (layout: ``formats/nvgesture.py``).

    Args:
        streams: modality -> one of the five streams; by default colour, depth and the left infrared camera.
        lists: ``v2`` (corrected labels) or ``v1``.
        kwargs: see ``ClipDataset``.
    """

    def __init__(
        self,
        data_root: str,
        pipeline: list,
        streams: Mapping[str, str] = DEFAULT_STREAMS,
        lists: str = "v2",
        **kwargs,
    ) -> None:
        self.streams = dict(streams)
        self.lists = lists
        super().__init__(data_root, pipeline, **kwargs)

    def read_table(self) -> ClipTable:
        return read_nvgesture(self.data_root, self.streams, self.lists)
