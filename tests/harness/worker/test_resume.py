"""Resume is exact: a job killed in the middle of its training ends with the weights and predictions of an undisturbed
one.
"""

import os
import re
import signal
import threading
import time
from pathlib import Path

import pytest

from harness.ledger.lock import RunLock
from harness.ledger.store import load_predictions, load_records
from tests.helpers.command_line import harness_here


@pytest.fixture
def options(small_configs, tiny_data):
    smoke = small_configs / "_base_" / "profiles" / "smoke.py"
    text, count = re.subn(r"max_epochs=\d+", "max_epochs=12", smoke.read_text(encoding="utf-8"))
    assert count == 1
    smoke.write_text(text, encoding="utf-8")
    return [
        "--configs",
        str(small_configs),
        "--data-root",
        str(tiny_data),
        "--profile",
        "smoke",
        "--jobs",
        "1",
    ]


def run(options, work_dir, killed=False):
    """Run the cell to its end; its job is killed once in between where that is asked for."""
    kills = []
    killer = threading.Thread(target=lambda: killed and kills.append(kill_after_a_checkpoint(work_dir)))
    killer.start()
    done = harness_here("run", *options, "--work-dir", work_dir, "--cell", "i3d_r50_mgr-dark-rgb-s0")
    killer.join()
    assert kills == [True] * killed, "the job was over before"
    return done


def kill_after_a_checkpoint(work_dir: Path) -> bool:
    """Kill the running job once it has saved a state; False where it was over before."""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        for folder in Path(work_dir).glob("runs/*"):
            if (folder / "mm" / "last.pth").exists() and not (folder / "checkpoint.pth").exists():
                os.kill(RunLock(folder).holder().processes[-1][0], signal.SIGKILL)
                return True
        if list(Path(work_dir).glob("runs/*/run.json")):
            return False
        time.sleep(0.005)
    raise AssertionError("no job got as far as a checkpoint")


def test_a_killed_and_resumed_run_equals_an_undisturbed_one(options, tmp_path):
    assert run(options, tmp_path / "calm").returncode == 0
    done = run(options, tmp_path / "killed", killed=True)
    assert done.returncode == 0 and "retry" in done.stdout, done.stdout + done.stderr

    (calm_dir, calm), (killed_dir, resumed) = (
        next(iter(load_records(tmp_path / d)[0].values())) for d in ("calm", "killed")
    )
    assert calm.key == resumed.key and resumed.attempts == 2
    assert "resumed" in (killed_dir / "log.txt").read_text().lower()
    assert [e.epoch for e in resumed.epochs] == list(range(1, 13))
    assert [e.loss for e in resumed.epochs] == [e.loss for e in calm.epochs]
    assert resumed.checkpoint_sha256 == calm.checkpoint_sha256
    assert (
        load_predictions(calm_dir).equals(load_predictions(killed_dir))
        or resumed.predictions_sha256 == calm.predictions_sha256
    )
    assert resumed.metrics == calm.metrics


def test_a_state_that_was_cut_short_costs_no_run(options, tmp_path):
    options = [*options, "--retries", "0"]
    assert run(options, tmp_path / "cut", killed=True).returncode == 1
    (folder,) = (tmp_path / "cut").glob("runs/*")
    last = folder / "mm" / "last.pth"
    os.truncate(last, last.stat().st_size // 2)
    again = run(options, tmp_path / "cut")
    assert again.returncode == 0, again.stdout + again.stderr
    ((_, record),) = load_records(tmp_path / "cut")[0].values()
    assert record.status == "done" and [e.epoch for e in record.epochs] == list(range(1, 13))
    assert any("last.pth is damaged" in note for note in record.notes)
