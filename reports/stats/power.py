"""How large a difference of two methods must be to be found: the power of the ledger's own two tests together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.stats.significance import paired_wins
from reports.stats.training import Training

ALPHA, POWER = 0.05, 0.8
_STEPS = 200  # of the distribution of an estimated standard deviation
_STEP = 0.001  # differences are looked at in tenths of a point


@dataclass(frozen=True)
class Comparison:
    """Two methods on the same clips, as far as it decides how large a difference is found.

    Attributes:
        training: how much the accuracy of one method varies from training to training.
        seeds: trainings of each method.
        clips: test clips.
        disagreement: share of the clips that vote for one of the two.
        margin: mean share of its seeds by which such a clip is won; 1 for one seed.
    """

    training: Training
    seeds: int
    clips: int
    disagreement: float
    margin: float = 1.0


def compared(a: np.ndarray, b: np.ndarray, training: Training) -> Comparison:
    """The comparison that correctness bool [seeds, clips] of two methods was."""
    voting = sum(paired_wins(a, b))
    by = np.abs(a.mean(axis=0) - b.mean(axis=0)).sum()
    return Comparison(training, len(a), a.shape[1], voting / a.shape[1], float(by / voting) if voting else 1.0)


def power(difference: float, of: Comparison, alpha: float = ALPHA) -> float:
    """Probability that a true ``difference`` (a fraction) is found: the exact McNemar test over clips and the t test
    over trainings both give p < ``alpha``, in its direction.

    The measured difference is normal around the true one, with the variance of the trainings, 2 std^2 / seeds, and that
    of the clips. The t test's own estimate of std varies as chi squared does: with ``seeds - 1`` degrees of freedom,
    or, for one seed, with those that the pooled std has. McNemar's test takes clips as independent, and so does this.
    Where trainings disagree at random about single clips, both variances hold that, and the true power is higher.
    """
    from scipy.special import chdtri, ndtr, stdtrit

    share = max(of.disagreement, difference / of.margin)  # no difference without clips that vote
    needed = of.margin * _votes(round(share * of.clips), alpha) / of.clips
    error = of.training.std * (2 / of.seeds) ** 0.5
    freedom = of.seeds - 1 if of.seeds > 1 else of.training.freedom
    estimated = error * np.sqrt(chdtri(freedom, (np.arange(_STEPS) + 0.5) / _STEPS) / freedom)
    threshold = np.maximum(needed, stdtrit(freedom, 1 - alpha / 2) * estimated)
    noise = (error**2 + max(of.margin**2 * share - difference**2, 0.0) / of.clips) ** 0.5
    return float(ndtr((difference - threshold) / max(noise, 1e-9)).mean())


def _votes(voting: int, alpha: float) -> float:
    """By more than how many votes of so many McNemar's test must be won, half way between two leads that there can be;
    infinite where none suffices."""
    from scipy.special import bdtr

    enough = int((2 * bdtr(np.arange(voting // 2 + 1), voting, 0.5) < alpha).sum())  # numbers of lost votes
    return voting - 2 * (enough - 1) - 1 if enough else float("inf")


def smallest_difference(of: Comparison, alpha: float = ALPHA, wanted: float = POWER) -> float | None:
    """The smallest true difference (a fraction, to a tenth of a point) that is found with at least probability
    ``wanted``; None where none is."""
    low, high = 0, round(1 / _STEP)
    if power(high * _STEP, of, alpha) < wanted:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle * _STEP, of, alpha) >= wanted else (middle, high)
    return high * _STEP
