"""Adjustment of p values for looking at many of them together.

Here and not by statsmodels, whose ``multipletests`` is the tests' reference: to import it takes 1.7 s of a processor, a
third of what a report may take.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p: Sequence[float], family: int = 0) -> list[float]:
    """Holm's step-down adjusted p values (Holm 1979), in the order given.

    Args:
        family: number of hypotheses that were stated beforehand, tested or not, so that p does not depend on what has
            been run; those without a p count as 1. At least ``len(p)`` are taken.
    """
    values, family = np.asarray(p, dtype=np.float64), max(family, len(p))
    order = np.argsort(values, kind="stable")  # those without a p come last
    adjusted = np.empty_like(values)
    adjusted[order] = np.maximum.accumulate(values[order] * np.arange(family, family - len(p), -1)).clip(max=1)
    return adjusted.tolist()
