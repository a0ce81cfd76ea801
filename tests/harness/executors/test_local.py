"""Slots of this machine, and what ends of processes mean there."""

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import BadUsage
from harness.executors import local
from harness.executors.base import GRACE_SECONDS, Outcome, Resources
from harness.executors.local import LocalExecutor, LocalJob
from harness.ledger.run_dir import LOG


def test_gpus_are_dealt_out_in_groups():
    executor = LocalExecutor(jobs=1, gpus=("0", "1", "2", "3", "4"), cores=4, gpus_per_job=2)
    assert executor.slots == 2 and executor._devices == ["0,1", "2,3"]
    with pytest.raises(ValueError, match="--gpus-per-job 3: choose from 1 to 2"):
        LocalExecutor(jobs=1, gpus=("0", "1"), gpus_per_job=3)


@pytest.mark.parametrize("gpus", [(), ("0", "1")])
def test_an_option_for_what_is_not_there_is_not_ignored_in_silence(gpus, monkeypatch, caplog):
    monkeypatch.setattr(local, "detect_gpus", lambda: gpus)
    caplog.set_level(logging.INFO)
    both = {"jobs": 3, "jobs_per_gpu": 2}
    if gpus:
        local._say_once.cache_clear()
        assert LocalExecutor.create(both, Resources()).slots == 4 == LocalExecutor.create(both, Resources()).slots
        assert caplog.text.count("--jobs has no effect") == 1
        return
    with pytest.raises(BadUsage, match="--jobs-per-gpu: there is no GPU"):
        LocalExecutor.create(both, Resources())
    assert LocalExecutor.create({"jobs": 3, "jobs_per_gpu": None}, Resources()).slots == 3 and not caplog.text


def test_slots_share_what_is_free(monkeypatch):
    one, two = LocalExecutor(jobs=1).free_memory(), LocalExecutor(jobs=2).free_memory()
    assert 0 < two < 0.6 * one
    monkeypatch.setattr(local, "free_gpu_memory", lambda gpu: {"1": 2048}[gpu])
    assert LocalExecutor(jobs=2, gpus=("1",)).free_memory() == 1024


BROKEN = """
import sys, time
from pathlib import Path
from harness.executors.base import Resources
from harness.executors.local import LocalExecutor
if __name__ == "__main__":
    executor = LocalExecutor(jobs=1)
    for name in sys.argv[1:]:
        job = executor.submit(Path(name), Resources())
        while (outcome := job.poll()) is None:
            executor.wait(0.1)
        print(outcome.exit_code)
"""


@pytest.mark.parametrize("error", ["ImportError", "RuntimeError"])
def test_what_an_environment_lacks_is_in_the_log_of_each_job(tmp_path, error):
    """A fork server that cannot import torch goes on without: one that ended would leave its jobs without a word."""
    (tmp_path / "torch.py").write_text(f"raise {error}('libcudart is gone')")
    (tmp_path / "drive.py").write_text(BROKEN)
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, str(tmp_path / "drive.py"), *map(str, folders)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == (["1", "1"], "")
    for folder in folders:
        assert (folder / LOG).read_text().endswith(f"{error}: libcudart is gone\n")


class Process:
    """As much of a process that ended as is looked at."""

    sentinel = pid = 0

    def __init__(self, exitcode):
        self.exitcode = exitcode

    def is_alive(self):
        return False

    def join(self):
        pass


@pytest.mark.parametrize(
    ("gpus", "slots", "threads"),
    [((), 1, 2), ((), 3, 6), (("0", "1", "2"), 3, 2)],  # on a GPU, those of other slots would do nothing for it
)
def test_a_job_has_the_threads_of_the_slots_that_it_may_use(monkeypatch, tmp_path, gpus, slots, threads):
    started = []

    class Started(Process):
        def __init__(self, target, args, name):
            super().__init__(0)
            started.append(args)

        def start(self):
            pass

    monkeypatch.setattr(local, "signal_group", lambda pid, number: None)
    executor = LocalExecutor(jobs=1 if gpus else 3, gpus=gpus, cores=6)
    monkeypatch.setattr(executor._context, "Process", Started)
    executor.submit(tmp_path, Resources(slots=slots))
    assert [args[1] for args in started] == [threads]


@pytest.mark.parametrize(
    ("exitcode", "for_memory", "timed_out", "code", "cause"),
    [
        (0, True, False, 0, None),  # one of its data-loading processes was killed so
        (-signal.SIGKILL, False, False, -9, None),
        (-signal.SIGKILL, True, False, -9, "out_of_memory"),
        (255, True, False, None, "out_of_memory"),  # as multiprocessing says where the fork server was killed
        (255, False, False, None, None),
        (-signal.SIGSEGV, True, False, -11, None),
        (3, False, True, 3, "time_limit"),
    ],
)
def test_what_the_end_of_a_process_means(monkeypatch, exitcode, for_memory, timed_out, code, cause):
    monkeypatch.setattr(local.MemoryWatch, "killed", lambda self: for_memory)
    monkeypatch.setattr(local, "signal_group", lambda pid, number: None)
    job = LocalJob(2**22 + 1, Process(exitcode))
    job.timed_out = timed_out
    outcome = job.poll()
    assert (outcome.exit_code, outcome.cause) == (code, cause)
    assert cause != "out_of_memory" or "--jobs" in outcome.message


class Alive(Process):
    def is_alive(self):
        return True


def test_a_job_is_asked_to_stop_at_its_deadline_and_killed_after_its_grace(monkeypatch):
    now, sent = [100.0], []
    monkeypatch.setattr(local.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(local, "signal_group", lambda pid, number: sent.append((now[0], number)))
    job = LocalJob(2**22 + 1, Alive(None))
    job.deadline = 160.0
    for now[0] in (159.0, 161.0, 161.0 + GRACE_SECONDS - 1, 161.0 + GRACE_SECONDS + 1):
        job.keep_watch()
    assert sent == [(161.0, signal.SIGTERM), (162.0 + GRACE_SECONDS, signal.SIGKILL)]
    assert job.poll() is None


def test_only_jobs_of_this_machine_that_still_run_can_be_attached_to():
    executor = LocalExecutor(jobs=1)
    assert executor.attach(LocalJob(2**22 + 1).id) is None
    assert executor.attach("slurm 17") is None
    for damaged in (
        '["a", "b", "c", "x", 1.0]',
        '["a", "b", "c", null, 1.0]',
        '["a", "b", "c", 1e999, 1.0]',
        "[" * 50_000,
    ):
        assert executor.attach(damaged) is None
    assert Outcome(None) == LocalJob(2**22 + 1).poll()
