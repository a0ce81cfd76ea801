"""Numbers that an earlier report found are looked up, and are the same."""

import json
from functools import partial

import numpy as np
import pytest

from reports.cache_folder import keep, read_kept
from reports.stats import intervals
from reports.stats.intervals import accuracy_interval, difference_interval
from reports.stats.multiplicity import holm
from reports.stats.ranks import pairwise
from reports.stats.remembered import one, remembered, remembering
from reports.stats.significance import binomial_p, pair_p
from reports.stats.training import Training

SUBJECTS = [str(i // 5) for i in range(40)]
TRAINING = Training(0.03, 9, 2)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "mgr-dark-drawings"


def runs(seeds=1):
    return [np.random.default_rng(i).random((seeds, 40)) < 0.4 + 0.1 * i for i in range(4)]


def numbers(training=TRAINING):
    a, b, *_ = runs()
    found = [accuracy_interval(a, SUBJECTS, training), difference_interval(a, b, SUBJECTS, training)]
    return [*found, holm([0.01, 0.04], 3), pairwise(runs(), training).tolist()]


def test_what_was_found_is_looked_up_and_is_the_same(folder, monkeypatch):
    plain = numbers()
    with remembering():
        assert numbers() == plain
    monkeypatch.setattr(intervals, "cluster_bootstrap", lambda *a: pytest.fail("computed again"))
    with remembering():
        assert numbers() == plain


def test_other_trainings_are_other_numbers_unless_seeds_are_drawn(folder, monkeypatch):
    three = runs(3)
    with remembering():
        assert numbers() != numbers(Training(0.06, 9, 2))
        first = accuracy_interval(three[0], SUBJECTS, TRAINING)
        monkeypatch.setattr(intervals, "cluster_bootstrap", lambda *a: pytest.fail("computed again"))
        assert accuracy_interval(three[0], SUBJECTS, Training(0.06, 9, 2)) == first


def test_a_damaged_file_is_no_error_and_other_code_computes_anew(folder, monkeypatch):
    numbers()  # some functions below keep what they found in this process, and ask only once for it
    with remembering():
        first = numbers()
    (path,) = folder.iterdir()
    sound = read_kept(path)
    for damaged in ("[1", "[]", json.dumps(dict.fromkeys(json.loads(sound), 5))):
        for written in (path.write_text, partial(keep, path)):  # without its hash, and with that of nonsense
            written(damaged)
            with remembering():
                assert numbers() == first
            assert json.loads(read_kept(path)) == json.loads(sound)
    monkeypatch.setattr("reports.stats.remembered._code", lambda: "other")
    with remembering():
        assert numbers() == first
    assert [p.name for p in folder.iterdir()] == ["numbers-other.json"]


def test_all_that_one_report_asks_for_is_kept_however_much(folder, monkeypatch):
    monkeypatch.setattr("reports.stats.remembered.MOST", 2)
    with remembering():
        numbers()
    with remembering():
        numbers()
        binomial_p(3, 10, 4)  # what one new run adds
    (path,) = folder.iterdir()
    monkeypatch.setattr(intervals, "cluster_bootstrap", lambda *a: pytest.fail("computed again"))
    with remembering():
        numbers()
    with remembering():
        binomial_p(4, 10, 4)
    assert len(json.loads(read_kept(path))) == 2


def test_pairs_together_are_pairs_one_by_one():
    methods = [*runs(), runs(3)[1]]
    p = pairwise(methods, TRAINING)
    each = [pair_p(methods[i], methods[j], TRAINING) for i in range(5) for j in range(i + 1, 5)]
    assert holm(each) == [p[i, j] for i in range(5) for j in range(i + 1, 5)]


def test_an_array_inside_a_sequence_is_refused(folder):
    """Its repr leaves values out, so that two of them would be taken for one."""
    with remembering(), pytest.raises(TypeError, match="give it by itself"):
        remembered(one)(len)([np.zeros(5000)])


def test_a_full_disk_leaves_no_part_behind(folder, monkeypatch):
    def full(self, text, encoding):
        with open(self, "w") as file:
            file.write(text[:3])
        raise OSError(28, "No space left on device")

    with remembering():
        numbers()
    before = list(folder.iterdir())
    monkeypatch.setattr("pathlib.Path.write_text", full)
    with remembering():
        binomial_p(3, 10, 4)
    assert list(folder.iterdir()) == before
