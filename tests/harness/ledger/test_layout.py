"""Files in the place of folders, and folders, pipes and devices in that of files: named, and mended by ``run``."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.data.describe.summary import load_summaries
from harness.ledger.files import NotAFile, open_file, read_file
from harness.ledger.layout import OF_A_RUN
from harness.ledger.lock import RunLock
from harness.ledger.planfile import PlanFile, read_plan, write_plan
from harness.ledger.store import load_record, load_records, read_record
from harness.ledger.verdicts import Verdicts
from harness.ledger.verify import verify_ledger
from harness.plan.run_state import folder_of, last_attempt, look_up
from harness.plan.status import ledger_status
from harness.schedule.options import Options
from harness.schedule.scheduler import execute
from harness.site.freshness import are_current
from reports.ledger.strips import read_strips
from tests.helpers.toy_jobs import FakeExecutor, finish, run, toy_job


def put(path, kind):
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "folder":
        (path / "inside").mkdir(parents=True)
    elif kind == "file":
        path.write_bytes(b"\x00\xff not a folder")
    elif kind == "named pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")


ODD = [(n, "file" if k == "folder" else "folder") for n, k in OF_A_RUN.items() if n != "lock"]
ODD += [
    (n, k) for n in ("run.json", "predictions.parquet", "checkpoint.pth", "job.json") for k in ("named pipe", "device")
]
THERE = pytest.mark.parametrize("there", [False, True], ids=["before", "after it was done"])


@THERE
@pytest.mark.parametrize(("name", "kind"), ODD)
def test_what_has_the_place_of_a_runs_file_is_moved_aside_and_the_run_made(tmp_path, name, kind, there):
    odd, other = toy_job("odd"), toy_job("other")
    folder = folder_of(odd, tmp_path)
    if there:
        run([odd], finish, tmp_path)
        if (folder / name).is_file():
            (folder / name).unlink()
        for path in sorted((folder / name).rglob("*"), reverse=True):
            path.rmdir()
    if (folder / name).is_dir():
        (folder / name).rmdir()
    put(folder / name, kind)
    said = [f.problem for f in verify_ledger(tmp_path)[1]]
    assert any(f"{name}" in s and f"a {kind}" in s for s in said)
    whole = look_up(odd, tmp_path).done
    assert whole == (there and name not in ("run.json", "checkpoint.pth"))
    state, order = run([odd, other], finish, tmp_path)
    assert not state.failed and (state.done, state.cached) == ((1, 1) if whole else (2, 0))
    if not whole:
        assert load_record(folder).status == "done" and os.path.lexists(folder / f"{name}.rejected")
        assert verify_ledger(tmp_path)[1] == []


@pytest.mark.parametrize("name", ["lock", ""])
@pytest.mark.parametrize("kind", ["file", "named pipe"])
def test_where_no_run_can_be_claimed_that_job_alone_fails(tmp_path, name, kind):
    odd, child, other = toy_job("odd"), toy_job("child"), toy_job("other")
    child = toy_job("child", {"teacher": odd})
    place = folder_of(odd, tmp_path) / name
    put(place, kind)
    state, order = run([odd, child, other], finish, tmp_path)
    assert order == ["other"] and set(state.blocked) == {child.key}
    assert state.failed == {odd.key: f"{place}: is a {kind}, where a folder belongs; move it away"}
    found = {s.job.name: s for s in ledger_status(SimpleNamespace(needed=lambda: {odd.key: odd}), tmp_path).jobs}["odd"]
    assert found.state == "rejected" and str(place) in found.detail and "move it away" in found.detail
    assert [f.run for f in verify_ledger(tmp_path)[1]] == [place.parent.name if name else place.name]


def test_a_link_in_the_place_of_the_lock_is_named_before_a_run_meets_it(tmp_path):
    odd = toy_job("odd")
    place = folder_of(odd, tmp_path) / "lock"
    (tmp_path / "elsewhere").mkdir()
    place.parent.mkdir(parents=True)
    place.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert [f.problem for f in verify_ledger(tmp_path)[1]] == [
        f"{place}: is a link, where a folder belongs; move it away"
    ]
    (found,) = ledger_status(SimpleNamespace(needed=lambda: {odd.key: odd}), tmp_path).jobs
    assert (found.state, found.detail) == ("rejected", f"{place}: is a link, where a folder belongs; move it away")
    state, order = run([odd], finish, tmp_path)
    assert order == []
    assert str(place) in state.failed[odd.key]


def test_a_lock_that_became_a_file_leaves_a_finished_run_alone(tmp_path):
    odd, other = toy_job("odd"), toy_job("other")
    run([odd], finish, tmp_path)
    folder = folder_of(odd, tmp_path)
    for path in sorted((folder / "lock").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (folder / "lock").rmdir()
    put(folder / "lock", "file")
    (folder / "mm").mkdir()  # what tidying would remove
    events = []
    state, order = run([odd, other], finish, tmp_path, events)
    assert (state.cached, state.done) == (1, 1) and order == ["other"] and ("untidy", "odd") in events


def test_a_folder_that_goes_wrong_while_its_job_runs_fails_that_job_alone(tmp_path):
    jobs = {j.key: j for j in (toy_job("odd"), toy_job("other"))}

    def behave(spec, folder):
        if spec.name == "other":
            return finish(spec, folder)
        (folder / "run.json").mkdir()
        return 1

    state = execute(jobs, FakeExecutor(behave), Options(work_dir=tmp_path), lambda *a: None)
    assert state.done == 1 and ["run.json" in reason for reason in state.failed.values()] == [True]


def test_a_claim_that_is_no_file_is_void(tmp_path):
    for kind in ("folder", "named pipe", "device"):
        folder = tmp_path / kind
        put(folder / "lock" / "3" / "claim.json", kind)
        lock = RunLock(folder)
        assert lock.holder() is None and lock.acquire()


@pytest.mark.parametrize("kind", ["folder", "named pipe", "device"])
def test_only_files_are_read_and_with_a_bound(tmp_path, kind):
    """A pipe would wait for its writer for ever, and a device has no end."""
    put(tmp_path / "x", kind)
    with pytest.raises(NotAFile, match=f"x: is a {kind}, not a file"):
        open_file(tmp_path / "x")
    folder = tmp_path / "runs" / "toy-000000000000"
    put(folder / "run.json", kind)
    put(folder / "job.json", kind)
    with pytest.raises(ValueError, match=f"run.json: is a {kind}"):
        read_record(folder)
    ((_, reason),) = [(r.path, r.line) for r in load_records(tmp_path)[1]]
    assert f"is a {kind}" in reason and reason.endswith("`run` with the options that it was made with makes it anew")
    for name in ("plan.json", "data_statistics.json", "verdicts.json", "pages.json"):
        put(tmp_path / name, kind)
    assert {"plan.json", "data_statistics.json", "verdicts.json", "pages.json"} <= {
        f.run for f in verify_ledger(tmp_path)[1]
    }
    for call in (read_plan, lambda path: write_plan(path, PlanFile(profile="p", tables=[], seeds=1, cells=[]))):
        with pytest.raises((ValueError, NotAFile), match=f"plan.json: is a {kind}"):
            call(tmp_path / "plan.json")
    said = []
    assert load_summaries(tmp_path, said.append) == {} and f"is a {kind}" in said[0]
    assert Verdicts(tmp_path).known == {} and not are_current(tmp_path, tmp_path, "")
    put(folder / "strips" / "index.json", kind)
    assert f"is a {kind}" in read_strips(folder)[1]


def test_a_picture_that_is_a_pipe_is_left_out(tmp_path):
    put(tmp_path / "strips" / "a.png", "named pipe")
    (tmp_path / "strips" / "index.json").write_text('[{"clip_id": "c", "file": "a.png", "rows": ["ir"]}]')
    assert read_strips(tmp_path) == ({}, "pictures left out: 'a.png' is a named pipe")


def test_what_is_too_large_is_said(tmp_path):
    (tmp_path / "x").write_bytes(bytes(11))
    assert len(read_file(tmp_path / "x", 11)) == 11
    assert read_file(Path("/proc/self/status"), 1 << 20).startswith(b"Name:")  # which does not say how long it is
    with pytest.raises(ValueError, match="larger than"):
        read_file(tmp_path / "x", 10)


def test_a_corrupt_record_is_said_to_be_made_anew_and_is(tmp_path):
    job, said = toy_job("a"), []
    run([job], finish, tmp_path)
    (folder_of(job, tmp_path) / "run.json").write_text("{")
    ((_, line),) = [(f.run, f.problem) for f in verify_ledger(tmp_path)[1]]
    again = f"`python -m harness run --cell 'a' --work-dir {tmp_path}` makes it anew"  # as the job has it
    assert line.endswith(f"; {again}") and "remove the folder" not in line
    execute({job.key: job}, FakeExecutor(finish), Options(work_dir=tmp_path), lambda e, j, d: said.append(d))
    assert "corrupt" in said[0] and said[0].endswith("; it is run again") and "remove" not in said[0]
    assert look_up(job, tmp_path).done and last_attempt(job, tmp_path) is not None
