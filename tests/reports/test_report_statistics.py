"""Statistics against scipy, closed forms and published values."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reports import statistics as s


def test_mean_std_is_the_sample_deviation():
    assert s.mean_std([1.0, 2.0, 4.0]) == (pytest.approx(7 / 3), pytest.approx(math.sqrt(7 / 3)))
    assert s.mean_std([0.5]) == (0.5, None)
    with pytest.raises(ValueError):
        s.mean_std([])


@given(st.lists(st.integers(-40, 40), min_size=2, max_size=9))
@settings(max_examples=80, deadline=None)
def test_student_agrees_with_scipy(points):
    differences = [p / 200 for p in points]
    if len(set(points)) == 1:
        assert s.student_p(differences) == (1.0 if points[0] == 0 else 0.0)
    else:
        assert s.student_p(differences) == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=1e-9)


def test_one_difference_is_no_test():
    with pytest.raises(ValueError, match="needs two"):
        s.student_p([0.1])


def test_wilson_published_values():
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3
    published = [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]
    for r, n, low, high in published:
        assert s.wilson(r, n) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(max_examples=50, deadline=None)
def test_wilson_agrees_with_scipy(kn):
    k, n = kn
    expected = stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert s.wilson(k, n) == (pytest.approx(expected.low, abs=1e-12), pytest.approx(expected.high, abs=1e-12))


@given(st.integers(0, 300), st.integers(0, 300))
@settings(max_examples=50, deadline=None)
def test_mcnemar_agrees_with_the_binomial_test(b, c):
    expected = stats.binomtest(b, b + c).pvalue if b + c else 1.0
    assert s.mcnemar_exact(b, c) == pytest.approx(expected, rel=1e-9)
    assert s.mcnemar_exact(b, c) == s.mcnemar_exact(c, b)


def test_mcnemar_of_thousands_of_clips_does_not_overflow():
    assert s.mcnemar_exact(2600, 2400) == pytest.approx(stats.binomtest(2600, 5000).pvalue, rel=1e-9)


def test_paired_p_is_mcnemar_for_one_seed_and_gives_a_clip_one_vote_for_more():
    a = np.array([[1, 1, 1, 1, 1, 1, 0, 0]], dtype=bool)
    b = np.array([[0, 0, 0, 0, 0, 0, 1, 0]], dtype=bool)
    assert s.paired_p(a, b) == pytest.approx(stats.binomtest(6, 7).pvalue)
    # the same predictions three times over are no more evidence than once
    assert s.paired_p(np.repeat(a, 3, axis=0), np.repeat(b, 3, axis=0)) == s.paired_p(a, b)
    # 1 of 2 seeds against 2 of 4: a tie
    assert s.paired_p(np.array([[1], [0]], dtype=bool), np.array([[1], [0], [1], [0]], dtype=bool)) == 1.0
    with pytest.raises(ValueError, match="same clips"):
        s.paired_p(a, b[:, :3])


@given(st.integers(1, 400), st.integers(2, 26), st.data())
@settings(max_examples=50, deadline=None)
def test_binomial_p_agrees_with_scipy(n, classes, data):
    k = data.draw(st.integers(0, n))
    expected = stats.binom.sf(k - 1, n, 1 / classes)
    assert s.binomial_p(k, n, classes) == pytest.approx(expected, rel=1e-8, abs=1e-200)


def test_holm_by_hand():
    # Holm's procedure on four p values: 0.005 x 4, 0.01 x 3, 0.03 x 2, then the running maximum
    assert s.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert s.holm([0.6, 0.9]) == pytest.approx([1.0, 1.0])
    assert s.holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(max_examples=50, deadline=None)
def test_holm_is_never_below_raw_nor_above_bonferroni_and_keeps_the_order(p):
    adjusted = s.holm(p)
    for raw, adj in zip(p, adjusted, strict=True):
        assert raw <= adj <= min(1.0, raw * len(p)) + 1e-12
    by_raw = [adjusted[i] for i in sorted(range(len(p)), key=lambda i: p[i])]
    assert by_raw == sorted(by_raw)


def _naive_bootstrap(correct, subjects, draws, seed):
    """Draw subjects, then clips, one by one (the slow definition)."""
    rng = np.random.default_rng(seed)
    names = sorted(set(subjects))
    own = {n: [i for i, x in enumerate(subjects) if x == n] for n in names}
    out = []
    for _ in range(draws):
        picked = []
        for name in rng.choice(names, len(names)):
            picked += list(rng.choice(own[name], len(own[name])))
        rows = rng.integers(0, len(correct), len(correct))
        out.append(correct[rows][:, picked].mean())
    return np.array(out)


def test_cluster_bootstrap_has_the_distribution_of_drawing_clips_one_by_one():
    rng = np.random.default_rng(0)
    subjects = ["a"] * 12 + ["b"] * 20 + ["c"] * 7 + ["d"] * 9
    rate = {"a": 0.9, "b": 0.6, "c": 0.3, "d": 0.7}
    correct = np.array([[rng.random() < rate[x] for x in subjects] for _ in range(3)])
    fast = s.cluster_bootstrap([correct], subjects, draws=4000)[:, 0]
    slow = _naive_bootstrap(correct, subjects, 4000, 1)
    assert fast.mean() == pytest.approx(slow.mean(), abs=0.01)
    assert fast.std() == pytest.approx(slow.std(), rel=0.08)
    assert stats.ks_2samp(fast, slow).pvalue > 0.001


def test_cluster_bootstrap_is_wider_than_wilson_when_subjects_differ_and_close_when_they_do_not():
    subjects = [str(i) for i in range(10) for _ in range(40)]
    clustered = np.array([[int(x) < 5 for x in subjects]])  # half of the people always right
    low, high = s.interval(s.cluster_bootstrap([clustered], subjects)[:, 0])
    wl, wh = s.wilson(200, 400)
    assert high - low > 3 * (wh - wl)
    alone = np.array([[i % 2 == 0 for i in range(400)]])
    low, high = s.interval(s.cluster_bootstrap([alone], [str(i) for i in range(400)])[:, 0])
    assert (high - low) / (wh - wl) == pytest.approx(1, rel=0.1)  # one clip per subject: the plain bootstrap


def test_cluster_bootstrap_is_seeded_and_pairs_methods():
    subjects = ["a"] * 10 + ["b"] * 10
    rng = np.random.default_rng(3)
    x = rng.random((1, 20)) < 0.5
    draws = s.cluster_bootstrap([x, x], subjects)
    assert (draws[:, 0] == draws[:, 1]).all()  # a method against itself never differs
    assert (draws == s.cluster_bootstrap([x, x], subjects)).all()
    with pytest.raises(ValueError):
        s.cluster_bootstrap([x], subjects[:3])


def test_standings_ranks_and_tie_groups():
    n = 200

    def method(right):
        return np.arange(n)[None, :] < right

    # 190 and 185 differ on 5 clips (p = 0.06); 150 and 145 likewise; between them lie 35 clips
    result = s.standings([method(150), method(190), method(145), method(185)])
    assert [r.group for r in result] == [1, 0, 1, 0]
    assert [(r.best, r.worst) for r in result] == [(3, 4), (1, 2), (3, 4), (1, 2)]


def test_standings_do_not_chain_ties():
    n = 100

    def method(right):
        return np.arange(n)[None, :] < right

    # neighbours differ on 5 clips and are tied; first and last differ on 15 and are not
    result = s.standings([method(90), method(85), method(80), method(75)])
    assert result[0].group == 0 and result[3].group == 1
    assert (result[0].best, result[0].worst) == (1, 2)
    assert (result[3].best, result[3].worst) == (3, 4)


def test_standings_of_one_or_equal_methods():
    one = np.ones((1, 5), dtype=bool)
    assert s.standings([one]) == [s.Standing(0, 1, 1)]
    assert s.standings([one, one]) == [s.Standing(0, 1, 2), s.Standing(0, 1, 2)]
    assert s.standings([]) == []
