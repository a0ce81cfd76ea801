"""However a batch is divided, among processes or within a step: the result of the whole batch, through real jobs.

Batch statistics would differ (they are taken over what a process sees at once), so normalisation is frozen here; nor is
there dropout, which draws per process.
"""

import re
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from harness.ledger.lock import RunLock
from harness.ledger.store import load_predictions, load_records
from harness.system.bfloat16 import bfloat16_gradients_are_right
from harness.system.precision import CPU_FLAGS, cpu_flags
from tests.harness.conftest import write_small_configs
from tests.helpers.command_line import harness_here

CELL = "i3d_r50_mgr-dark-rgb"


def edit(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for pattern, new in changes:
        text, count = re.subn(pattern, new, text)
        assert count, f"{pattern} is not in {path}"
    path.write_text(text, encoding="utf-8")


def runner(configs: Path, data: Path, place: Path):
    """A function that runs the one cell with options and returns its folder and record."""
    base = configs / "_base_"
    edit(
        base / "models" / "i3d_r50.py",
        ("norm_eval=False", "norm_eval=True"),
        (r"dropout_ratio=0\.5", "dropout_ratio=0.0"),
    )
    edit(base / "profiles" / "smoke.py", (r"max_epochs=\d+", "max_epochs=3"))
    edit(base / "schedules" / "paper.py", ("lr=1e-4", "lr=0.01"))

    def go(name, *options, code=0, meanwhile=None):
        helper = threading.Thread(target=meanwhile or (lambda _: None), args=(place / name,))
        helper.start()
        command = ["run", "--configs", configs, "--data-root", data, "--profile", "smoke", "--jobs", "1"]
        done = harness_here(*command, "--work-dir", place / name, "--cell", f"{CELL}-s0", *options)
        helper.join()
        logs = "".join(p.read_text() for p in (place / name).glob("runs/*/log.txt"))
        assert done.returncode == code, done.stdout + done.stderr + logs[-3000:]
        return next(iter(load_records(place / name)[0].values())) if code == 0 else done.stderr

    return go


@pytest.fixture
def run(small_configs, tiny_data, tmp_path):
    return runner(small_configs, tiny_data, tmp_path)


@pytest.fixture(scope="module")
def alone(tmp_path_factory, mgr_dark_root):
    """The cell as it is: the whole batch in one process, in fp32."""
    place = tmp_path_factory.mktemp("alone")
    (place / "data").mkdir()
    (place / "data" / "mgr_dark").symlink_to(mgr_dark_root)
    return runner(write_small_configs(place / "configs"), place / "data", place)("alone")


def assert_same(one, other):
    """Weights, losses of every epoch and scores agree to float tolerance,
    and the test clips are the same, once each.
    """
    (a_folder, a), (b_folder, b) = one, other
    assert [e.loss for e in b.epochs] == pytest.approx([e.loss for e in a.epochs], rel=1e-4)
    assert abs(a.epochs[0].loss - a.epochs[-1].loss) > 1e-2  # it did train
    assert [e.lr for e in b.epochs] == [e.lr for e in a.epochs]
    ours, theirs = (torch.load(f / "checkpoint.pth", weights_only=True)["state_dict"] for f in (a_folder, b_folder))
    assert ours.keys() == theirs.keys()
    for name, weight in ours.items():
        assert torch.allclose(weight.float(), theirs[name].float(), atol=1e-4), name
    ours, theirs = load_predictions(a_folder), load_predictions(b_folder)
    assert list(ours["clip_id"]) == list(theirs["clip_id"]) and theirs["clip_id"].is_unique
    assert np.allclose(np.stack(list(ours["scores"])), np.stack(list(theirs["scores"])), atol=1e-4)


def test_two_processes_end_as_one_does(run, alone):
    together = run("together", "--gpus-per-job", "2")
    assert_same(alone, together)
    assert together[1].key == alone[1].key
    assert any("2 processes" in note for note in together[1].notes) and not alone[1].notes
    assert (
        not (together[0] / "mm").exists() and "Distributed launcher: pytorch" in (together[0] / "log.txt").read_text()
    )


def test_a_process_of_a_group_that_is_killed_is_a_killed_job_and_tried_again(run, small_configs):
    edit(small_configs / "_base_" / "profiles" / "smoke.py", ("max_epochs=3", "max_epochs=60"))
    killed = []

    def kill_one(work_dir):
        deadline = time.monotonic() + 300
        while not list(work_dir.glob("runs/*/mm/last.pth")) and time.monotonic() < deadline:
            time.sleep(0.02)
        (folder,) = work_dir.glob("runs/*")
        job = RunLock(folder).holder().processes[-1][0]
        members = [p for p in psutil.Process(job).children() if "spawn_main" in " ".join(p.cmdline())]
        members[-1].kill()
        killed.append(len(members))

    folder, record = run("killed", "--gpus-per-job", "2", meanwhile=kill_one)
    assert killed == [2] and record.status == "done" and record.attempts == 2 and len(record.epochs) == 60
    assert "resumed epoch" in (folder / "log.txt").read_text()


def test_out_of_memory_ends_with_smaller_parts_and_the_result_of_the_whole_batch(
    run, alone, small_configs, monkeypatch
):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "helpers"))
    edit(small_configs / "_base_" / "models" / "i3d_r50.py", ("'ClipDataPreprocessor'", "'TightMemory', room=1"))
    runtime = small_configs / "_base_" / "default_runtime.py"
    edit(runtime, (r"\['mtcd_plugin.register'\]", "['mtcd_plugin.register', 'tight_memory']"))
    cut = run("cut")
    assert_same(alone, cut)
    assert cut[1].attempts == 3 and any("divided by 4" in note for note in cut[1].notes)


