"""Many methods on the same clips: adjusted p of all pairs, ranks and tie groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.stats.multiplicity import holm
from reports.stats.significance import paired_wins, pairs_p
from reports.stats.training import Training


@dataclass(frozen=True)
class Standing:
    """Where a method stands: its group of ties (0 is the best) and the ranks that the data allow."""

    group: int
    best: int
    worst: int


def pairwise(methods: Sequence[np.ndarray], training: Training, family: int = 0) -> np.ndarray:
    """``pair_p`` of all pairs, adjusted by Holm: float [methods, methods], symmetric, 1 on the diagonal.

    Args:
        methods: correctness bool [seeds, clips] per method, the same clips in the same order.
        family: number of methods whose pairs were to be compared, measured or not.
    """
    n = len(methods)
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    each = pairs_p([(methods[i], methods[j]) for i, j in pairs], training)
    p = np.ones((n, n))
    for (i, j), adjusted in zip(pairs, holm(each, family * (family - 1) // 2), strict=True):
        p[i, j] = p[j, i] = adjusted
    return p


def standings(
    methods: Sequence[np.ndarray], training: Training, family: int = 0, alpha: float = 0.05
) -> list[Standing]:
    """Ranks with ties of methods measured on the same clips.

    Two methods differ significantly when ``pairwise`` says so and the one that wins more clips has the higher
    accuracy. A rank interval counts the methods that are significantly better and worse. A tie group has a fixed
    reference, its best method: it holds the methods after it, in order of accuracy, until the first that differs from
    the reference; that one is the reference of the next group. (Chaining overlaps would tie the first with the last.)

    Args:
        methods, training, family: as for ``pairwise``.
    """
    n = len(methods)
    mean = [float(m.mean()) for m in methods]
    p = pairwise(methods, training, family)

    def beats(i: int, j: int) -> bool:
        if p[i, j] >= alpha or mean[i] <= mean[j]:
            return False
        wins, losses = paired_wins(methods[i], methods[j])
        return wins > losses

    better = [sum(beats(j, i) for j in range(n)) for i in range(n)]
    worse = [sum(beats(i, j) for j in range(n)) for i in range(n)]
    group, reference, groups = -1, -1, [0] * n
    for i in sorted(range(n), key=lambda i: -mean[i]):
        if reference < 0 or beats(reference, i):
            reference, group = i, group + 1
        groups[i] = group
    return [Standing(groups[i], 1 + better[i], n - worse[i]) for i in range(n)]
