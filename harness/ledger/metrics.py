"""Metrics, computed from stored predictions and from nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.ledger.record import Metrics

if TYPE_CHECKING:
    import pandas as pd


def compute_metrics(predictions: pd.DataFrame) -> Metrics:
    """``metrics_of`` a table with columns ``label`` int and ``scores`` float array [classes], one row per test clip."""
    if predictions.empty:
        raise ValueError("no predictions: the test split is empty")
    return metrics_of(np.stack(predictions["scores"].to_numpy()), predictions["label"].to_numpy())


def metrics_of(scores: np.ndarray, labels: np.ndarray) -> Metrics:
    """Top-1 (paper, Eq. 11), top-5 and mean class accuracy.

    A clip counts for top-k when fewer than k classes score at least as high as its label, so that ties never flatter
    (a constant score is wrong everywhere, not right for one class).

    Args:
        scores: float [clips, classes].
        labels: int [clips].

    Raises:
        ValueError: no clips, labels outside the classes, or scores that are not finite.
    """
    if not len(labels):
        raise ValueError("no predictions: the test split is empty")
    scores, labels = scores.astype(np.float64), labels.astype(np.int64)
    if not np.isfinite(scores).all():
        raise ValueError("predictions hold scores that are not finite")
    if labels.min() < 0 or labels.max() >= scores.shape[1]:
        raise ValueError(f"labels {labels.min()}..{labels.max()} lie outside the {scores.shape[1]} classes")
    own = scores[np.arange(len(labels)), labels]
    rank = (scores >= own[:, None]).sum(axis=1) - 1
    right = rank < 1
    per_class = [right[labels == c].mean() for c in np.unique(labels)]
    return Metrics(
        top1=float(right.mean()), top5=float((rank < 5).mean()), mean_class=float(np.mean(per_class))
    )


def same_metrics(a: Metrics, b: Metrics, tolerance: float = 1e-9) -> bool:
    """Whether two sets of metrics agree up to rounding in JSON."""
    return all(abs(getattr(a, f) - getattr(b, f)) <= tolerance for f in ("top1", "top5", "mean_class"))
