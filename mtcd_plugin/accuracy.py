"""Top-k of stored scores, as one rule for everything that counts: training, ledger and pages. Light: numpy alone."""

from __future__ import annotations

import numpy as np


def predicted_classes(scores: np.ndarray) -> np.ndarray:
    """The class with the highest score, the lowest number among equals (as ``argmax``): int [clips].

    Args:
        scores: float [clips, classes].

    Raises:
        ValueError: no classes, or scores that are not finite.
    """
    if scores.ndim != 2 or not scores.shape[1]:
        raise ValueError(f"scores of shape {scores.shape}: expected [clips, classes]")
    bad = ~np.isfinite(scores).all(axis=1)
    if bad.any():
        raise ValueError(f"predictions hold scores that are not finite ({int(bad.sum())} of {len(scores)} clips)")
    return scores.argmax(axis=1)


def among_top(scores: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Whether the label is among the ``k`` highest scores, the lowest numbers first among equals: bool [clips].

    ``k = 1`` is ``predicted_classes(scores) == labels``: one order of classes for every k.

    Args:
        scores: float [clips, classes].
        labels: int [clips].

    Raises:
        ValueError: scores that are not finite, or labels outside of the classes.
    """
    predicted = predicted_classes(scores)
    if len(labels) and not (labels.min() >= 0 and labels.max() < scores.shape[1]):
        raise ValueError(f"labels {labels.min()}..{labels.max()} lie outside the {scores.shape[1]} classes")
    if k == 1:
        return predicted == labels
    own = scores[np.arange(len(labels)), labels][:, None]
    before = np.arange(scores.shape[1]) < labels[:, None]
    return ((scores > own) | ((scores == own) & before)).sum(axis=1) < k


def accuracies(scores: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Fractions of clips (paper, Eq. 11): ``top1``, ``top5``, and ``mean1``,
    the mean of ``top1`` over the classes that occur.

    Args:
        scores: float [clips, classes].
        labels: int [clips].

    Raises:
        ValueError: no clips, scores that are not finite, or labels outside of the classes.
    """
    if not len(labels):
        raise ValueError("no predictions: the test split is empty")
    right = among_top(scores, labels, 1)
    per_class = [right[labels == label].mean() for label in np.unique(labels)]
    return {
        "top1": float(right.mean()),
        "top5": float(among_top(scores, labels, 5).mean()),
        "mean1": float(np.mean(per_class)),
    }
