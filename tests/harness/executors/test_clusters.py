"""What executors of clusters must do beyond the contract, each on a real cluster of two nodes.

Its worker trains nothing.
"""

import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from harness.errors import BadUsage
from harness.executors.base import Resources
from harness.ledger.lock import RunLock
from harness.ledger.store import load_record
from harness.ledger.submission import recall
from harness.plan.run_state import folder_of
from harness.plan.status import JobState
from harness.schedule.submitted import with_submitted
from harness.worker.signals import EXIT_LOCK_LOST, EXIT_STOPPED
from tests.helpers.cluster_jobs import PATIENCE, chain, drive, end_of, prepared, starts, until
from tests.helpers.toy_jobs import toy_job


@contextmanager
def meanwhile(act):
    """Does something in a thread while a harness runs in this one, which alone can hear signals.

    Where it fails, the harness is stopped.
    """

    def go():
        try:
            act()
        except BaseException:
            os.kill(os.getpid(), signal.SIGINT)
            raise

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(go)
        yield
        done.result(PATIENCE)


def test_a_harness_that_was_killed_finds_its_jobs_submits_none_twice_and_no_more_than_it_may(engine, work_dir, driver):
    first = driver("stay")
    until(lambda: starts(work_dir) == ["first", "other"])
    first.kill()
    first.wait()
    events = []

    def go():
        until(lambda: events.count("elsewhere") == 2)
        time.sleep(1.0)
        assert len(engine.jobs()) == 2 and "started" not in events  # those of the first count
        (work_dir / "go").touch()

    with meanwhile(go):
        end = drive(engine, work_dir, [toy_job("new"), *chain()], slots=2, report=lambda e, *_: events.append(e))
    assert (end.cached, end.done) == (2, 2) and starts(work_dir) == ["child", "first", "new", "other"]


def test_two_harnesses_that_live_have_as_many_jobs_each_as_they_may(engine, work_dir, driver):
    both = [driver("stay", slots=1), driver("stay", slots=1)]
    until(lambda: starts(work_dir) == ["first", "other"])
    assert len(engine.jobs()) == 2
    (work_dir / "go").touch()
    assert [harness.wait(PATIENCE) for harness in both] == [0, 0]
    assert starts(work_dir) == ["child", "first", "other"]


@pytest.mark.parametrize("mode", ["detach", "stay"])
def test_a_harness_that_is_asked_to_stop_leaves_its_jobs_if_told_so(engine, work_dir, driver, mode):
    harness = driver(mode)
    until(lambda: starts(work_dir) == ["first", "other"])
    harness.send_signal(signal.SIGINT)
    assert harness.wait(PATIENCE) == 0
    assert len(engine.jobs()) == (2 if mode == "detach" else 0)
    states, faults = with_submitted([JobState(job, "missing") for job in chain()], work_dir)
    assert [s.state for s in states] == (["running", "missing", "running"] if mode == "detach" else ["missing"] * 3)
    assert faults == [] and (mode == "stay" or re.search(r" RUNNING on \w", states[0].detail))
    (work_dir / "go").touch()
    assert drive(engine, work_dir).over == 3
    assert len(starts(work_dir)) == (3 if mode == "detach" else 5)


def test_a_job_whose_node_is_lost_goes_on_elsewhere(engine, work_dir):
    job, retries = toy_job("alone"), []
    folder = folder_of(job, work_dir)

    def lose_node():
        until(lambda: starts(work_dir) == ["alone"])
        engine.lose_node_of(RunLock(folder).holder().processes[-1][0])
        until(lambda: len(starts(work_dir)) == 2)
        (work_dir / "go").touch()

    def report(event, _, why):
        if event == "retry":
            retries.append(why)
            engine.replace_node()

    with meanwhile(lose_node):
        end = drive(engine, work_dir, [job], report=report)
    engine.restore()
    assert end.done == 1 and load_record(folder).attempts == 2
    assert len(retries) == 1 and re.fullmatch(r"node_failure: node [\w.]+ was lost", retries[0])


def test_a_job_that_somebody_cancelled_has_failed_as_cancelled(engine, work_dir):
    job = toy_job("alone")

    def cancel():
        until(lambda: starts(work_dir) == ["alone"])
        engine.cancel_all()

    with meanwhile(cancel):
        end = drive(engine, work_dir, [job])
    assert load_record(folder_of(job, work_dir)).failure.kind == "cancelled" and list(end.failed) == [job.key]


def test_a_submission_that_arrives_late_is_refused(work_dir, quick):
    """The harness was killed while it submitted; the next one has prepared the job anew by the time it arrives."""
    task = prepared(work_dir)
    late = quick.submit(task.folder, Resources())
    spec = task.folder / "job.json"
    token = recall(task.folder).id.partition("@")[0].rpartition(".")[2]
    spec.write_text(re.sub(rf'"{token}\w*"', f'"{"0" * 32}"', spec.read_text()))
    outcome = end_of(quick, late)
    assert outcome.exit_code in (EXIT_LOCK_LOST, None) or starts(work_dir) == ["alone"]
    assert not (task.folder / "run.json").exists()


def test_a_job_that_never_arrived_is_not_known(work_dir, quick):
    assert quick.attach(quick.submit(prepared(work_dir).folder, Resources()).id) is not None
    assert quick.attach(quick.submit(prepared(work_dir, "other").folder, Resources()).id + "0") is None


def test_a_cancelled_job_that_waits_never_starts(work_dir, quick):
    handles = [quick.submit(prepared(work_dir, f"j{i}").folder, Resources()) for i in range(3)]
    until(lambda: len(starts(work_dir)) == 2)
    began = set(starts(work_dir))
    waiting = next(h for i, h in enumerate(handles) if f"j{i}" not in began)
    waiting.cancel()
    assert end_of(quick, waiting).exit_code == EXIT_STOPPED and len(starts(work_dir)) == 2


def test_a_run_folder_that_the_node_does_not_see_is_said_in_a_line(work_dir, quick):
    """Here it is gone by the time that the job starts, behind two that take both nodes."""
    for i in range(2):
        quick.submit(prepared(work_dir, f"j{i}").folder, Resources())
    task = prepared(work_dir)
    handle = quick.submit(task.folder, Resources())
    task.folder.rename(work_dir / "gone")
    (work_dir / "go").touch()
    with pytest.raises(BadUsage, match=r"node [\w.]+: .*alone-.* put --work-dir on a file system that all nodes share"):
        end_of(quick, handle)
