"""The Slurm executor on a real cluster of two nodes, with a worker that trains nothing."""

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.errors import BadUsage
from harness.executors.base import Resources
from harness.executors.slurm import client, executor, script
from harness.executors.slurm.executor import SlurmExecutor
from harness.ledger.store import load_record
from harness.ledger.submission import recall
from harness.plan.run_state import folder_of
from harness.plan.status import JobState
from harness.schedule.dispatch import prepare
from harness.schedule.options import Options
from harness.schedule.scheduler import Scheduler
from harness.schedule.submitted import with_submitted
from harness.schedule.task import Task
from harness.worker.signals import EXIT_LOCK_LOST, EXIT_STOPPED
from tests.helpers.toy_jobs import toy_job

PATIENCE = 60.0
REPOSITORY = Path(__file__).resolve().parents[3]
DRIVER = """
import sys
from pathlib import Path
from tests.harness.executors.test_slurm import drive
drive(Path(sys.argv[1]), detach=sys.argv[2] == "detach")
"""


def chain():
    first = toy_job("first")
    return [first, toy_job("child", {"t": first}), toy_job("other")]


def drive(work_dir, jobs=None, detach=False, slots=16, report=lambda *_: None):
    """Run the chain, or other jobs, to its end on the cluster; returns what became of them."""
    executor.POLL_S, executor.QUICK_POLL_S, script.WORKER = 0.5, 0.2, "tests.helpers.quick_worker"
    found = {job.key: job for job in jobs or chain()}
    backend = SlurmExecutor({"partition": "main"}, slots, detach)
    return Scheduler(found, backend, Options(work_dir), report).run()


@pytest.fixture
def work_dir(slurm_cluster, tmp_path):
    yield tmp_path
    (tmp_path / "go").touch()
    slurm_cluster.ask("scancel", "--me")
    until(lambda: not any(not executor.is_over(seen) for seen in client.jobs().values()))


@pytest.fixture
def driver(work_dir):
    """Starts a harness of its own, which ends with the test."""
    started = []

    def start(*args):
        path = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", DRIVER, str(work_dir), *args],
                cwd=REPOSITORY,
                env={**os.environ, "PYTHONPATH": path},
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.1)


