"""NvGesture for MMAction2."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from mmaction.registry import DATASETS
from mmengine.logging import print_log

from mtcd_plugin.datasets.clip_dataset import ClipDataset
from mtcd_plugin.formats.clips import ClipTable
from mtcd_plugin.formats.nvgesture import DEFAULT_STREAMS, read_nvgesture


@DATASETS.register_module()
class NvGestureDataset(ClipDataset):
    """NvGesture (layout: ``formats/nvgesture.py``).

    Args:
        streams: modality -> one of the five streams; by default colour, depth and the left infrared camera.
        lists: ``v2`` (corrected labels) or ``v1``.
        spans: file with the gestures' spans in training clips, also relative to ``data_root``
            (``formats/nvgesture_spans.py``); '' for none. For pipelines with ``GestureProgress``. Clips that the file
            lacks are all gesture; they are logged.
        kwargs: see ``ClipDataset``.
    """

    def __init__(
        self,
        data_root: str,
        pipeline: list,
        streams: Mapping[str, str] = DEFAULT_STREAMS,
        lists: str = "v2",
        spans: str = "",
        **kwargs,
    ) -> None:
        self.streams = dict(streams)
        self.lists = lists
        self.spans = spans
        if spans and (split := kwargs.get("split", "train")) == "test":
            raise ValueError(f"spans={spans!r}: split '{split}' has none; they are for training")
        if spans and not any(str(step.get("type")).endswith("GestureProgress") for step in pipeline):
            raise ValueError(f"spans={spans!r} has no effect: no GestureProgress in the pipeline")
        super().__init__(data_root, pipeline, **kwargs)

    def read_table(self) -> ClipTable:
        return read_nvgesture(self.data_root, self.streams, self.lists, self.spans)

    def load_data_list(self) -> list[dict]:
        samples = super().load_data_list()
        without = [sample["clip_id"] for sample in samples if "spans" not in sample]
        if self.spans and without:
            print_log(
                f"NvGesture, split '{self.split}': {len(without)} of {len(samples)} clips have no span in "
                f"{self.spans} and count as gesture from first to last frame (first: {', '.join(without[:3])})",
                logger="current",
                level=logging.WARNING,
            )
        return samples
