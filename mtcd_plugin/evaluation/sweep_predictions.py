"""Predictions of a fused sweep: one file per point."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric

from mtcd_plugin.evaluation.clip_predictions import ClipPredictions


@METRICS.register_module()
class SweepPredictions(BaseMetric):
    """:class:`ClipPredictions` for every point of a ``FusedSweepDistiller``.

    Args:
        points: number of points.
        out_dir: ``<out_dir>/<point's number>/predictions.parquet`` are written; '' for none.

    ``compute_metrics`` returns ``point<i>/acc/top1`` and so on.
    """

    def __init__(self, points: int, out_dir: str = "", collect_device: str = "cpu", prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        files = [str(Path(out_dir) / str(i) / "predictions.parquet") if out_dir else "" for i in range(points)]
        self.metrics = [ClipPredictions(out_file=file) for file in files]

    def process(self, data_batch, data_samples: Sequence[dict]) -> None:
        for sample in data_samples:  # one entry per clip: BaseMetric keeps as many as there are clips
            rows = []
            for metric, scores in zip(self.metrics, sample["sweep_scores"], strict=True):
                metric.process(data_batch, [{**sample, "pred_score": scores}])
                rows.append(metric.results.pop())
            self.results.append(rows)

    def compute_metrics(self, results: list[list[dict]]) -> dict[str, float]:
        measured = {}
        for i, metric in enumerate(self.metrics):
            for name, value in metric.compute_metrics([rows[i] for rows in results]).items():
                measured[f"point{i}/acc/{name}"] = value
        return measured
