"""Statistics of a leaderboard, as small pure functions.

Everything works on *correctness*: a boolean array [seeds, clips], whether a run classified a clip rightly.
Accuracies are fractions in [0, 1]. Randomness is seeded, so that the same ledger gives the same page. SciPy is imported
where it is used: the commands that need no statistics start without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

INTERVAL = "bootstrap over subjects, then their clips, then trainings"
DRAWS = 2000
SEED = 2024


@dataclass(frozen=True)
class Training:
    """How much accuracy varies from one training to the next, tested on the same clips.

    Attributes:
        std: standard deviation, as a fraction. freedom: degrees of freedom of its estimate.
        cells: cells that were trained more than once and from which it was pooled; 0 where it is ``source``'s.
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


def mean_std(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and sample standard deviation (n - 1); the deviation of a single value is not defined (None).

    Raises:
        ValueError: no values.
    """
    if len(values) == 0:
        raise ValueError("mean of no values")
    v = np.asarray(values, dtype=np.float64)
    return float(v.mean()), float(v.std(ddof=1)) if len(v) > 1 else None


def mcnemar_exact(only_a: int, only_b: int) -> float:
    """Two-sided exact McNemar test: p of ``only_a`` wins against ``only_b`` if both were equally likely."""
    from scipy.stats import binomtest

    n = only_a + only_b
    return float(binomtest(only_a, n).pvalue) if n else 1.0


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


def student_p(differences: Sequence[float]) -> float:
    """Two-sided p of Student's t test that paired differences have mean 0.

    One value per seed: what it tests is whether another training would show the difference again, on the same clips.

    Raises:
        ValueError: fewer than two differences.
    """
    from scipy.stats import t

    if len(differences) < 2:
        raise ValueError("a paired test over seeds needs two of them")
    mean, std = mean_std(differences)
    if std <= 1e-12 * max(map(abs, differences)):
        return 1.0 if mean == 0 else 0.0
    return _two_sided(t, mean / (std / len(differences) ** 0.5), len(differences) - 1)


def training_p(a: np.ndarray, b: np.ndarray, training: Training) -> float:
    """Two-sided p that two methods would be equally good if both were trained again, on the same clips: t test of the
    difference of their means over seeds with the given variance of training.

    Args:
        a, b: correctness bool [seeds, clips].
    """
    from scipy.stats import t

    gap = float(a.mean() - b.mean())
    error = training.std * (1 / len(a) + 1 / len(b)) ** 0.5
    if gap == 0 or error == 0:
        return 1.0 if gap == 0 else 0.0
    return _two_sided(t, gap / error, training.freedom)


def _two_sided(t, value: float, freedom: int) -> float:
    return float(min(1.0, 2 * t.sf(abs(value), freedom)))


def binomial_p(successes: int, n: int, classes: int) -> float:
    """One-sided exact p of at least this many successes in n guesses among ``classes`` classes."""
    from scipy.stats import binom

    if classes < 1 or n < 1:
        raise ValueError(f"{n} guesses among {classes} classes")
    return float(binom.sf(successes - 1, n, 1 / classes))


def holm(p: Sequence[float], family: int = 0) -> list[float]:
    """Holm's step-down adjusted p values (Holm 1979), in the order given.

    Args:
        family: number of hypotheses that were stated beforehand, tested or not, so that p does not depend on what has
            been run; those without a p count as 1. At least ``len(p)`` are taken.
    """
    family = max(family, len(p))
    adjusted = [1.0] * len(p)
    running = 0.0
    for rank, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        running = max(running, min(1.0, (family - rank) * p[i]))
        adjusted[i] = running
    return adjusted


def cluster_bootstrap(
    groups: Sequence[np.ndarray], subjects: Sequence[str], draws: int = DRAWS, seed: int = SEED
) -> np.ndarray:
    """Bootstrap accuracies of methods on the same clips: subjects are drawn, then clips within each drawn
    subject.

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


def accuracy_interval(
    correct: np.ndarray, subjects: Sequence[str], training: Training | None = None
) -> tuple[float, float]:
    """95 % interval of an accuracy: ``cluster_bootstrap``; where there is one training, its draws vary with
    ``training``.

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


def _trainings(training: Training | None, seeds: int, salt: int = 0) -> np.ndarray | float:
    """What another training would have changed, drawn: 0 for several seeds, which are drawn themselves."""
    if training is None or seeds > 1:
        return 0.0
    return training.std * np.random.default_rng([SEED, salt]).standard_t(training.freedom, DRAWS)


def interval(draws: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of bootstrap draws."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@dataclass(frozen=True)
class Standing:
    """Where a method stands: its group of ties (0 is the best) and the ranks that the data leave open."""

    group: int
    best: int
    worst: int


def pair_p(a: np.ndarray, b: np.ndarray, training: Training) -> float:
    """p that neither other clips nor other trainings would tell two methods apart: the larger of ``paired_p`` and
    ``training_p``."""
    return max(paired_p(a, b), training_p(a, b, training))


def pairwise(methods: Sequence[np.ndarray], training: Training, family: int = 0) -> np.ndarray:
    """``pair_p`` of all pairs, adjusted by Holm: float [methods, methods], symmetric, 1 on the diagonal.

    Args:
        methods: correctness bool [seeds, clips] per method, the same clips in the same order.
        family: number of methods whose pairs were to be compared, measured or not.
    """
    n = len(methods)
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    each = [pair_p(methods[i], methods[j], training) for i, j in pairs]
    p = np.ones((n, n))
    for (i, j), adjusted in zip(pairs, holm(each, family * (family - 1) // 2), strict=True):
        p[i, j] = p[j, i] = adjusted
    return p


def standings(
    methods: Sequence[np.ndarray], training: Training, family: int = 0, alpha: float = 0.05
) -> list[Standing]:
    """Ranks with ties of methods measured on the same clips.

    Two methods are separable when ``pairwise`` says so and the one that wins more clips has the higher accuracy. A
    rank interval counts who is separably better and who is separably worse. A tie group has a fixed anchor, its best
    method: it holds the methods after it, in order of accuracy, until the first that is separable from the anchor;
    that one anchors the next group. (Chaining overlaps instead would tie the first with the last.)

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
    group, anchor, groups = -1, -1, [0] * n
    for i in sorted(range(n), key=lambda i: -mean[i]):
        if anchor < 0 or beats(anchor, i):
            anchor, group = i, group + 1
        groups[i] = group
    return [Standing(groups[i], 1 + better[i], n - worse[i]) for i in range(n)]
