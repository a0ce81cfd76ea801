"""Jobs that train nothing, run on an engine by a harness in this process or one of its own."""

import sys
import time
from pathlib import Path

import pytest

from harness.plan.run_state import folder_of
from harness.schedule.dispatch import prepare
from harness.schedule.options import Options
from harness.schedule.scheduler import Scheduler
from harness.schedule.task import Task
from tests.helpers.engines import ENGINES
from tests.helpers.toy_jobs import toy_job

PATIENCE = 60.0


def chain():
    first = toy_job("first")
    return [first, toy_job("child", {"t": first}), toy_job("other")]


def drive(engine, work_dir, jobs=None, detach=False, slots=16, report=lambda *_: None):
    """Run the chain, or other jobs, to its end on the cluster; returns what became of them."""
    found = {job.key: job for job in jobs or chain()}
    return Scheduler(found, engine.executor(slots, detach), Options(work_dir), report).run()


def starts(work_dir):
    path = work_dir / "starts"
    return sorted(path.read_text().split()) if path.exists() else []


def prepared(work_dir, name="alone"):
    task = Task(toy_job(name), folder_of(toy_job(name), work_dir))
    assert task.lock.acquire()
    prepare([task], Options(work_dir))
    return task


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.1)


def end_of(executor, handle):
    until(lambda: executor.wait(0.1) or handle.poll() is not None)
    return handle.poll()


def quicken(engine, patch):
    for name, value in engine.quick:
        patch.setattr(name, value)


def empty(engine, work_dir):
    """Let all jobs end that a test has left on the cluster."""
    (work_dir / "go").touch()
    engine.cancel_all()
    until(lambda: not engine.jobs())


if __name__ == "__main__":
    engine = ENGINES[sys.argv[1]]()
    quicken(engine, pytest.MonkeyPatch())
    drive(engine, Path(sys.argv[2]), detach=sys.argv[3] == "detach", slots=int(sys.argv[4]))
