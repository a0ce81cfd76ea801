"""What becomes of jobs when they, their harness or the disk fail: real processes where it matters."""

import errno
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.cli.console import Console
from harness.executors.base import Outcome
from harness.ledger.lock import RunLock
from harness.ledger.store import load_records
from harness.ledger.tidy import tidy
from harness.plan.run_state import folder_of
from harness.schedule.options import Options
from harness.schedule.progress import Progress
from harness.schedule.scheduler import execute
from harness.system.disk import DiskFull, is_disk_full, require_room
from harness.worker.signals import EXIT_DISK_FULL
from harness.worker.spec import write_spec
from tests.helpers.command_line import harness_here
from tests.helpers.toy_jobs import FakeExecutor, finish, toy_job


@pytest.fixture
def long_run(small_configs, tiny_data, tmp_path):
    """The command of a job that trains for minutes."""
    smoke = small_configs / "_base_" / "profiles" / "smoke.py"
    text, count = re.subn(r"max_epochs=\d+", "max_epochs=5000", smoke.read_text(encoding="utf-8"))
    assert count == 1
    smoke.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "harness", "run", "--configs", small_configs, "--data-root", tiny_data]
    command += ["--profile", "smoke", "--jobs", "1", "--work-dir", tmp_path / "w", "--cell", "i3d_r50_mgr-dark-rgb-s0"]
    return list(map(str, command))


def pid_of_job(folder: Path) -> int:
    """The job's process, the last of those that hold the claim; the first is its harness."""
    return RunLock(folder).holder().processes[-1][0]


def folder_with_a_checkpoint(work_dir: Path) -> Path:
    """The folder of the running job, once it has saved a state."""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        for path in Path(work_dir).glob("runs/*/mm/last.pth"):
            return path.parent.parent
        time.sleep(0.02)
    raise AssertionError("no job got as far as a checkpoint")


def gone(pid: int, seconds: float = 600.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.1)
    return False


def test_a_job_stops_at_its_checkpoint_when_its_harness_is_killed(long_run, tmp_path):
    process = subprocess.Popen(long_run, stdout=subprocess.DEVNULL)
    folder = folder_with_a_checkpoint(tmp_path / "w")
    job = pid_of_job(folder)
    assert os.getpgid(job) == job != os.getpgid(process.pid)  # a process group of its own
    process.kill()
    process.wait()
    assert gone(job)
    assert "stopped on request" in (folder / "log.txt").read_text()
    assert (folder / "mm" / "last.pth").exists() and not (folder / "run.json").exists()
    assert json.loads((folder / "progress.json").read_text())["phase"] == "train"  # the heartbeat


def test_an_interrupted_harness_leaves_its_jobs_at_a_checkpoint(long_run, tmp_path):
    process = subprocess.Popen(long_run, stdout=subprocess.PIPE, text=True)
    folder = folder_with_a_checkpoint(tmp_path / "w")
    job = pid_of_job(folder)
    process.send_signal(signal.SIGTERM)
    out = process.communicate(timeout=600)[0]
    assert process.returncode == 130 and "run the same command again" in out
    assert gone(job, 1.0)
    assert (folder / "mm" / "last.pth").exists()
    assert not (folder / "run.json").exists() and RunLock(folder).acquire()


def test_a_signal_to_the_whole_group_stops_jobs_at_their_checkpoints_too(long_run, tmp_path):
    """As a scheduler sends it: the fork server must not go before its jobs, or nobody would know how they ended."""
    process = subprocess.Popen(long_run, stdout=subprocess.PIPE, text=True, start_new_session=True)
    folder = folder_with_a_checkpoint(tmp_path / "w")
    os.killpg(process.pid, signal.SIGTERM)
    out = process.communicate(timeout=600)[0]
    assert process.returncode == 130 and "run the same command again" in out
    assert (folder / "mm" / "last.pth").exists() and "stopped on request" in (folder / "log.txt").read_text()
    assert not (folder / "run.json").exists() and RunLock(folder).acquire()


def test_a_job_whose_fork_server_is_gone_was_killed(tmp_path):
    """Nobody saw how it ended; a further attempt may well end otherwise."""
    job = toy_job("a")
    codes = iter([Outcome(None), 0])

    def behave(spec, folder):
        return next(codes) or finish(spec, folder)

    events = []
    state = execute(
        {job.key: job}, FakeExecutor(behave), Options(work_dir=tmp_path), lambda e, j, d: events.append((e, d))
    )
    assert state.done == 1 and ("retry", "killed: killed with the process that had started it") in events


