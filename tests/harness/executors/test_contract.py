"""What every executor must do. Each test runs with every one that is installed and can be used here.

The jobs run the real worker on a short or an endless training.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.executors.base import Resources
from harness.executors.registry import executors, option_name
from harness.ledger.lock import RunLock
from harness.ledger.store import load_record
from harness.plan.run_state import folder_of
from harness.plan.workspace import open_workspace
from harness.schedule.dispatch import make_spec
from harness.schedule.options import Options
from harness.schedule.task import Task
from harness.worker.signals import EXIT_STOPPED
from harness.worker.spec import write_spec
from tests.helpers import memory_group
from tests.helpers.cluster_jobs import starts

PATIENCE = 300.0  # seconds, on a machine that does much else
REPOSITORY = Path(__file__).resolve().parents[3]


def make(backend, **given):
    kind = executors()[backend]
    return kind.create({option_name(flag): None for flag in kind.options} | {"jobs": 1} | given, Resources())


@pytest.fixture(params=list(executors()))
def backend(request, monkeypatch):
    if request.param == "slurm":
        request.getfixturevalue("slurm_cluster")
        monkeypatch.setattr("harness.executors.slurm.job.POLL_S", 1.0)
    if request.param == "ray":
        request.getfixturevalue("ray_cluster")
    return request.param


@pytest.fixture
def engine(backend, engine_of, monkeypatch):
    """Of the executor; jobs start without torch, where all that counts is what becomes of the end of a process."""
    engine = engine_of(backend)
    for name, value in engine.light:
        monkeypatch.setattr(name, value)
    yield engine
    engine.restore()


@pytest.fixture
def executor(backend):
    return make(backend)


@pytest.fixture
def run_dir(request, small_configs, tiny_data, tmp_path):
    """The folder of a job that is ready to be submitted; it trains for ``epochs`` (the parameter), 5000 by default."""
    smoke = small_configs / "_base_" / "profiles" / "smoke.py"
    epochs = getattr(request, "param", 5000)
    text, count = re.subn(r"max_epochs=\d+", f"max_epochs={epochs}", smoke.read_text(encoding="utf-8"))
    assert count == 1
    smoke.write_text(text, encoding="utf-8")
    ws = open_workspace(small_configs, "smoke", tiny_data, None, None)
    job = next(j for j in ws.plan.jobs.values() if j.name == "i3d_r50_mgr-dark-rgb-s0")
    task = Task(job, folder_of(job, tmp_path))
    assert task.lock.acquire()
    write_spec(task.folder, make_spec([task], Options(tmp_path)))
    return task.folder


def end_of(executor, handle):
    deadline = time.monotonic() + PATIENCE
    while (outcome := handle.poll()) is None:
        assert time.monotonic() < deadline, "the job does not end"
        executor.wait(0.2)
    return outcome


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.05)


def saved(run_dir):
    return (run_dir / "mm" / "last.pth").exists()


def job_process(run_dir):
    """The process that has joined the claim of the one that made it."""
    until(lambda: len(RunLock(run_dir).holder().processes) > 1)
    return RunLock(run_dir).holder().processes[-1][0]


@pytest.mark.parametrize("run_dir", [1], indirect=True)
def test_a_job_runs_to_its_record(executor, run_dir):
    handle = executor.submit(run_dir, Resources())
    assert handle.poll() is None and executor.attach(handle.id) is not None
    outcome = end_of(executor, handle)
    assert (outcome.exit_code, outcome.cause) == (0, None) and load_record(run_dir).status == "done"
    assert executor.attach(handle.id) is None and handle.poll() == outcome


def test_a_cancelled_job_stops_at_its_checkpoint(executor, run_dir):
    handle = executor.submit(run_dir, Resources())
    until(lambda: saved(run_dir))
    handle.cancel(PATIENCE)
    assert end_of(executor, handle).exit_code == EXIT_STOPPED
    assert saved(run_dir) and not (run_dir / "run.json").exists()


def test_a_job_that_does_not_stop_is_killed_after_its_grace(engine, executor, run_dir):
    handle = executor.submit(run_dir, Resources())
    until(lambda: saved(run_dir))
    os.kill(job_process(run_dir), signal.SIGSTOP)  # it cannot hear the request
    handle.cancel(0.1)
    assert end_of(executor, handle).exit_code == -signal.SIGKILL


def test_a_time_limit_ends_a_job_and_is_named(engine, executor, run_dir):
    outcome = end_of(executor, executor.submit(run_dir, Resources(time_limit=2.0)))
    assert outcome.cause == "time_limit" and "time limit" in outcome.message
    assert not (run_dir / "run.json").exists()


def test_a_killed_job_is_said_to_be_killed(engine, executor, run_dir):
    handle = executor.submit(run_dir, Resources())
    os.kill(job_process(run_dir), signal.SIGKILL)
    outcome = end_of(executor, handle)
    assert (outcome.exit_code, outcome.cause) == (-signal.SIGKILL, None)


@pytest.mark.skipif(bool(memory_group.why_not()), reason=memory_group.why_not())
def test_a_job_that_the_system_killed_for_memory_has_run_out_of_it(engine, backend, run_dir, tmp_path):
    executor = make(backend, **engine.limited)
    handle = executor.submit(run_dir, Resources())
    engine.limit_memory(job_process(run_dir), 64 << 20)
    (tmp_path / "eat").touch()
    outcome = end_of(executor, handle)
    assert outcome.cause == "out_of_memory" and re.search("fewer|more", outcome.message)
    assert not (run_dir / "run.json").exists()


@pytest.mark.skipif(bool(memory_group.why_not()), reason=memory_group.why_not())
def test_a_killed_job_has_not_run_out_of_the_memory_that_another_process_ran_out_of(engine, executor, run_dir):
    handle = executor.submit(run_dir, Resources())
    job = job_process(run_dir)
    with memory_group.eater(f"tests-beside-{os.getpid()}") as other:
        memory_group.feed(other)
        os.kill(job, signal.SIGKILL)
        outcome = end_of(executor, handle)
    assert (outcome.exit_code, outcome.cause) == (-signal.SIGKILL, None)


def test_two_harnesses_share_the_jobs(work_dir, driver):
    (work_dir / "go").touch()
    both = [driver("stay"), driver("stay")]
    assert [process.wait(PATIENCE) for process in both] == [0, 0]
    assert starts(work_dir) == ["child", "first", "other"]


HARNESS = """
import json, sys, time
from pathlib import Path
import pytest
from harness.executors.base import Resources
from harness.executors.registry import executors, option_name
from tests.helpers.cluster_jobs import quicken
from tests.helpers.engines import ENGINES
if __name__ == "__main__":
    if sys.argv[1] in ENGINES:  # one of another package trains
        quicken(ENGINES[sys.argv[1]], pytest.MonkeyPatch())
    kind = executors()[sys.argv[1]]
    executor = kind.create({option_name(flag): None for flag in kind.options} | {"jobs": 1}, Resources())
    handle = executor.submit(Path(sys.argv[2]), Resources())
    print(json.dumps(handle.id), flush=True)
    time.sleep(3600)
"""


def test_another_harness_can_ask_for_and_stop_the_job_of_one_that_waits(executor, backend, run_dir, tmp_path):
    """By its id alone; and where the first harness is gone, its job has ended or can still be asked for."""
    (tmp_path / "first.py").write_text(HARNESS)
    path = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, str(tmp_path / "first.py"), backend, str(run_dir)]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path})
    try:
        job_id = json.loads(first.stdout.readline())
        handle = executor.attach(job_id)
        assert handle is not None and handle.id == job_id and handle.poll() is None
        until(lambda: saved(run_dir))
    finally:
        first.kill()
        first.wait()
    handle.cancel(PATIENCE)
    end_of(executor, handle)
    assert executor.attach(job_id) is None
    assert saved(run_dir) and not (run_dir / "run.json").exists()
