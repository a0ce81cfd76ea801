"""An executor that fails or breaks its protocol: one line, jobs that failed or are blocked, and nothing is lost."""

import errno
from types import SimpleNamespace

import pytest

from harness import cli
from harness.errors import EngineLost
from harness.executors.base import Resources
from harness.executors.checked import ExecutorFault
from harness.executors.registry import executors, make_executor
from harness.ledger.lock import RunLock
from harness.ledger.store import load_record
from harness.ledger.submission import recall
from harness.plan.run_state import folder_of
from harness.schedule.options import Options
from harness.schedule.scheduler import execute
from harness.worker.spec import read_spec
from tests.helpers.toy_jobs import FakeExecutor, finish, run, toy_job


def run_with(executor, jobs, tmp_path):
    return execute({j.key: j for j in jobs}, executor, Options(tmp_path), lambda *a: None)


def raises(error):
    def method(*_):
        raise error

    return method


@pytest.mark.parametrize(
    ("submit", "said"),
    [
        (raises(RuntimeError("no such\npartition")), "executor fake: submit failed (RuntimeError: no such partition)"),
        (raises(FileNotFoundError(errno.ENOENT, "No such file", "sbatch")), "FileNotFoundError: sbatch: No such file"),
        (lambda *_: "job 7", "executor fake: submit returned 'job 7', which has no id"),
        (lambda *_: SimpleNamespace(id=7, poll=None, cancel=None), "id of a job gave 7, not a value of str"),
    ],
)
def test_a_job_that_cannot_be_submitted_fails_and_blocks_its_children_alone(tmp_path, submit, said):
    bad, good = toy_job("bad"), toy_job("good")
    child = toy_job("child", {"t": bad})
    executor = FakeExecutor(finish)
    works = executor.submit
    executor.submit = lambda folder, asked: (submit if "bad" in folder.name else works)(folder, asked)
    status = run_with(executor, [bad, child, good], tmp_path)
    assert status.done == 1 and set(status.failed) == {bad.key} and set(status.blocked) == {child.key}
    failure = load_record(folder_of(bad, tmp_path)).failure
    assert failure.kind == "crash" and said in failure.message and "\n" not in failure.message
    again, order = run([bad, child, good], finish, tmp_path)  # with an executor that works
    assert order == ["bad", "child"] and again.done == 2 and again.cached == 1


@pytest.mark.parametrize(
    ("part", "replaced", "said"),
    [
        ("poll", raises(RuntimeError("no answer")), r"executor fake: poll failed \(RuntimeError: no answer\)"),
        ("poll", lambda: 0, "executor fake: poll gave 0, not a value of Outcome"),
        ("wait", raises(RuntimeError("no answer")), r"executor fake: wait failed \(RuntimeError: no answer\)"),
    ],
)
def test_where_the_end_of_jobs_cannot_be_known_they_are_cancelled_and_given_back(tmp_path, part, replaced, said):
    jobs, handles = [toy_job("a"), toy_job("b")], []
    executor = FakeExecutor(lambda s, f: 3)
    submit = executor.submit

    def submitted(*args):
        handles.append(submit(*args))
        if part == "poll":
            handles[-1].poll = replaced
        return handles[-1]

    executor.submit = submitted
    if part == "wait":
        executor.wait = replaced
    with pytest.raises(ExecutorFault, match=said):
        run_with(executor, jobs, tmp_path)
    assert len(handles) == 2 and all(h.cancelled for h in handles)
    assert not any(RunLock(folder_of(j, tmp_path)).holder() for j in jobs)
    assert run(jobs, finish, tmp_path)[0].done == 2


@pytest.mark.parametrize("part", ["poll", "wait"])
def test_where_the_engine_is_lost_jobs_keep_their_folders_and_the_next_harness_waits_for_them(
    tmp_path, part, monkeypatch
):
    job, handles, events = toy_job("a"), [], []
    folder = folder_of(job, tmp_path)
    executor = FakeExecutor(lambda s, f: 3)
    submit = executor.submit

    def submitted(*args):
        handles.append(submit(*args))
        setattr(handles[-1] if part == "poll" else executor, part, raises(EngineLost("no answer")))
        return handles[-1]

    executor.submit = submitted
    with pytest.raises(EngineLost, match="^no answer$"):
        run_with(executor, [job], tmp_path)
    assert not handles[0].cancelled and RunLock(folder).holder() and recall(folder).id == handles[0].id

    def attach(job_id):
        if "elsewhere" not in events:
            return SimpleNamespace(id=job_id)
        finish(read_spec(folder), folder)  # it ends while the second harness waits
        return None

    monkeypatch.setattr("harness.ledger.lock.is_alive", lambda *_: False)  # the first harness is gone
    second = FakeExecutor(finish)
    second.attach = attach
    status = execute({job.key: job}, second, Options(tmp_path), lambda event, *_: events.append(event))
    assert events[0] == "elsewhere" and status.cached == 1 and second.order == []


@pytest.mark.parametrize(("error", "code"), [(EngineLost("gone"), 75), (ValueError("gone"), 1)])
def test_a_lost_engine_has_an_exit_code_of_its_own(monkeypatch, capsys, error, code):
    monkeypatch.setattr(cli.cli, "main", lambda **_: raises(error)())
    with pytest.raises(SystemExit) as end:
        cli.main(["status"])
    assert end.value.code == code and capsys.readouterr().err == "error: gone\n"


def test_a_full_disk_is_told_from_a_fault(tmp_path):
    executor = FakeExecutor(finish)
    executor.submit = raises(OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(OSError, match="the disk is full"):
        run_with(executor, [toy_job("a")], tmp_path)


def test_an_executor_that_cannot_be_made_is_one_line(monkeypatch):
    monkeypatch.setattr(executors()["local"], "create", raises(RuntimeError("no cluster here")))
    with pytest.raises(ExecutorFault, match=r"executor local: create failed \(RuntimeError: no cluster here\)"):
        make_executor("local", {}, Resources())