def test_a_batch_that_cannot_be_shared_is_said(run):
    assert "cannot be divided" in run("three", "--gpus-per-job", "3", code=2)


@pytest.mark.skipif(not set(CPU_FLAGS) & cpu_flags(), reason="this processor has no bfloat16")
@pytest.mark.skipif(not bfloat16_gradients_are_right(), reason="this processor's bfloat16 is wrong, and refused")
def test_bf16_is_recorded_and_agrees_with_fp32_as_far_as_bfloat16_goes(run, alone):
    exact_folder, exact = alone
    rough_folder, rough = run("bf16", "--precision", "bf16")
    assert (exact.hardware["precision"], rough.hardware["precision"]) == ("fp32", "bf16")
    assert exact.key == rough.key and "--precision bf16" in rough.command
    losses = [[e.loss for e in r.epochs] for r in (exact, rough)]
    assert losses[0] != losses[1]  # it was computed otherwise
    assert losses[0] == pytest.approx(losses[1], rel=0.05)  # 8 bits of mantissa over three epochs
    scores = [np.stack(load_predictions(folder)["scores"]) for folder in (exact_folder, rough_folder)]
    np.testing.assert_allclose(scores[0], scores[1], atol=0.05)
    weights = torch.load(rough_folder / "checkpoint.pth", weights_only=True)["state_dict"]
    assert {w.dtype for w in weights.values() if w.is_floating_point()} == {torch.float32}


def test_a_training_is_the_same_however_its_clips_are_loaded(run, alone):
    """Out of the memory-mapped store, out of one held on the device, and from the (losslessly coded) videos."""
    runs = [alone, run("held", "--resident", "on"), run("video", "--no-cache")]
    assert [record.hardware["loading"] for _, record in runs] == [
        "by whole batches out of memory-mapped stores",
        "by whole batches out of stores held on the cpu",
        "one by one",
    ]
    assert len({record.checkpoint_sha256 for _, record in runs}) == 1
    assert len({record.predictions_sha256 for _, record in runs}) == 1
    log = (runs[1][0] / "log.txt").read_text()
    assert "training: clips are loaded by whole batches" in log and "test: clips are loaded by whole batches" in log