def test_the_time_limit_ends_a_job_as_a_failure_of_that_class(long_run, tmp_path):
    got = harness_here(*long_run[3:], "--time-limit", "3")
    assert got.returncode == 1 and "time_limit: stopped at the time limit" in got.stderr
    ((folder, record),) = load_records(tmp_path / "w")[0].values()
    assert record.failure.kind == "time_limit" and record.attempts == 1 and record.failure.log_tail


def test_a_full_disk_stops_everything_says_what_is_needed_and_is_gone_on_with(tmp_path):
    jobs = {j.key: j for j in (toy_job("a"), toy_job("b"), toy_job("c"))}

    def full(spec, folder):
        (folder / "log.txt").write_text("epoch 1\ndisk full: 123 MiB are needed to go on, 4 MiB are free\n")
        return EXIT_DISK_FULL

    executor = FakeExecutor(full)
    with pytest.raises(OSError, match="123 MiB are needed.*run the same command again"):
        execute(jobs, executor, Options(work_dir=tmp_path), lambda *a: None)
    assert not executor.running and not any(RunLock(f).holder() for f in tmp_path.glob("runs/*"))
    assert not list(tmp_path.glob("runs/*/run.json"))  # no failure: nothing is wrong with the jobs
    state = execute(jobs, FakeExecutor(finish), Options(work_dir=tmp_path), lambda *a: None)
    assert state.done == 3


