"""The states of a job, and what leads from one to another."""

import pytest

from harness.schedule.task import JobState, Status, Task, status_of
from tests.helpers.toy_jobs import toy_job


@pytest.fixture
def task(tmp_path):
    return Task(toy_job("a"), tmp_path / "a")


def test_a_job_that_is_over_never_starts_again(task):
    task.start()
    task.succeed()
    for act in (task.start, lambda: task.requeue(1), lambda: task.fail("x"), lambda: task.wait_for("other")):
        with pytest.raises(RuntimeError, match="a is done and cannot become"):
            act()


def test_only_what_waits_can_be_blocked_or_found_done(task):
    task.start()
    for act in (lambda: task.block("x"), task.found_done, task.start):
        with pytest.raises(RuntimeError, match="a is running and cannot become"):
            act()


def test_the_lock_is_given_back_with_every_end_and_every_new_turn(task):
    for end in (lambda: task.requeue(5), lambda: task.fail("no room")):
        assert task.lock.acquire()
        task.start()
        end()
        assert task.lock.number == 0 and task.lock.holder() is None
    assert (task.state, task.message, task.turn) == (JobState.FAILED, "no room", 5)


def test_that_another_harness_runs_it_is_news_once(task):
    assert task.wait_for("process 1 on here") and not task.wait_for("process 1 on here")
    assert task.is_open and task.message == "process 1 on here"
    task.start()
    assert task.message == ""


def test_the_status_counts_every_job_once(tmp_path):
    tasks = {name: Task(toy_job(name), tmp_path / name) for name in "abcdef"}
    for name in "ab":
        tasks[name].start()
    tasks["a"].succeed()
    tasks["c"].found_done()
    tasks["d"].fail("killed")
    tasks["e"].block("its stage d failed")
    status = status_of(tasks, stopped=False)
    assert (status.total, status.done, status.cached, status.over) == (6, 1, 1, 4)
    assert status.running == {tasks["b"].key: tmp_path / "b"}
    assert status.failed == {tasks["d"].key: "killed"} and status.blocked == {tasks["e"].key: "its stage d failed"}
    assert Status().over == 0
