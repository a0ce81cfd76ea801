"""95 % intervals of accuracies and of their differences: a bootstrap over subjects, seeded for equal pages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from reports.stats.remembered import pair, remembered
from reports.stats.training import Training

INTERVAL = "bootstrap over subjects, then their clips, then trainings"


DRAWS = 2000


SEED = 2024


def accuracy_interval(
    correct: np.ndarray, subjects: Sequence[str], training: Training | None = None
) -> tuple[float, float] | None:
    """95 % interval of an accuracy: ``cluster_bootstrap``; where there is one training,
    its draws vary with ``training``. None where all draws are alike, as for 100 %: these say nothing of other clips.

    Args:
        correct: bool [seeds, clips]. training: None where nothing says how another training would come out.
    """
    return _unless_empty(_accuracy_interval(correct, tuple(subjects), _that_counts(training, correct)))


@remembered(pair)
def _accuracy_interval(
    correct: np.ndarray, subjects: tuple[str, ...], training: tuple[float, int] | None
) -> tuple[float, float]:
    draws = cluster_bootstrap([correct], subjects)[:, 0] + _trainings(training)
    return interval(draws.clip(0, 1))


def difference_interval(
    a: np.ndarray, b: np.ndarray, subjects: Sequence[str], training: Training | None = None
) -> tuple[float, float] | None:
    """95 % interval of the difference of two accuracies on the same clips, as ``accuracy_interval``: None for one and
    the same answers."""
    found = _difference_interval(a, b, tuple(subjects), _that_counts(training, a), _that_counts(training, b))
    return _unless_empty(found)


@remembered(pair)
def _difference_interval(
    a: np.ndarray,
    b: np.ndarray,
    subjects: tuple[str, ...],
    training_a: tuple[float, int] | None,
    training_b: tuple[float, int] | None,
) -> tuple[float, float]:
    draws = cluster_bootstrap([a, b], subjects)
    noise = _trainings(training_a) - _trainings(training_b, salt=1)
    return interval((draws[:, 0] - draws[:, 1] + noise).clip(-1, 1))


def cluster_bootstrap(
    groups: Sequence[np.ndarray], subjects: Sequence[str], draws: int = DRAWS, seed: int = SEED
) -> np.ndarray:
    """Bootstrap accuracies of methods on the same clips: subjects are drawn,
    then clips within each drawn subject.

    Clips of one person are not independent, so drawing clips alone would give intervals that are too
    narrow. Where a method has several seeds, its seeds are drawn as well (independently per method).
    All that were tested on the same clips share the drawn subjects and clips, which are drawn once.

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
    times, size = _drawn_clips(tuple(subjects), draws, seed)
    right = (times @ stacked.T.astype(np.float32)).astype(np.float64)  # [draws, all seeds], whole numbers: exact

    out, first = np.empty((draws, len(groups))), 0
    for g, group in enumerate(groups):
        n = len(group)
        drawn = np.einsum("ds,ds->d", right[:, first : first + n], _drawn_seeds(n, g, draws, seed))
        out[:, g] = drawn / (n * size)
        first += n
    return out


def _unless_empty(found: tuple[float, float]) -> tuple[float, float] | None:
    return found if found[0] < found[1] else None


def _that_counts(training: Training | None, correct: np.ndarray) -> tuple[float, int] | None:
    """Deviation and degrees of freedom of the trainings; None for several seeds, which are drawn themselves."""
    return None if training is None or len(correct) > 1 else (training.std, training.freedom)


def _trainings(training: tuple[float, int] | None, salt: int = 0) -> np.ndarray | float:
    """What another training would have changed, drawn."""
    return 0.0 if training is None else training[0] * _student_t(training[1], salt)


@lru_cache(maxsize=16)
def _student_t(freedom: int, salt: int) -> np.ndarray:
    return np.random.default_rng([SEED, salt]).standard_t(freedom, DRAWS)


@lru_cache(maxsize=8)
def _drawn_clips(subjects: tuple[str, ...], draws: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """How often each clip is drawn, float32 [draws, clips], and how many clips a draw has, float64 [draws]."""
    names, owner = np.unique(np.asarray(subjects, dtype=str), return_inverse=True)
    rng = np.random.default_rng(seed)
    people = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    times = np.empty((draws, len(subjects)), dtype=np.float32)
    for s in range(len(names)):
        own = np.flatnonzero(owner == s)
        times[:, own] = rng.multinomial(people[:, s] * len(own), np.full(len(own), 1 / len(own)))
    return times, times.sum(axis=1, dtype=np.float64)


@lru_cache(maxsize=16)
def _drawn_seeds(seeds: int, method: int, draws: int, seed: int) -> np.ndarray:
    """How often each of a method's seeds is drawn, float64 [draws, seeds]."""
    rng = np.random.default_rng([seed, method])
    return rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws).astype(np.float64)


def interval(draws: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of bootstrap draws."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
