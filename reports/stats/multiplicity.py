"""Adjustment of p values for looking at many of them together."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p: Sequence[float], family: int = 0) -> list[float]:
    """Holm's step-down adjusted p values (Holm 1979), in the order given.

    Args:
        family: number of hypotheses that were stated beforehand, tested or not, so that p does not depend on what has
            been run; those without a p count as 1. At least ``len(p)`` are taken.
    """
    from statsmodels.stats.multitest import multipletests

    if len(p) == 0:
        return []
    untested = [1.0] * (family - len(p))
    return multipletests([*p, *untested], method="holm")[1][: len(p)].tolist()
