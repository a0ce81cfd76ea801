"""Writing optical flow to a clip store."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric

from mtcd_plugin.evaluation.pseudo_infrared import frames
from mtcd_plugin.formats.clip_store_writer import ClipStoreWriter
from mtcd_plugin.formats.flow_code import NO_MOTION


@METRICS.register_module()
class FlowStore(BaseMetric):
    """Writes each clip's ``flow`` to a clip store, frame by frame beside its RGB window.

    Args:
        output_dir: folder of the store; it must not exist yet. '' measures only.
        source: what the store was made from.

    ``compute_metrics`` returns means over all clips: ``flow/motion``, the mean of |x| and |y| as a share of the bound,
    and ``flow/clipped``, the share of values at the bound, where motion beyond it is not told apart.
    """

    default_prefix = "flow"

    def __init__(self, output_dir: str = "", source: str = "", collect_device: str = "cpu", prefix=None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.output_dir, self.source = output_dir, source
        self.writer: ClipStoreWriter | None = None

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        for sample in data_samples:
            flow = frames(sample["flow"])
            if self.output_dir and self.writer is None:
                size = (flow.shape[2], flow.shape[1])
                self.writer = ClipStoreWriter(self.output_dir, "flow", size, source=self.source)
            if self.writer is not None:
                self.writer.add(sample["clip_id"], flow)
            share = np.abs(flow.astype(np.int16) - NO_MOTION) / 127
            self.results.append((float(share.mean()), float((share == 1).mean())))

    def compute_metrics(self, results: list[tuple[float, float]]) -> dict[str, float]:
        if self.writer is not None:
            self.writer.close()
            self.writer = None
        motion, clipped = np.mean(results, axis=0)
        return {"motion": float(motion), "clipped": float(clipped)}
