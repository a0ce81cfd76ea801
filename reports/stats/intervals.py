"""95 % intervals of accuracies and of their differences: a bootstrap over subjects, seeded for equal pages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reports.stats.training import Training

INTERVAL = "bootstrap over subjects, then their clips, then trainings"


DRAWS = 2000


SEED = 2024


def accuracy_interval(
    correct: np.ndarray, subjects: Sequence[str], training: Training | None = None
) -> tuple[float, float]:
    """95 % interval of an accuracy: ``cluster_bootstrap``; where there is one training,
    its draws vary with ``training``.

    Args:
        correct: bool [seeds, clips]. training: None where nothing says how another training would come out.
    """
    draws = cluster_bootstrap([correct], subjects)[:, 0] + _trainings(training, len(correct))
    return interval(draws.clip(0, 1))


def difference_interval(
    a: np.ndarray, b: np.ndarray, subjects: Sequence[str], training: Training | None = None
) -> tuple[float, float]:
    """95 % interval of the difference of two accuracies on the same clips, as ``accuracy_interval``."""
    draws = cluster_bootstrap([a, b], subjects)
    noise = _trainings(training, len(a)) - _trainings(training, len(b), salt=1)
    return interval((draws[:, 0] - draws[:, 1] + noise).clip(-1, 1))


def cluster_bootstrap(
    groups: Sequence[np.ndarray], subjects: Sequence[str], draws: int = DRAWS, seed: int = SEED
) -> np.ndarray:
    """Bootstrap accuracies of methods on the same clips: subjects are drawn,
    then clips within each drawn subject.

    Clips of one person are not independent, so drawing clips alone would give intervals that are too
    narrow. Where a method has several seeds, its seeds are drawn as well (independently per method).

    Clips of a subject with equal correctness are exchangeable: their number in a draw is multinomial, which
    gives exactly the distribution of drawing clips one by one, at a fraction of the time.

    Args:
        groups: per method a correctness array bool [seeds, clips], clips in the same order.
        subjects: subject of each clip.

    Returns:
        float [draws, methods]; columns share the drawn subjects and clips, so their difference is a paired
        draw.
    """
    stacked = np.concatenate([np.asarray(g, dtype=bool) for g in groups])  # [all seeds, clips]
    if stacked.shape[1] != len(subjects) or not len(subjects):
        raise ValueError(f"{len(subjects)} subjects for {stacked.shape[1]} clips")
    rng = np.random.default_rng(seed)
    patterns, which = np.unique(stacked, axis=1, return_inverse=True)  # [all seeds, patterns]
    which = np.asarray(which).reshape(-1)
    names, owner = np.unique(np.asarray(subjects, dtype=str), return_inverse=True)
    counts = np.zeros((len(names), patterns.shape[1]))
    np.add.at(counts, (owner, which), 1)
    size = counts.sum(axis=1)

    times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)  # [draws, subjects]
    drawn = np.zeros((draws, patterns.shape[1]))
    for s in range(len(names)):
        present = np.flatnonzero(counts[s])
        clips = (times[:, s] * size[s]).astype(np.int64)
        drawn[:, present] += rng.multinomial(clips, counts[s, present] / size[s])
    per_seed = drawn @ patterns.T / drawn.sum(axis=1, keepdims=True)  # [draws, all seeds]

    out, first = np.empty((draws, len(groups))), 0
    for g, group in enumerate(groups):
        n = len(group)
        weights = rng.multinomial(n, np.full(n, 1 / n), size=draws) / n
        out[:, g] = (per_seed[:, first : first + n] * weights).sum(axis=1)
        first += n
    return out


def _trainings(training: Training | None, seeds: int, salt: int = 0) -> np.ndarray | float:
    """What another training would have changed, drawn: 0 for several seeds, which are drawn themselves."""
    if training is None or seeds > 1:
        return 0.0
    return training.std * np.random.default_rng([SEED, salt]).standard_t(training.freedom, DRAWS)


def interval(draws: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of bootstrap draws."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
