"""``bench gpu``: without a GPU one line; its measurements on the CPU, at smoke size."""

import json
import time

import pytest
import torch

from harness.bench.gpu import PARTS, Session, bench_gpu, line_of, methods, run_command
from harness.cli import main
from harness.measure import gpu_steps
from harness.measure.gpu_steps import StepSizes, measure_method
from harness.plan.resolve import resolve
from harness.suite import load_suite
from tests.harness.conftest import CONFIGS, small_configs  # noqa: F401

TINY = StepSizes(steps=2, seconds=0.0, workers=0, clips=2)


def session(left=3600.0):
    return Session("smoke", "cpu", TINY, time.monotonic() + left, lambda _: None)


def run(capsys, *args):
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in args])
    out = capsys.readouterr()
    return stop.value.code or 0, out.out, out.err


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_without_a_gpu_it_is_one_line(capsys):
    code, out, err = run(capsys, "bench", "gpu")
    assert code == 2 and out == "" and err.count("\n") == 1 and "no GPU here" in err


def test_stock_and_ours_are_measured_side_by_side(capsys, small_configs):  # noqa: F811
    only = ["--skip", "smoke", "--skip", "ddp", "--skip", "distillation", "--configs", small_configs]
    code, out, _ = run(capsys, "bench", "gpu", "--device", "cpu", "--profile", "smoke", *only, "--clips", 2,
                       "--workers", 0, "--json")  # fmt: skip
    found = json.loads(out)
    assert code == 0 and [m["method"] for m in found["methods"]] == ["I3D"] and found["gpu"] == "none"
    for how in ("stock", "ours"):
        row = found["methods"][0][how]
        assert row["precision"] == "fp32" and row["batch"] == 2 and row["step_s"] > 0 and row["share_of_peak"] is None
        assert 0 <= row["data_share"] < 1 and row["peak_gib"] > 0 and row["clips_per_s"] > 0
        assert "waiting" in line_of(row) and "peak;" not in line_of(row)


def test_what_there_is_no_time_for_is_named_and_not_guessed(small_configs, tmp_path):  # noqa: F811
    _, entries = load_suite(small_configs)
    found = {"methods": [], "left_out": {}}
    methods(list(entries.values())[:1], tmp_path, session(left=0.0), found)
    assert found == {"methods": [], "left_out": {next(iter(entries)): "no time was left"}}


def test_everything_can_be_skipped(small_configs):  # noqa: F811
    found = bench_gpu(load_suite(small_configs), [], PARTS, session())
    assert found["methods"] == [] and not found["left_out"] and "smoke" not in found and found["hardware"]["cpu"]


def test_two_gpus_are_needed_to_measure_two(small_configs):  # noqa: F811
    found = bench_gpu(load_suite(small_configs), [], ("methods", "smoke", "distillation"), session())
    assert found["left_out"] == {"ddp": "two GPUs are needed, 0 here"}


def test_a_command_that_fails_says_so(tmp_path):
    found = run_command(("plan", "--profile", "huge"), tmp_path, session())
    assert found["exit_code"] == 2 and found["done"] == 0 and "unknown profile" in found["said"][-1]


def test_a_batch_that_does_not_fit_is_halved_and_said(monkeypatch):
    config = resolve(CONFIGS / "i3d" / "i3d_r50_mgr-dark-rgb.py", "smoke").config
    asked = []

    def steps(config, how, dataset, device, sizes, clips):
        asked.append(clips)
        if clips > 2:
            raise torch.OutOfMemoryError
        return {"batch": clips}

    monkeypatch.setattr(gpu_steps, "_steps", steps)
    found = measure_method(config, "ours", None, torch.device("cpu"), StepSizes(clips=8))
    assert asked == [8, 4, 2] and found == {"batch": 2, "halved_from": 8}
    monkeypatch.setattr(gpu_steps, "_steps", lambda *a: (_ for _ in ()).throw(torch.OutOfMemoryError()))
    with pytest.raises(ValueError, match="a step of one clip does not fit"):
        measure_method(config, "ours", None, torch.device("cpu"), StepSizes(clips=8))


def test_the_share_of_the_peak_is_operations_over_the_cards(monkeypatch):
    monkeypatch.setattr(gpu_steps, "operations_of", lambda *_: type("O", (), {"training": 90e9}))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA H100 80GB HBM3")
    found = gpu_steps._summary({}, torch.device("cuda"), gpu_steps.Precision.BF16, 32, [0.02, 0.02], [0.06, 0.06])
    assert found["share_of_peak"] == pytest.approx(2 * 90e9 * 32 / 0.06 / 989e12)
    assert found["data_share"] == pytest.approx(0.25) and found["clips_per_s"] == pytest.approx(32 / 0.08)
