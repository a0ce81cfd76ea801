"""Statistics against scipy, closed forms and published values."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from reports.stats.intervals import accuracy_interval, cluster_bootstrap, difference_interval, interval
from reports.stats.multiplicity import holm
from reports.stats.ranks import Standing, pairwise, standings
from reports.stats.significance import binomial_p, mcnemar_exact, pair_p, paired_p, student_p, training_p
from reports.stats.training import Training, mean_std, pooled


def test_mean_std_is_the_sample_deviation():
    assert mean_std([1.0, 2.0, 4.0]) == (pytest.approx(7 / 3), pytest.approx(math.sqrt(7 / 3)))
    assert mean_std([0.5]) == (0.5, None)
    with pytest.raises(ValueError, match="mean of no values"):
        mean_std([])


@given(st.lists(st.integers(-40, 40), min_size=2, max_size=9))
@settings(max_examples=80, deadline=None)
def test_student_agrees_with_scipy(points):
    differences = [p / 200 for p in points]
    if len(set(points)) == 1:
        assert student_p(differences) == (1.0 if points[0] == 0 else None)
    else:
        assert student_p(differences) == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=1e-9)


def test_one_difference_is_no_test():
    with pytest.raises(ValueError, match="needs two"):
        student_p([0.1])


@given(st.integers(0, 300), st.integers(0, 300))
@settings(max_examples=50, deadline=None)
def test_mcnemar_agrees_with_the_binomial_test(b, c):
    expected = stats.binomtest(b, b + c).pvalue if b + c else 1.0
    assert mcnemar_exact(b, c) == pytest.approx(expected, rel=1e-9)
    assert mcnemar_exact(b, c) == mcnemar_exact(c, b)


def test_mcnemar_of_thousands_of_clips_does_not_overflow():
    assert mcnemar_exact(2600, 2400) == pytest.approx(stats.binomtest(2600, 5000).pvalue, rel=1e-9)


def test_paired_p_is_mcnemar_for_one_seed_and_gives_a_clip_one_vote_for_more():
    a = np.array([[1, 1, 1, 1, 1, 1, 0, 0]], dtype=bool)
    b = np.array([[0, 0, 0, 0, 0, 0, 1, 0]], dtype=bool)
    assert paired_p(a, b) == pytest.approx(stats.binomtest(6, 7).pvalue)
    # the same predictions three times over are no more evidence than once
    assert paired_p(np.repeat(a, 3, axis=0), np.repeat(b, 3, axis=0)) == paired_p(a, b)
    # 1 of 2 seeds against 2 of 4: a tie
    assert paired_p(np.array([[1], [0]], dtype=bool), np.array([[1], [0], [1], [0]], dtype=bool)) == 1.0
    with pytest.raises(ValueError, match="same clips"):
        paired_p(a, b[:, :3])


@given(st.integers(1, 400), st.integers(2, 26), st.data())
@settings(max_examples=50, deadline=None)
def test_binomial_p_agrees_with_scipy(n, classes, data):
    k = data.draw(st.integers(0, n))
    expected = stats.binom.sf(k - 1, n, 1 / classes)
    assert binomial_p(k, n, classes) == pytest.approx(expected, rel=1e-8, abs=1e-200)


def test_holm_by_hand():
    # Holm's procedure on four p values: 0.005 x 4, 0.01 x 3, 0.03 x 2, then the running maximum
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(max_examples=50, deadline=None)
def test_holm_is_never_below_raw_nor_above_bonferroni_and_keeps_the_order(p):
    adjusted = holm(p)
    for raw, adj in zip(p, adjusted, strict=True):
        assert raw <= adj <= min(1.0, raw * len(p)) + 1e-12
    by_raw = [adjusted[i] for i in sorted(range(len(p)), key=lambda i: p[i])]
    assert by_raw == sorted(by_raw)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.integers(0, 5))
@settings(max_examples=50, deadline=None)
def test_holm_agrees_with_statsmodels_where_those_untested_count_as_1(p, untested):
    expected = multipletests([*p, *[1.0] * untested], method="holm")[1][: len(p)]
    assert holm(p, len(p) + untested) == pytest.approx(expected.tolist())


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
    fast = cluster_bootstrap([correct], subjects, draws=4000)[:, 0]
    slow = _naive_bootstrap(correct, subjects, 4000, 1)
    assert fast.mean() == pytest.approx(slow.mean(), abs=0.01)
    assert fast.std() == pytest.approx(slow.std(), rel=0.08)
    assert stats.ks_2samp(fast, slow).pvalue > 0.001


def test_all_methods_of_a_test_set_share_the_drawn_subjects_and_clips():
    x = np.random.default_rng(3).random((1, 60)) < 0.7
    subjects = [str(i % 4) for i in range(60)]
    right, wrong, alone = (cluster_bootstrap(g, subjects) for g in ([x, x], [x, ~x], [x]))
    assert (wrong.sum(axis=1) == 1).all()
    assert (right[:, 0] == right[:, 1]).all()
    assert (alone[:, 0] == wrong[:, 0]).all()


def test_the_seeds_of_two_methods_are_drawn_independently():
    """Methods whose accuracy is that of a seed alone: draws of one say nothing of those of the other."""
    x = np.repeat([[True], [False], [True], [False]], 20, axis=1)
    a, b = cluster_bootstrap([x, x], ["s"] * 20).T
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.1
    assert np.std(a) == pytest.approx(0.25, rel=0.1)  # of the mean of four draws of 0 or 1


def test_cluster_bootstrap_is_wider_than_a_binomial_interval_when_subjects_differ_and_close_when_they_do_not():
    subjects = [str(i) for i in range(10) for _ in range(40)]
    clustered = np.array([[int(x) < 5 for x in subjects]])  # half of the people always right
    low, high = interval(cluster_bootstrap([clustered], subjects)[:, 0])
    wl, wh = stats.binomtest(200, 400).proportion_ci(0.95, method="wilson")
    assert high - low > 3 * (wh - wl)
    alone = np.array([[i % 2 == 0 for i in range(400)]])
    low, high = interval(cluster_bootstrap([alone], [str(i) for i in range(400)])[:, 0])
    assert (high - low) / (wh - wl) == pytest.approx(1, rel=0.1)  # one clip per subject: the plain bootstrap


def test_cluster_bootstrap_is_seeded_and_pairs_methods():
    subjects = ["a"] * 10 + ["b"] * 10
    rng = np.random.default_rng(3)
    x = rng.random((1, 20)) < 0.5
    draws = cluster_bootstrap([x, x], subjects)
    assert (draws[:, 0] == draws[:, 1]).all()  # a method against itself never differs
    assert (draws == cluster_bootstrap([x, x], subjects)).all()
    with pytest.raises(ValueError, match="3 subjects for 20 clips"):
        cluster_bootstrap([x], subjects[:3])


STEADY = Training(1e-6, 50, 10)  # trainings that hardly differ: clips alone decide


def test_standings_ranks_and_tie_groups():
    n = 200

    def method(right):
        return np.arange(n)[None, :] < right

    # 190 and 185 differ on 5 clips (p = 0.06); 150 and 145 likewise; between them lie 35 clips
    result = standings([method(150), method(190), method(145), method(185)], STEADY)
    assert [r.group for r in result] == [1, 0, 1, 0]
    assert [(r.best, r.worst) for r in result] == [(3, 4), (1, 2), (3, 4), (1, 2)]


def test_standings_do_not_chain_ties():
    n = 100

    def method(right):
        return np.arange(n)[None, :] < right

    # neighbours differ on 5 clips and are tied; first and last differ on 15 and are not
    result = standings([method(90), method(85), method(80), method(75)], STEADY)
    assert result[0].group == 0 and result[3].group == 1
    assert (result[0].best, result[0].worst) == (1, 2)
    assert (result[3].best, result[3].worst) == (3, 4)


def test_standings_of_one_or_equal_methods():
    one = np.ones((1, 5), dtype=bool)
    assert standings([one], STEADY) == [Standing(0, 1, 1)]
    assert standings([one, one], STEADY) == [Standing(0, 1, 2), Standing(0, 1, 2)]
    assert standings([], STEADY) == []


def test_pooled_is_the_residual_of_a_one_way_analysis():
    rng = np.random.default_rng(1)
    cells = [rng.normal(m, 0.05, n).tolist() for m, n in ((0.3, 3), (0.8, 5), (0.5, 1), (0.6, 2))]
    found = pooled(cells)
    residuals = np.concatenate([np.asarray(c) - np.mean(c) for c in cells])
    assert found.freedom == 2 + 4 + 1 and found.cells == 3
    assert found.std == pytest.approx(np.sqrt((residuals**2).sum() / found.freedom))
    with pytest.raises(ValueError, match="trained twice"):
        pooled([[0.5], [0.6]])


def test_training_p_is_the_two_sample_t_test_where_the_variance_is_that_of_the_two():
    rng = np.random.default_rng(2)
    a, b = rng.random((4, 60)) < 0.7, rng.random((3, 60)) < 0.5
    means = [m.mean(axis=1) for m in (a, b)]
    found = training_p(a, b, pooled([m.tolist() for m in means]))
    assert found == pytest.approx(stats.ttest_ind(*means).pvalue)
    assert training_p(a, a, STEADY) == 1.0
    with pytest.raises(ValueError, match="trainings that vary"):
        training_p(a, b, pooled([[0.5, 0.5]]))


def test_one_training_that_might_have_come_out_otherwise_is_not_ranked_apart():
    n = 150
    a, b = (np.arange(n)[None, :] < right for right in (56, 9))  # 37.3 and 6.0 %: one network, two seeds
    assert paired_p(a, b) < 0.001
    assert [x.group for x in standings([a, b], STEADY)] == [0, 1]
    varying = Training(0.136, 6, 3)
    assert [x.group for x in standings([a, b], varying)] == [0, 0]
    assert pair_p(a, b, varying) == pytest.approx(2 * stats.t.sf((47 / 150) / (0.136 * math.sqrt(2)), 6))


def test_the_interval_of_one_training_is_that_of_clips_and_trainings_together():
    subjects = [str(i) for i in range(400)]
    one = np.array([[i % 2 == 0 for i in range(400)]])
    training = Training(0.05, 1000, 4)
    low, high = accuracy_interval(one, subjects, training)
    expected = 1.96 * math.sqrt(0.25 / 400 + 0.05**2)
    assert (high - low) / 2 == pytest.approx(expected, rel=0.06)
    alone = interval(cluster_bootstrap([one], subjects)[:, 0])
    assert accuracy_interval(one, subjects) == alone
    # several seeds are drawn themselves
    three = np.repeat(one, 3, axis=0)
    assert accuracy_interval(three, subjects, training) == interval(cluster_bootstrap([three], subjects)[:, 0])
    low, high = difference_interval(one, ~one, subjects, training)
    assert (high - low) / 2 == pytest.approx(1.96 * math.sqrt(4 * 0.25 / 400 + 2 * 0.05**2), rel=0.06)
    assert accuracy_interval(np.ones((1, 9), bool), subjects[:9], training)[1] <= 1.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.integers(0, 20))
@settings(max_examples=50, deadline=None)
def test_a_stated_family_is_holm_with_its_untested_members_at_one(p, more):
    family = len(p) + more
    assert holm(p, family) == pytest.approx(holm([*p, *[1.0] * more])[: len(p)])


def test_p_of_a_pair_does_not_depend_on_what_else_was_run():
    rng = np.random.default_rng(5)
    a, b, c = (rng.random((1, 120)) < x for x in (0.9, 0.6, 0.75))
    two = pairwise([a, b], STEADY, 6)
    three = pairwise([a, b, c], STEADY, 6)
    assert two[0, 1] == three[0, 1] == pytest.approx(min(1.0, 15 * pair_p(a, b, STEADY)))
