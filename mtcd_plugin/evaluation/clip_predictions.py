"""Predictions of every clip, and the accuracies that follow from them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric

from mtcd_plugin.accuracy import accuracies

SCHEMA = pa.schema(
    [
        ("clip_id", pa.string()),
        ("subject", pa.string()),
        ("label", pa.int32()),
        ("scores", pa.list_(pa.float32())),
    ]
)


@METRICS.register_module()
class ClipPredictions(BaseMetric):
    """Top-1, top-5 and mean class accuracy (paper, Eq. 11), and the scores of all clips as a parquet file.

    Args:
        out_file: parquet file to write, '' for none. Columns ``clip_id subject label scores``, by clip id.
        collect_device: see ``BaseMetric``.

    ``compute_metrics`` returns the fractions ``acc/top1``, ``acc/top5`` and ``acc/mean1``. It raises ValueError
    for scores that are not finite and for a clip predicted twice.
    """

    default_prefix = "acc"

    def __init__(self, out_file: str = "", collect_device: str = "cpu", prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.out_file = out_file

    def process(self, data_batch, data_samples: Sequence[dict]) -> None:
        for sample in data_samples:
            self.results.append(
                {
                    "clip_id": sample["clip_id"],
                    "subject": sample["subject"],
                    "label": int(sample["gt_label"]),
                    "scores": sample["pred_score"].detach().cpu().numpy().astype(np.float32),
                }
            )

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        rows = sorted(results, key=lambda row: row["clip_id"])
        for row, following in zip(rows, rows[1:] + [None], strict=True):
            if not np.isfinite(row["scores"]).all():
                raise ValueError(f"clip {row['clip_id']}: the scores are not finite; training has diverged")
            if following is not None and row["clip_id"] == following["clip_id"]:
                raise ValueError(f"clip {row['clip_id']} was predicted twice")
        if self.out_file:
            write_predictions(self.out_file, rows)
        scores = np.stack([row["scores"] for row in rows])
        return accuracies(scores, np.array([row["label"] for row in rows]))


def write_predictions(path: str, rows: Sequence[dict]) -> None:
    """Write rows of ``clip_id subject label scores`` as parquet, replacing the file in one step."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        pq.write_table(pa.Table.from_pylist(list(rows), schema=SCHEMA), unfinished)
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
