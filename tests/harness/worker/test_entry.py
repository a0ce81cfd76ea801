"""``python -m harness.worker RUN_DIR``: all that it needs stands in the run's folder."""

import gc
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from harness.ledger.lock import RunLock
from harness.ledger.store import load_record
from harness.plan.run_state import folder_of
from harness.plan.workspace import open_workspace
from harness.schedule.dispatch import make_spec
from harness.schedule.options import Options
from harness.schedule.task import Task
from harness.worker.__main__ import load, parse
from harness.worker.signals import EXIT_LOCK_LOST
from harness.worker.spec import write_spec
from tests.helpers.preloaded import python


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--threads", "0"], "--threads 0: at least 1 is needed"),
        ([], "has no job.json; name the folder of a run"),
        (["--gpu", "0"], "unrecognized arguments: --gpu"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(tmp_path, capsys, options, said):
    with pytest.raises(SystemExit) as stop:
        parse([str(tmp_path), *options])
    assert stop.value.code == 2 and said in capsys.readouterr().err


def test_the_gpus_that_the_cluster_gave_are_the_default(tmp_path, monkeypatch):
    (tmp_path / "job.json").touch()
    assert parse([str(tmp_path)]).device is None
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    assert parse([str(tmp_path)]).device == "2,3" and parse([str(tmp_path), "--device", "0"]).device == "0"


def test_garbage_is_looked_for_once_all_is_imported_and_not_before(monkeypatch):
    class Module:
        main = property(lambda self: gc.isenabled())

    monkeypatch.setitem(sys.modules, "harness.worker.attempt", Module())
    assert load() is False and gc.isenabled()


LAST_ACT = """
import atexit, sys
from harness.worker.__main__ import leave
class Kept:
    def __del__(self):
        print("taken apart")
kept = Kept()
atexit.register(print, "what is to be done at the end is")
print("said", end=" ")
leave(3)
"""


def test_a_worker_that_is_done_ends_at_once_and_loses_nothing():
    done = subprocess.run([sys.executable, "-c", LAST_ACT], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, "said what is to be done at the end is\n")


@pytest.mark.parametrize("closed", [(), (1,), (2,), (1, 2)])
def test_its_exit_code_is_kept_where_nobody_listens(closed):
    act = "from harness.worker.__main__ import leave; leave(3)"
    shut = partial(list, map(os.close, closed))
    assert subprocess.run([sys.executable, "-c", act], preexec_fn=shut, check=False).returncode == 3


CLOSED = """
import os, sys
from pathlib import Path
from harness.ledger.logs import log_to
from harness.worker import __main__ as worker
folder = Path(sys.argv[1])
def main(*_):
    log_to(folder / "log.txt")
    print("of the job")
    sys.stdout.flush()
    os.system("echo of a child; echo of its errors >&2")
    return 3
worker.load = lambda: main
worker.leave(worker.run([str(folder)]))
"""


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (1, 2), (0, 1, 2)])
def test_its_log_is_whole_where_it_was_started_with_closed_files(tmp_path, closed):
    (tmp_path / "job.json").touch()
    words = [sys.executable, "-c", CLOSED, tmp_path]
    shut = partial(list, map(os.close, closed))
    done = subprocess.run(words, preexec_fn=shut, check=False, stderr=subprocess.PIPE, text=True)
    assert (tmp_path / "log.txt").read_text() == "of the job\nof a child\nof its errors\n"
    assert done.returncode == 3 and ("exit code 3" in done.stderr) is (2 not in closed)


NO_PLOTS = """
import sys
from functools import partial
from harness.worker.__main__ import load
load()
from mmengine.registry import VISUALIZERS
drawer = VISUALIZERS.build({"type": "LateVisualizer", "name": "a", "save_dir": "unused"})
drawer.add_scalars({"loss": 1.0})
drawer.add_config(None)
assert not [name for name in sys.modules if name.split(".")[0] == "matplotlib"]
import numpy
drawer.set_image(numpy.zeros((8, 8, 3), numpy.uint8))
drawer.draw_points(numpy.array([[4, 4]]), colors="w", sizes=numpy.array([9]))
print(drawer.get_image().shape, drawer.get_image().max())
"""


def test_plots_are_imported_once_something_is_drawn():
    done = subprocess.run([sys.executable, "-c", NO_PLOTS], capture_output=True, text=True)
    assert done.stdout.endswith("(8, 8, 3) 255\n"), done.stderr


LATER = """
import sys
from functools import partial
from harness.worker.scipy_later import scipy_stats_later
with scipy_stats_later():
    from scipy.stats import mode
    assert "scipy.stats._stats_py" not in sys.modules
    if sys.argv[1] == "other":
        from scipy.stats import norm
        assert norm.cdf(0.0) == 0.5
    if sys.argv[1] == "meanwhile":
        mode([1])
import scipy.stats
assert "scipy.stats._stats_py" in sys.modules and scipy.stats is sys.modules["scipy.stats"]
assert mode([1, 2, 2, 3]) == scipy.stats.mode([1, 2, 2, 3]) and scipy.stats.norm.cdf(0.0) == 0.5
"""


@pytest.mark.parametrize("use", ["later", "meanwhile", "other"])
def test_statistics_are_imported_when_they_are_used(use):
    subprocess.run([sys.executable, "-c", LATER, use], check=True)


def test_a_worker_has_not_imported_statistics():
    """A fifth of all its imports, for transforms of poses, which it does not use."""
    command = "import sys; from harness.worker.__main__ import load; load(); sys.exit('scipy.stats' in sys.modules)"
    subprocess.run([sys.executable, "-c", command], check=True)


def test_the_command_trains_tests_and_writes_the_record(small_configs, tiny_data, tmp_path):
    ws = open_workspace(small_configs, "smoke", tiny_data, None, None)
    job = next(j for j in ws.plan.jobs.values() if j.name == "i3d_r50_mgr-dark-rgb-s0")
    task = Task(job, folder := folder_of(job, tmp_path))
    assert task.lock.acquire()
    spec = make_spec([task], Options(tmp_path))
    write_spec(folder, spec)
    command = [sys.executable, "-m", "harness.worker", str(folder), "--threads", "1"]
    subprocess.run(command, cwd=Path(__file__).parents[3], check=True)
    record = load_record(folder)
    assert record.status == "done" and record.metrics is not None and (folder / "checkpoint.pth").is_file()
    before = (folder / "run.json").read_bytes()

    def said(code, *options):
        """What a worker says whose exit code is to be this."""
        found = python("-m", "harness.worker", str(folder), *options, cwd=tmp_path, said=words)
        assert found == code and (folder / "run.json").read_bytes() == before
        return words.read_text()

    words = tmp_path / "said"
    assert "this job was submitted anew since" in said(EXIT_LOCK_LOST, "--submission", "0" * 32)
    running = RunLock(folder / "lock" / str(task.lock.number) / spec.submission)
    assert running.acquire()  # as if this process were a worker that runs the same submission
    assert f"process {os.getpid()} on" in (text := said(EXIT_LOCK_LOST)) and "runs this job already" in text
    write_spec(folder, spec.model_copy(update={"claim": task.lock.number - 1}))  # as if another harness held the folder
    assert "taken over by process" in said(EXIT_LOCK_LOST)
    (folder / "job.json").write_text('{"key": 7}')
    assert "job.json: is damaged (key: Input should be a valid string)" in (text := said(1)) and text.count("\n") == 1
