"""``models rates``: what is trained on and tested on, and that the test split has no part in it."""

import pytest

from harness.ledger.store import load_records
from harness.plan.jobs import Settings, dependency_closure
from harness.plan.loaders import dataset_configs
from harness.plan.planner import make_plan
from harness.plan.rates import parse_rates, rate_cells
from harness.suite import load_benchmark, load_entries
from mtcd_plugin.formats.mgr_dark import read_mgr_dark
from mtcd_plugin.formats.sysu import SysuImage
from tests.harness.conftest import CONFIGS
from tests.helpers.command_line import harness_here


def test_rates_are_tried_on_held_out_training_subjects(small_configs, tiny_data, tmp_path):
    """Two subjects are left to train on: 6 clips, fewer than the two batches of a smoke epoch."""
    got = harness_here(
        "models",
        "rates",
        "i3d_r50_mgr-dark-rgb",
        "--rates",
        "1e-4,1e-3",
        "--profile",
        "smoke",
        "--configs",
        small_configs,
        "--data-root",
        tiny_data,
        "--work-dir",
        tmp_path / "w",
        "--jobs",
        "2",
    )
    assert got.returncode == 0, got.stderr
    split = {c.subject: c.split for c in read_mgr_dark(str(tiny_data / "mgr_dark")).clips}
    records = [r for _, r in load_records(tmp_path / "w")[0].values()]
    assert {r.identity.config["optim_wrapper"]["optimizer"]["lr"] for r in records} == {1e-4, 1e-3}
    for r in records:
        used = {*r.data.train_subjects, *r.data.test_subjects}
        assert used == {s for s, which in split.items() if which == "train"} and "models rates" in r.command
        assert not set(r.data.train_subjects) & set(r.data.test_subjects)
        assert f"{r.identity.config['optim_wrapper']['optimizer']['lr']:g}" in got.stdout
        assert f"{100 * r.metrics.top1:.1f} %" in got.stdout.splitlines()[-1]
    assert "0.0001*" in got.stdout.splitlines()[-1]  # the paper's rate, which smoke keeps
    again = harness_here(
        "models",
        "rates",
        "i3d_r50_mgr-dark-rgb",
        "--rates",
        "1e-4,1e-3",
        "--profile",
        "smoke",
        "--configs",
        small_configs,
        "--data-root",
        tiny_data,
        "--work-dir",
        tmp_path / "w",
    )
    assert "2 jobs: 2 done before, 0 run" in again.stdout


ENTRIES = load_entries(CONFIGS, load_benchmark(CONFIGS / "benchmark.yml"))


def test_a_one_cycle_schedule_follows_the_rate():
    (cell,) = rate_cells([ENTRIES["c3d_mgr-dark-depth"]], ENTRIES, [5e-4], "demo", 1)
    assert cell.overrides == {
        "train_dataloader.dataset.split": "fit",
        "test_dataloader.dataset.split": "holdout",
        "optim_wrapper.optimizer.lr": 5e-4,
        "param_scheduler.0.eta_max": 5e-4,
    }


def test_no_stage_of_a_student_sees_the_held_out_subjects(tiny_data, monkeypatch):
    """Every job of the plan that trains on clips trains on split fit; renderings are of all clips,
    and learn nothing.
    """
    cells = rate_cells([ENTRIES["mtcd_i3d-r50_mgr-dark-rgb"]], ENTRIES, [1e-3], "demo", 2)
    monkeypatch.setattr("harness.plan.data.images_fingerprint", lambda found, root: "people of another data set")
    people = [SysuImage("1.jpg", 1, 1, False, "train")]
    monkeypatch.setattr("harness.plan.data.images_of_split", lambda found, dataset: people)
    for check in ("check_demands", "check_classes"):  # more people and classes than these
        monkeypatch.setattr(f"harness.plan.planner.{check}", lambda config: "")
    plan = make_plan(cells, ENTRIES, Settings(CONFIGS, "demo", tiny_data))
    assert not plan.errors
    jobs = dependency_closure(plan.jobs, plan.keys.values()).values()
    stages = {j.cell.stage for j in jobs}
    assert stages == {"encoder", "translator", "pseudo_ir", "teacher", "assistant", "student"}
    for job in jobs:
        splits = {s: d.get("split") for s, d in dataset_configs(job.config).items() if d["type"] != "SYSUMM01Dataset"}
        assert splits.get("train", "fit") == "fit", job.name
        if job.cell.stage in ("teacher", "assistant", "student"):
            assert splits["test"] == "holdout" and job.config["optim_wrapper"]["optimizer"]["lr"] == 1e-3
        if job.cell.stage == "pseudo_ir":
            assert splits == {"test": "all"}
    assert (
        sum(j.cell.stage == "translator" for j in jobs) == 2
    )  # that of SYSU-MM01, and its fine-tuning, for both seeds


@pytest.mark.parametrize("name", ["mtcd_translator_mgr-dark", "mtcd_pseudo-ir_mgr-dark"])
def test_what_predicts_no_class_is_refused(name):
    with pytest.raises(ValueError, match="predicts no class"):
        rate_cells([ENTRIES[name]], ENTRIES, [1e-3], "demo", 1)


@pytest.mark.parametrize("text", ["", "x", "1e-3,", "0", "-1", "nan", "inf"])
def test_what_is_no_rate(text):
    with pytest.raises(ValueError, match="is not a valid learning rate"):
        parse_rates(text)
