"""Adjustment of p values for looking at many of them together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p: Sequence[float], family: int = 0) -> list[float]:
    """Holm's step-down adjusted p values (Holm 1979), in the order given.

    Args:
        family: number of hypotheses that were stated beforehand, tested or not, so that p does not depend on what has
            been run; those without a p count as 1. At least ``len(p)`` are taken.
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    factors = max(family, len(p)) - np.arange(len(p))  # those without a p come last and change none before them
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * factors))
    return adjusted.tolist()
