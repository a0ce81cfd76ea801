"""Adjustment of p values for looking at many of them together."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p: Sequence[float], family: int = 0) -> list[float]:
    """Holm's step-down adjusted p values (Holm 1979), in the order given.

    Args:
        family: number of hypotheses that were stated beforehand, tested or not, so that p does not depend on what has
            been run; those without a p count as 1. At least ``len(p)`` are taken.
    """
    order = sorted(range(len(p)), key=lambda i: p[i])
    most, adjusted, highest = max(family, len(p)), [0.0] * len(p), 0.0
    for place, i in enumerate(order):
        highest = max(highest, min(1.0, (most - place) * p[i]))
        adjusted[i] = highest
    return adjusted
