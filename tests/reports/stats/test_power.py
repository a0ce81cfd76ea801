"""How large a difference is found: against a closed form, and by experiments that the ledger's own tests judge."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from reports.stats.power import Comparison, compared, power, smallest_difference
from reports.stats.significance import paired_p, student_p, training_p
from reports.stats.training import Training
from reports.views.evidence.claims import would_be_found

KNOWN = Training(0.03, 10**6, 0)  # as good as known, so that the t test is a z test


def test_trainings_alone():
    """One clip in twenty disagrees among a million: only trainings are left, and power has a closed form."""
    of = Comparison(KNOWN, seeds=1, clips=10**6, disagreement=0.05)
    error = 0.03 * 2**0.5
    closed = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * error
    assert smallest_difference(of) == pytest.approx(closed, abs=0.002)
    assert power(closed, of) == pytest.approx(0.8, abs=0.01)
    assert smallest_difference(of, alpha=0.05 / 14) > smallest_difference(of)


def test_clips_alone():
    """Trainings that hardly differ: McNemar's test over all numbers of clips that may disagree, counted out."""
    of = Comparison(Training(1e-6, 10**6, 0), seeds=1, clips=400, disagreement=0.2)
    d = smallest_difference(of)
    exact = 0.0
    for voting in range(30, 140):
        wins = np.arange(voting + 1)
        enough = wins[(2 * stats.binom.sf(wins - 1, voting, 0.5) < 0.05)]
        exact += stats.binom.pmf(voting, 400, 0.2) * stats.binom.pmf(enough, voting, (1 + d / 0.2) / 2).sum()
    assert 0.79 <= exact <= 0.84  # leads are whole votes, so a little more than asked for


def experiment(gap: float, seeds: int, clips: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two methods on the same clips, easy and hard ones: correctness [seeds, clips] of each."""
    hard = rng.beta(1.2, 0.5, clips) * 0.8

    def runs(more: float) -> np.ndarray:
        chance = hard + more + rng.normal(0, 0.02, (seeds, 1))
        return rng.random((seeds, clips)) < chance

    return runs(gap), runs(0.0)


@pytest.mark.parametrize(("seeds", "clips"), [(1, 400), (5, 100)])
def test_four_of_five_experiments_find_it(seeds, clips):
    rng = np.random.default_rng(0)
    std = float(np.mean([experiment(0, 2, clips, rng)[0].mean(1).var(ddof=1) for _ in range(300)]) ** 0.5)
    training = Training(std, 20, 0)
    trial = [compared(*experiment(0.05, seeds, clips, rng), training) for _ in range(20)]
    share, margin = (float(np.mean([getattr(c, name) for c in trial])) for name in ("disagreement", "margin"))
    gap, found = smallest_difference(Comparison(training, seeds, clips, share, margin)), 0
    for _ in range(200):
        a, b = experiment(gap, seeds, clips, rng)
        each = a.mean(1) - b.mean(1)
        guessed = replace(training, std=std * (rng.chisquare(20) / 20) ** 0.5)
        p = student_p(each.tolist()) if seeds > 1 else training_p(a, b, guessed)
        found += each.mean() > 0 and p < 0.05 and paired_p(a, b) < 0.05
    assert 0.76 <= found / 200 <= 0.94  # at least four of five, but for chance; clips' own chance counts twice


def test_what_is_compared():
    a = np.array([[1, 1, 0, 1], [1, 0, 0, 1]], dtype=bool)
    b = np.array([[0, 0, 0, 1], [0, 0, 0, 1]], dtype=bool)
    of = compared(a, b, KNOWN)
    assert (of.seeds, of.clips, of.disagreement, of.margin) == (2, 4, 0.5, 0.75)


def test_in_words():
    of = Comparison(KNOWN, 5, 400, 0.3, 0.5)
    smallest = 100 * smallest_difference(of)
    assert would_be_found(of, 5) == (
        f"With 5 seeds, a difference of {smallest:.1f} points or more would be found in four of five such experiments."
    )
    few = Comparison(Training(0.5, 4, 0), 1, 10, 0.3)
    assert would_be_found(few, 1).startswith("With 1 seed, no difference would be found")


def test_the_table_of_the_docs():
    page = (Path(__file__).parents[3] / "docs" / "statistics.md").read_text()
    section = page.split("## What can be found")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([\d.]+) \| (\d+) \| (\d+) \| ([\d.]+) \| ([\d.]+) \|$", section, re.MULTILINE)
    assert len(rows) >= 6
    for std, clips, seeds, alone, among in rows:
        of = Comparison(Training(float(std) / 100, 76, 0), int(seeds), int(clips), *SHARES[int(seeds)])
        assert f"{100 * smallest_difference(of):.1f}" == alone
        assert f"{100 * smallest_difference(of, 0.05 / 14):.1f}" == among


SHARES = {1: (0.2, 1.0), 5: (0.35, 0.45)}
"""Of the clips that disagree, and by how much, as the section says."""
