"""Metrics, computed from stored predictions and from nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.ledger.record import Metrics
from mtcd_plugin.accuracy import accuracies

if TYPE_CHECKING:
    import pandas as pd


def compute_metrics(predictions: pd.DataFrame) -> Metrics:
    """``metrics_of`` a table with columns ``label`` int and ``scores`` float array [classes], one row per test clip."""
    if predictions.empty:
        raise ValueError("no predictions: the test split is empty")
    return metrics_of(np.stack(predictions["scores"].to_numpy()), predictions["label"].to_numpy())


def metrics_of(scores: np.ndarray, labels: np.ndarray) -> Metrics:
    """Top-1 (paper, Eq. 11), top-5 and mean class accuracy: ``mtcd_plugin.accuracy`` counts, here as in training.

    Args:
        scores: float [clips, classes].
        labels: int [clips].

    Raises:
        ValueError: no clips, labels outside the classes, or scores that are not finite.
    """
    found = accuracies(np.asarray(scores), np.asarray(labels, dtype=np.int64))
    return Metrics(top1=found["top1"], top5=found["top5"], mean_class=found["mean1"])


def same_metrics(a: Metrics, b: Metrics, tolerance: float = 1e-9) -> bool:
    """Whether two sets of metrics agree up to rounding in JSON."""
    return all(abs(getattr(a, f) - getattr(b, f)) <= tolerance for f in ("top1", "top5", "mean_class"))
