"""95 % intervals of accuracies and of their differences: a bootstrap over subjects, seeded for equal pages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

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
    patterns, which = np.unique(stacked, axis=1, return_inverse=True)  # [all seeds, patterns]
    which = np.asarray(which).reshape(-1)
    people, owner = _people(tuple(subjects))
    counts = np.zeros((people, patterns.shape[1]))
    np.add.at(counts, (owner, which), 1)
    size = counts.sum(axis=1)

    times, state = _drawn_people(people, draws, seed)
    rng = np.random.default_rng(seed)
    rng.bit_generator.state = state
    drawn = np.zeros((draws, patterns.shape[1]))
    for s in range(people):
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


@lru_cache(maxsize=16)
def _people(subjects: tuple[str, ...]) -> tuple[int, np.ndarray]:
    """How many there are, and which of them each clip is of: int [clips]."""
    names, owner = np.unique(np.asarray(subjects, dtype=str), return_inverse=True)
    return len(names), owner


@lru_cache(maxsize=16)
def _drawn_people(people: int, draws: int, seed: int) -> tuple[np.ndarray, dict[str, Any]]:
    """How often each subject is drawn, int [draws, subjects], and the state of the generator after it: the same for
    all methods that were tested on so many."""
    rng = np.random.default_rng(seed)
    times = rng.multinomial(people, np.full(people, 1 / people), size=draws)
    return times, dict(rng.bit_generator.state)


def interval(draws: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of bootstrap draws."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