@contextmanager
def meanwhile(act):
    """Does something in a thread while a harness runs in this one, which alone can hear signals."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(act)
        yield
        done.result(PATIENCE)


def starts(work_dir):
    path = work_dir / "starts"
    return sorted(path.read_text().split()) if path.exists() else []


def running(work_dir):
    return [name for name, seen in client.jobs().items() if not executor.is_over(seen)]


def prepared(work_dir, name="alone"):
    task = Task(toy_job(name), folder_of(toy_job(name), work_dir))
    assert task.lock.acquire()
    prepare([task], Options(work_dir))
    return task


def end_of(backend, handle):
    until(lambda: backend.wait(0.1) or handle.poll() is not None)
    return handle.poll()


@pytest.fixture
def quick(work_dir, monkeypatch):
    monkeypatch.setattr(executor, "POLL_S", 0.5)
    monkeypatch.setattr(executor, "QUICK_POLL_S", 0.2)
    monkeypatch.setattr(script, "WORKER", "tests.helpers.quick_worker")
    return SlurmExecutor({})


def test_a_harness_that_was_killed_finds_its_jobs_and_submits_none_twice(work_dir, driver):
    first = driver("stay")
    until(lambda: starts(work_dir) == ["first", "other"])
    first.kill()
    first.wait()
    events = []

    def go():
        until(lambda: events.count("elsewhere") == 2)
        (work_dir / "go").touch()

    with meanwhile(go):
        end = drive(work_dir, report=lambda e, *_: events.append(e))
    assert (end.cached, end.done) == (2, 1)
    assert starts(work_dir) == ["child", "first", "other"]


@pytest.mark.parametrize("mode", ["detach", "stay"])
def test_a_harness_that_is_asked_to_stop_leaves_its_jobs_if_told_so(work_dir, driver, mode):
    harness = driver(mode)
    until(lambda: starts(work_dir) == ["first", "other"])
    harness.send_signal(signal.SIGINT)
    assert harness.wait(PATIENCE) == 0
    assert len(running(work_dir)) == (2 if mode == "detach" else 0)
    states, _ = with_submitted([JobState(job, "missing") for job in chain()], work_dir)
    assert [s.state for s in states] == (["running", "missing", "running"] if mode == "detach" else ["missing"] * 3)
    assert mode == "stay" or "RUNNING on n" in states[0].detail
    (work_dir / "go").touch()
    assert drive(work_dir).over == 3
    assert len(starts(work_dir)) == (3 if mode == "detach" else 5)


def test_two_harnesses_share_the_jobs(work_dir, driver):
    (work_dir / "go").touch()
    both = [driver("stay"), driver("stay")]
    assert [process.wait(PATIENCE) for process in both] == [0, 0]
    assert starts(work_dir) == ["child", "first", "other"]


def test_jobs_in_the_queue_are_bounded_those_of_an_earlier_harness_too(work_dir, driver):
    first = driver("stay")
    until(lambda: starts(work_dir) == ["first", "other"])
    first.kill()
    first.wait()
    events = []

    def go():
        until(lambda: events.count("elsewhere") == 2)
        time.sleep(2.0)
        assert len(running(work_dir)) == 2 and "started" not in events
        (work_dir / "go").touch()

    with meanwhile(go):
        end = drive(work_dir, [toy_job("new"), *chain()], slots=2, report=lambda e, *_: events.append(e))
    assert end.over == 4 and starts(work_dir) == ["child", "first", "new", "other"]


def test_a_job_whose_node_is_lost_goes_on_elsewhere(work_dir, slurm_cluster):
    job, retries = toy_job("alone"), []

    def lose_node():
        until(lambda: starts(work_dir) == ["alone"])
        node = next(seen.node for seen in client.jobs().values() if seen.state == "RUNNING")
        slurm_cluster.kill_node(node)
        slurm_cluster.ask("scontrol", "update", f"nodename={node}", "state=down", "reason=lost")
        until(lambda: len(starts(work_dir)) == 2)
        (work_dir / "go").touch()
        slurm_cluster.start_node(node)
        slurm_cluster.ask("scontrol", "update", f"nodename={node}", "state=resume")

    with meanwhile(lose_node):
        end = drive(work_dir, [job], report=lambda event, _, why: retries.append(why) if event == "retry" else None)
    slurm_cluster.until_up()
    assert end.done == 1 and load_record(folder_of(job, work_dir)).attempts == 2
    assert len(retries) == 1 and re.fullmatch(r"node_failure: node n\d was lost", retries[0])


def test_a_job_that_somebody_cancelled_has_failed_as_cancelled(work_dir, slurm_cluster):
    job = toy_job("alone")

    def cancel():
        until(lambda: starts(work_dir) == ["alone"])
        slurm_cluster.ask("scancel", "--me")

    with meanwhile(cancel):
        end = drive(work_dir, [job])
    assert load_record(folder_of(job, work_dir)).failure.kind == "cancelled" and list(end.failed) == [job.key]


def test_a_submission_that_arrives_late_is_refused(work_dir, quick):
    """The harness was killed while it submitted; the next one has prepared the job anew by the time it arrives."""
    task = prepared(work_dir)
    late = quick.submit(task.folder, Resources())
    told = (task.folder / "job.json").read_text()
    (task.folder / "job.json").write_text(told.replace(late.spec.submission, "0" * 32))
    outcome = end_of(quick, late)
    assert outcome.exit_code in (EXIT_LOCK_LOST, None) or starts(work_dir) == ["alone"]
    assert not (task.folder / "run.json").exists()


def test_where_a_job_goes_is_written_down_before_it_does(work_dir, quick, monkeypatch):
    task = prepared(work_dir)
    seen = []
    monkeypatch.setattr(client, "submit", lambda name, *_: seen.append((name, recall(task.folder).id)))
    quick.submit(task.folder, Resources())
    assert seen[0][0] == seen[0][1]
    assert SlurmExecutor({}).attach(seen[0][0]) is None  # it never arrived


def test_an_answer_that_was_lost_submits_nothing_twice(work_dir, quick, monkeypatch):
    monkeypatch.setattr(client, "PAUSE_S", 0.1)
    call, lost = client._call, []

    def lossy(*command, **kind):
        said = call(*command, **kind)
        if command[0] == "sbatch" and not lost:
            lost.append(said)
            raise client.SlurmError("sbatch: error: Socket timed out on send/recv operation")
        return said

    monkeypatch.setattr(client, "_call", lossy)
    (work_dir / "go").touch()
    assert end_of(quick, quick.submit(prepared(work_dir).folder, Resources())).exit_code == 0
    assert lost and starts(work_dir) == ["alone"]


def test_a_cancelled_job_that_waits_never_starts(work_dir, quick):
    handles = [quick.submit(prepared(work_dir, f"j{i}").folder, Resources()) for i in range(3)]
    until(lambda: len(starts(work_dir)) == 2)
    waiting = next(h for h in handles if client.jobs()[h.id].state == "PENDING")
    waiting.cancel()
    assert end_of(quick, waiting).exit_code == EXIT_STOPPED and len(starts(work_dir)) == 2


def test_a_run_folder_that_the_node_does_not_see_is_said_in_a_line(work_dir, quick):
    task = prepared(work_dir)
    kept = client.submit

    def submit(*args):
        task.folder.rename(work_dir / "gone")
        kept(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "submit", submit)
        handle = quick.submit(task.folder, Resources())
    with pytest.raises(BadUsage, match=r"node n\d: .*alone-.* put --work-dir on a file system that all nodes share"):
        end_of(quick, handle)


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ("partition=none", "invalid partition specified: none.*; partitions here: main, short"),
        ("gres=gpu:1", "[Ii]nvalid generic resource"),
        ("mem=9000G", "not available"),
        ("partition=short,time=8:00:00", "partition short allows 0.0167 hours"),
    ],
)
def test_what_the_cluster_does_not_have_is_said_before_anything_is_submitted(slurm_cluster, asked, line):
    with pytest.raises(BadUsage, match=line):
        SlurmExecutor.create({"slurm": asked, "slurm_jobs": None, "detach": None}, Resources())