def test_a_disk_that_is_full_for_the_record_itself_is_said_too(tmp_path, monkeypatch):
    def no_room(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("harness.schedule.outcome.write_record", no_room)
    job = toy_job("a")
    with pytest.raises(OSError, match="the disk is full, at least 64 MiB are needed"):
        execute({job.key: job}, FakeExecutor(lambda s, f: -9), Options(work_dir=tmp_path), lambda *a: None)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(("name", "said"), [("stdout", "standard output"), ("stderr", "standard error")])
def test_a_full_output_is_not_called_a_full_work_dir(tmp_path, monkeypatch, name, said):
    """Progress goes to standard output, a failure's line to standard error."""
    job, other = toy_job("a"), toy_job("b")
    monkeypatch.setattr(sys, name, open("/dev/full", "w"))  # noqa: SIM115  closing it would fail as well

    def report(event, job, detail):
        if name == "stderr":
            logging.getLogger("harness").error("%s", event)
        progress.report(event, job, detail)

    jobs = {j.key: j for j in (job, other)}
    line = f"^{said}: No space left on device$"
    with pytest.raises(OSError, match=line) as caught, Console(), Progress(jobs, 1, {}) as progress:
        execute(jobs, FakeExecutor(finish), Options(work_dir=tmp_path), report)
    assert not is_disk_full(caught.value, tmp_path)


@pytest.mark.parametrize("room", [True, False])
def test_at_a_full_disk_the_pages_of_what_is_done_are_written_if_they_fit(
    capsys, monkeypatch, small_configs, tiny_data, tmp_path, room
):
    import harness.site.pages
    from harness.bench.made_up import finish as make_up
    from harness.cli import main
    from harness.plan.workspace import open_workspace, save_plan

    ws = open_workspace(small_configs, "smoke", tiny_data, None, None)
    save_plan(ws, tmp_path / "work")
    (tmp_path / "work" / "runs").mkdir()
    make_up(list(ws.plan.jobs.values())[:1], tmp_path / "work")

    def full(*args, **kwargs):
        raise DiskFull("the disk is full, 123 MiB are needed")

    def no_room(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("harness.schedule.run.run_workspace", full)
    if not room:
        monkeypatch.setattr(harness.site.pages, "write_site", no_room)
    options = ["--configs", small_configs, "--data-root", tiny_data, "--work-dir", tmp_path / "work"]
    with pytest.raises(SystemExit) as stop:
        main([str(o) for o in ("run-all", *options, "--site", tmp_path / "site", "--profile", "smoke")])
    assert stop.value.code == 1
    err = capsys.readouterr().err
    assert "error: the disk is full, 123 MiB are needed" in err
    assert (tmp_path / "site" / "index.html").exists() == room
    assert ("pages did not fit" in err) != room


STARVED = Outcome(-signal.SIGKILL, "out_of_memory", "killed by the system; run with a lower --jobs")


def test_jobs_that_the_system_killed_for_want_of_memory_run_one_at_a_time(tmp_path):
    jobs = {j.key: j for j in (toy_job("a"), toy_job("b"))}
    left, side_by_side, events = {j.name for j in jobs.values()}, [], []

    def behave(spec, folder):
        side_by_side.append((len(executor.running), spec.accumulate))
        if spec.name not in left:
            return finish(spec, folder)
        left.remove(spec.name)
        return STARVED

    executor = FakeExecutor(behave)
    state = execute(jobs, executor, Options(work_dir=tmp_path), lambda e, j, d: events.append((e, d)))
    assert state.done == 2
    assert side_by_side == [(0, 1), (1, 1), (0, 1), (0, 1)]  # one at a time, with the whole batch
    said = [d for e, d in events if e == "retry"]
    assert len(said) == 2 and all("one job at a time" in s and "lower --jobs" in s for s in said)


def test_memory_that_runs_out_for_one_job_alone_is_reported_and_its_batch_halved(tmp_path):
    job, parts = toy_job("a"), []
    executor = FakeExecutor(lambda s, f: parts.append(s.accumulate) or STARVED, slots=1)
    state = execute({job.key: job}, executor, Options(work_dir=tmp_path), lambda *a: None)
    assert parts == [1, 2, 4, 8] and "out_of_memory: killed by the system" in state.failed[job.key]
    assert "lower --jobs" in state.failed[job.key]


def test_a_job_that_was_taken_over_is_left_to_who_took_it(tmp_path):
    """As after a sleep: the other harness has finished it, and this one's job ends with a failure."""
    job, events = toy_job("a"), []

    def behave(spec, folder):
        RunLock(folder, spec.claim).release()  # as if it had become void
        other = RunLock(folder)
        assert other.acquire()
        finish(spec, folder)
        other.release()
        return 1

    state = execute(
        {job.key: job}, FakeExecutor(behave), Options(work_dir=tmp_path), lambda e, j, d: events.append((e, d))
    )
    assert [e for e, _ in events] == ["started", "lost"] and "taken over" in events[-1][1]
    assert state.cached == 1 and not state.failed
    ((_, record),) = load_records(tmp_path)[0].values()
    assert record.status == "done"


def test_what_found_shared_memory_full_is_tried_again_with_a_thread(tmp_path):
    from tests.helpers.toy_jobs import fail

    job, seen = toy_job("a"), []

    def behave(spec, folder):
        seen.append(spec.loading)
        if spec.loading == "thread":
            return finish(spec, folder)
        spec.loading = "thread"
        write_spec(folder, spec)
        return fail(spec, folder, "killed")

    execute({job.key: job}, FakeExecutor(behave), Options(work_dir=tmp_path, workers=2), lambda *a: None)
    assert seen == ["processes", "thread"]


class Weights:
    """As much of a network as the check of the disk looks at."""

    def state_dict(self):
        import torch

        return {"w": torch.zeros(2**20)}  # 4 MiB


def test_room_for_a_checkpoint_is_asked_for_before_it_is_written(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda p: usage._replace(free=87 * 2**20))
    require_room(tmp_path, Weights(), files=1)  # 64 + 1 x 3 x 4 = 76 MiB
    with pytest.raises(DiskFull, match="88 MiB are needed to go on, 87 MiB are free"):
        require_room(tmp_path, Weights(), files=2)


def test_a_full_disk_is_told_from_other_errors(tmp_path):
    wrapped = RuntimeError("saving failed")
    wrapped.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert is_disk_full(wrapped, tmp_path) and is_disk_full(DiskFull("x"), tmp_path)
    assert not is_disk_full(OSError(errno.EACCES, "no"), tmp_path)
    assert not is_disk_full(RuntimeError("inline_container: unexpected pos"), tmp_path)  # there is room


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_what_torch_says_of_a_full_disk_is_known(tmp_path, monkeypatch):
    import torch

    (tmp_path / "x").symlink_to("/dev/full")
    with pytest.raises(RuntimeError) as caught:
        torch.save({"w": torch.zeros(2**20)}, tmp_path / "x")
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda p: usage._replace(free=0))
    assert is_disk_full(caught.value, tmp_path)


def test_what_the_dead_left_in_a_finished_run_is_removed(tmp_path):
    job = toy_job("a")
    execute({job.key: job}, FakeExecutor(finish), Options(work_dir=tmp_path), lambda *a: None)
    folder = folder_of(job, tmp_path)
    before = sorted(p.name for p in folder.iterdir())
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for name in (".run.json.x1", ".checkpoint.pth.x2"):
        (folder / name).touch()
    lock = RunLock(folder)
    assert lock.acquire()
    claim = folder / "lock" / str(lock.number) / "claim.json"
    claim.write_text(json.dumps({**json.loads(claim.read_text()), "processes": [[dead.pid, 1.0]]}))
    assert lock.is_stale()
    (folder / "mm").mkdir()
    state = execute({job.key: job}, FakeExecutor(finish), Options(work_dir=tmp_path), lambda *a: None)
    assert state.cached == 1 and sorted(p.name for p in folder.iterdir()) == before
    assert not lock.is_stale() and len(list((folder / "lock").iterdir())) == 1


def test_a_run_that_a_living_process_holds_is_not_tidied(tmp_path):
    assert RunLock(tmp_path).acquire()
    (tmp_path / "mm").mkdir()
    tidy(tmp_path)
    assert (tmp_path / "mm").exists()


def test_a_killed_job_is_never_lost_however_often(tmp_path):
    """Within one invocation retries are bounded; the next one tries again, and the attempts of all are counted."""
    job = toy_job("a")
    for attempts in (2, 4, 6):
        state = execute({job.key: job}, FakeExecutor(lambda s, f: -9), Options(work_dir=tmp_path), lambda *a: None)
        assert "killed by SIGKILL" in state.failed[job.key]
        ((_, record),) = load_records(tmp_path)[0].values()
        assert record.attempts == attempts
    state = execute({job.key: job}, FakeExecutor(finish), Options(work_dir=tmp_path), lambda *a: None)
    assert state.done == 1


def test_attempts_and_micro_batch_outlive_a_harness_that_was_killed(tmp_path):
    """A kill leaves no record; what the job was last told is in its folder."""
    job = toy_job("a")

    class Killed(BaseException):
        pass

    def behave(spec, folder):
        if spec.accumulate < 4:
            from tests.helpers.toy_jobs import fail

            return fail(spec, folder, "out_of_memory")
        raise Killed

    with pytest.raises(Killed):
        execute({job.key: job}, FakeExecutor(behave), Options(work_dir=tmp_path), lambda *a: None)
    seen = []

    def go_on(spec, folder):
        seen.append((spec.accumulate, spec.attempts))
        return finish(spec, folder)

    execute({job.key: job}, FakeExecutor(go_on), Options(work_dir=tmp_path), lambda *a: None)
    assert seen == [(4, 4)]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "out_of_memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "out_of_memory"),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"), "out_of_memory"),
        (FloatingPointError("loss is nan"), "nan_loss"),
        (FileNotFoundError("x.mp4"), "data_error"),
        (KeyError("x"), "crash"),
    ],
)
def test_failure_classes(error, kind):
    from harness.worker.record import classify

    assert classify(error) == kind


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_the_training_at_its_step(value):
    from harness.worker.hooks import NanLossHook

    class AnyRunner:
        epoch = 2

    NanLossHook().read_step(AnyRunner, 4, {"loss_cls": 1.0, "top1_acc": value})
    with pytest.raises(FloatingPointError, match="loss_cls is (nan|inf) in epoch 3, iteration 5"):
        NanLossHook().read_step(AnyRunner, 4, {"loss_cls": value})


def test_the_processes_of_a_killed_synthesis_end(tmp_path):
    code = (
        "import sys\nfrom harness.data.synthesize import synthesize\n"
        "if __name__ == '__main__': synthesize(sys.argv[1], ['mgr_dark'], preset='demo', jobs=2)\n"
    )
    (tmp_path / "make.py").write_text(code)
    path = os.pathsep.join(filter(None, [str(Path(__file__).resolve().parents[3]), *sys.path]))
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "make.py"), str(tmp_path / "data")], env={**os.environ, "PYTHONPATH": path}
    )
    import psutil

    deadline = time.monotonic() + 600
    while not list(tmp_path.glob("data/mgr_dark/clips/*/*/*/*")) and time.monotonic() < deadline:
        time.sleep(0.02)  # until the processes are at work
    pool = psutil.Process(process.pid).children()
    process.kill()
    process.wait()
    assert len(pool) >= 2 and all(gone(p.pid) for p in pool)
