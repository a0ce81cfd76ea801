"""Significance tests: a method against chance, and two methods on the same clips.

Their distributions are those of ``scipy.special``: to import ``scipy.stats`` takes longer than all tests of a report.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from reports.stats.remembered import one, one_or_none, remembered
from reports.stats.training import Training, mean_std


@remembered(one)
def binomial_p(successes: int, n: int, classes: int) -> float:
    """One-sided exact p of at least this many successes in n guesses among ``classes`` classes.

    Raises:
        ValueError: no guesses or no classes.
    """
    from scipy.special import betainc

    if classes < 1 or n < 1:
        raise ValueError(f"{n} guesses among {classes} classes")
    return float(betainc(successes, n - successes + 1, 1 / classes)) if successes else 1.0


@lru_cache(maxsize=1 << 16)  # the same few wins stand against each other in many pairs
@remembered(one)
def mcnemar_exact(only_a: int, only_b: int) -> float:
    """Two-sided exact McNemar test: p of ``only_a`` wins against ``only_b`` if both were equally likely."""
    from scipy.special import betainc

    fewer, more = sorted((only_a, only_b))
    return 2 * float(betainc(more, fewer + 1, 0.5)) if more - fewer > 1 else 1.0


def paired_wins(a: np.ndarray, b: np.ndarray) -> tuple[int, int]:
    """Clips that a gets right in a larger share of its seeds than b, and the other way round.

    Args:
        a, b: correctness bool [seeds, clips], the same clips in the same order; numbers of seeds may differ.

    Raises:
        ValueError: different numbers of clips.
    """
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"paired test on {a.shape[1]} and {b.shape[1]} clips: they must be the same clips")
    # integers, so that 2/3 against 4/6 is a tie and not a rounding error
    difference = a.sum(axis=0) * b.shape[0] - b.sum(axis=0) * a.shape[0]
    return int((difference > 0).sum()), int((difference < 0).sum())


def paired_p(a: np.ndarray, b: np.ndarray) -> float:
    """p of two methods being equally good on the same clips: exact McNemar test of ``paired_wins``.

    With one seed each this *is* McNemar's test. With more, a clip still has one vote, so that repeating seeds does
    not make clips.
    """
    return mcnemar_exact(*paired_wins(a, b))


def student_p(differences: Sequence[float]) -> float | None:
    """Two-sided p of Student's t test that paired differences have mean 0.

    One value per seed: what it tests is whether another training would show the difference again, on the same clips.

    Returns:
        1 where all differences are 0, None where all are another number: the statistic is not defined, and a few
        accuracies that happen to be apart by the same are no evidence of trainings that do not vary.

    Raises:
        ValueError: fewer than two differences.
    """
    if len(differences) < 2:
        raise ValueError("a paired test over seeds needs two of them")
    return _student_p(tuple(differences))


@remembered(one_or_none)
def _student_p(differences: tuple[float, ...]) -> float | None:
    from scipy.special import stdtr

    mean, std = mean_std(differences)
    if std is None or std <= 1e-12 * max(map(abs, differences)):
        return 1.0 if mean == 0 else None
    n = len(differences)
    return 2 * float(stdtr(n - 1, -abs(mean) / (std / n**0.5)))


def training_p(a: np.ndarray, b: np.ndarray, training: Training) -> float:
    """Two-sided p that two methods would be equally good if both were trained again, on the same clips: t test of the
    difference of their means over seeds with the given variance of training.

    Args:
        a, b: correctness bool [seeds, clips].

    Raises:
        ValueError: a variance of 0, with which the statistic is not defined.
    """
    return _trainings_p((_gap(a, b),), ((len(a), len(b)),), training.std, training.freedom)[0]


def _gap(a: np.ndarray, b: np.ndarray) -> float:
    return float(a.mean() - b.mean())


@remembered(list)
def _trainings_p(gaps: Sequence[float], seeds: Sequence[tuple[int, int]], std: float, freedom: int) -> list[float]:
    from scipy.special import stdtr

    if std <= 0:
        raise ValueError("a test over trainings needs trainings that vary")
    ratios = [abs(gap / (std * (1 / a + 1 / b) ** 0.5)) for gap, (a, b) in zip(gaps, seeds, strict=True)]
    return (2 * stdtr(freedom, -np.asarray(ratios))).tolist()


def pair_p(a: np.ndarray, b: np.ndarray, training: Training) -> float:
    """p that neither other clips nor other trainings would tell two methods apart:
    the larger of ``paired_p`` and ``training_p``."""
    return pairs_p([(a, b)], training)[0]


def pairs_p(pairs: Sequence[tuple[np.ndarray, np.ndarray]], training: Training) -> list[float]:
    """``pair_p`` of each of many pairs, at a fraction of the time."""
    if not pairs:
        return []
    gaps = tuple(_gap(a, b) for a, b in pairs)
    seeds = tuple((len(a), len(b)) for a, b in pairs)
    trainings = _trainings_p(gaps, seeds, training.std, training.freedom)
    return [max(paired_p(a, b), p) for (a, b), p in zip(pairs, trainings, strict=True)]
