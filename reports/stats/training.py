"""How much accuracy varies from one training to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Training:
    """How much accuracy varies from one training to the next, tested on the same clips.

    Attributes:
        std: standard deviation, as a fraction. freedom: degrees of freedom of its estimate.
        cells: cells that were trained more than once and from which it was pooled; 0 where it is ``source``'s alone.
        source: of what was stated and is part of it, "" for none.
    """

    std: float
    freedom: int
    cells: int
    source: str = ""


def pooled(repeats: Sequence[Sequence[float]]) -> Training:
    """The standard deviation within cells, pooled over them: each counts by its degrees of freedom.

    Raises:
        ValueError: no cell has two values.
    """
    freedom = sum(len(v) - 1 for v in repeats)
    if freedom < 1:
        raise ValueError("no cell was trained twice")
    squares = sum(np.var(v, ddof=1) * (len(v) - 1) for v in repeats if len(v) > 1)
    return Training(float(np.sqrt(squares / freedom)), freedom, sum(len(v) > 1 for v in repeats))


def together(one: Training, other: Training) -> Training:
    """One deviation of two estimates, each counting by its degrees of freedom."""
    freedom = one.freedom + other.freedom
    square = (one.freedom * one.std**2 + other.freedom * other.std**2) / freedom
    return Training(float(np.sqrt(square)), freedom, one.cells + other.cells, one.source or other.source)


def mean_std(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and sample standard deviation (n - 1); the deviation of a single value is not defined (None).

    Raises:
        ValueError: no values.
    """
    if len(values) == 0:
        raise ValueError("mean of no values")
    v = np.asarray(values, dtype=np.float64)
    return float(v.mean()), float(v.std(ddof=1)) if len(v) > 1 else None
