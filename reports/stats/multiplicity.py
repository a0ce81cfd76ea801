"""Adjustment of p values for looking at many of them together."""

from __future__ import annotations

from collections.abc import Sequence

from harness.system.gc_pause import gc_spared
from reports.stats.remembered import remembered


def holm(p: Sequence[float], family: int = 0) -> list[float]:
    """Holm's step-down adjusted p values (Holm 1979), in the order given.

    Args:
        family: number of hypotheses that were stated beforehand, tested or not, so that p does not depend on what has
            been run; those without a p count as 1. At least ``len(p)`` are taken.
    """
    return _holm(tuple(p), max(family, len(p))) if len(p) else []


@remembered(list)
def _holm(p: tuple[float, ...], family: int) -> list[float]:
    from statsmodels.stats.multitest import multipletests

    untested = [1.0] * (family - len(p))
    with gc_spared():  # it collects garbage, which takes longer than all else where a large ledger is in memory
        return multipletests([*p, *untested], method="holm")[1][: len(p)].tolist()
