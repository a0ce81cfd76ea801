"""What most work waits for starts first."""

from dataclasses import replace

import pytest

from harness.schedule.order import longest_chain_first
from tests.helpers.toy_jobs import toy_job


def order(parents, seconds=None, renders=()):
    """Names in the order in which they start; ``parents``: name -> names, parents before children."""
    jobs = {}
    for name, own in parents.items():
        job = toy_job(name, {p: jobs[p] for p in own})
        jobs[name] = replace(job, kind="render") if name in renders else job
    given = {jobs[name].key: s for name, s in (seconds or {}).items()}
    return [job.name for job in longest_chain_first({job.key: job for job in jobs.values()}, given).values()]


def test_a_chain_of_stages_starts_before_jobs_that_nothing_waits_for():
    parents = {"i3d": [], "swin": [], "teacher": [], "assistant": ["teacher"], "student": ["teacher", "assistant"]}
    assert order(parents) == ["teacher", "assistant", "i3d", "swin", "student"]


def test_with_history_the_longest_job_starts_first():
    assert order({"short": [], "long": [], "middle": []}, {"short": 5, "long": 50, "middle": 20}) == [
        "long",
        "middle",
        "short",
    ]


def test_what_history_does_not_know_takes_the_mean_of_what_it_knows():
    assert order({"short": [], "new": [], "long": []}, {"short": 10, "long": 30}) == ["long", "new", "short"]


def test_what_renders_is_short():
    assert order({"fusion": [], "train": []}, renders=["fusion"]) == ["train", "fusion"]


@pytest.mark.parametrize("seconds", [{}, {"a": 0.0, "b": 0.0, "c": 0.0}, {"a": 0.0, "c": 100.0}])
def test_parents_stand_before_their_children(seconds):
    assert order({"a": [], "b": ["a"], "c": ["b"], "d": []}, seconds).index("a") < order(
        {"a": [], "b": ["a"], "c": ["b"], "d": []}, seconds
    ).index("c")
