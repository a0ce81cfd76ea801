"""``models rates``: what is trained on and tested on, and that the test split has no part in it."""

import re
import shlex

import numpy as np
import pytest

from harness.cli.rate_lines import rate_lines
from harness.ledger.store import load_records
from harness.plan.jobs import Settings, dependency_closure
from harness.plan.loaders import dataset_configs
from harness.plan.planner import make_plan
from harness.plan.rates import own_rates, rate_cells
from harness.plan.resolve import resolve
from harness.plan.trials import Tried, parse_values
from harness.suite import load_benchmark, load_entries, load_suite
from harness.suite.cells import sweep_variant
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
        assert f"{100 * r.metrics.top1:.1f} %" in got.stdout.splitlines()[-2]
    assert "0.0001*" in got.stdout.splitlines()[-2]  # the paper's rate, which smoke keeps
    assert "0.001" in got.stdout.splitlines()[-1] and "0.0001" in got.stdout.splitlines()[-1]
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
    (one,) = [r for r in records if r.identity.config["optim_wrapper"]["optimizer"]["lr"] == 1e-4]
    words = shlex.split(one.command.replace(" DIR", " {}").format(tiny_data, small_configs))[3:]
    redone = harness_here(*words, "--work-dir", tmp_path / "w")
    assert "predictions equal to the last digit" in redone.stdout, "the recorded command redoes its run"


ENTRIES = load_entries(CONFIGS, load_benchmark(CONFIGS / "benchmark.yml"))


def test_a_one_cycle_schedule_follows_the_rate():
    (cell,) = rate_cells([ENTRIES["c3d_mgr-dark-depth"]], ENTRIES, [5e-4], "demo", 1)
    assert cell.overrides == {
        "train_dataloader.dataset.split": "fit",
        "test_dataloader.dataset.split": "holdout",
        "optim_wrapper.optimizer.lr": 5e-4,
        "param_scheduler.0.eta_max": 5e-4,
    }


def test_the_guide_sets_a_rate_as_the_trials_set_it(small_configs):
    """What stands in the guide gives, written into a config, the schedule of the trial at that rate."""
    section = (CONFIGS.parent / "docs" / "methods.md").read_text().split("## 5.")[1].split("## 6.")[0]
    entry = load_suite(small_configs)[1]["i3d_r50_mgr-dark-rgb"]
    (cell,) = rate_cells([entry], {entry.name: entry}, [2e-3], "demo", 1)
    tried = resolve(entry.config, "demo", cell.overrides).config
    with entry.config.open("a") as config:
        config.write("\n" + section.split("```python")[1].split("```")[0])
    said = resolve(entry.config, "demo").config
    assert said["optim_wrapper"]["optimizer"]["lr"] == 2e-3
    assert [said[k] for k in ("optim_wrapper", "param_scheduler")] == [
        tried[k] for k in ("optim_wrapper", "param_scheduler")
    ]


def test_what_trains_nothing_itself_is_searched_by_the_rate_of_what_trains_for_it():
    """As MTUT's stream, whose network is a part of a training of two, and as fusions."""
    (cell,) = rate_cells([ENTRIES["mtut_ir_mgr-dark-rgb"]], ENTRIES, [2e-3], "demo", 1)
    assert cell.overrides["parents.ir_streams.overrides"]["optim_wrapper.optimizer.lr"] == 2e-3
    assert cell.overrides["parents.ir_streams.overrides"]["train_dataloader.dataset.split"] == "fit"
    assert cell.overrides["test_dataloader.dataset.split"] == "holdout" and len(cell.overrides) == 2
    by_path = {e.config.resolve(): e for e in ENTRIES.values()}
    streams = ENTRIES["mtut_ir-streams_mgr-dark"]
    own = resolve(streams.config, "demo").config["optim_wrapper"]["optimizer"]["lr"]
    assert own_rates(ENTRIES["mtut_ir_mgr-dark-rgb"], by_path, "demo") == {own}


def test_where_stages_have_several_rates_nothing_is_compared_with_them():
    found = {"fusion": [tried(2e-3, 5), tried(1e-3, 5)]}
    for of_one in found["fusion"]:
        object.__setattr__(of_one, "own_value", None)
    lines = list(rate_lines(found))
    assert len(lines) == 3 and "have several rates of their own" in lines[2]


def test_where_the_configs_own_rate_is_not_tried_it_is_said():
    found = {"entry": [tried(2e-3, 5)], "other": [tried(1e-3, 5, own=True)]}
    lines = list(rate_lines(found))
    assert [i for i, line in enumerate(lines) if "own rate, 0.0001, is not among these" in line] == [2]


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


def tried(rate, right, own=False):
    """Seeds that each have the same clips right; ten people with ten clips each."""
    return Tried(
        rate,
        rate if own else 1e-4,
        np.tile(np.arange(100) % 10 < right, (3, 1)),
        tuple(str(i // 10) for i in range(100)),
    )


def test_a_rate_is_compared_with_the_configs_own_on_the_same_clips():
    """Clips within a person alone vary: the standard error of 20 points is 4, the root of 0.2 * 0.8 / 100."""
    own, much, none = tried(1e-3, 5, own=True), tried(2e-3, 7), Tried(5e-4, 1e-3, np.empty((0, 0), bool), ())
    lines = list(rate_lines({"entry": [none, own, much]}))
    assert lines[1].split() == ["entry", "0.0005", "-", "0.001*", "50.0", "%", "0.002", "70.0", "%"]
    assert len(lines) == 3 and lines[2].startswith("  0.002 over 0.001: +20.0 points, better") and "3 seeds" in lines[2]
    low, high = map(float, re.search(r"interval (\S+) to (\S+),", lines[2]).groups())
    assert low == pytest.approx(20 - 1.96 * 4, abs=1) and high == pytest.approx(20 + 1.96 * 4, abs=1)


def test_rates_that_these_clips_do_not_tell_apart_are_said_so():
    swapped = np.tile(np.arange(100) % 10 < 5, (1, 1))
    swapped[0, [0, 5, 6]] = False, True, True  # one clip less and two more: one point
    own = Tried(1e-3, 1e-3, np.tile(np.arange(100) % 10 < 5, (1, 1)), tuple(str(i // 10) for i in range(100)))
    worse = Tried(2e-3, 1e-3, ~own.correct & False, own.subjects)
    lines = list(rate_lines({"entry": [own, Tried(5e-4, 1e-3, swapped, own.subjects), worse]}))
    assert "0.0005 over 0.001: +1.0 points, not told apart" in lines[2] and "1 seed; what another training" in lines[2]
    assert "0.002 over 0.001: \u221250.0 points, worse" in lines[3]
    same = list(rate_lines({"entry": [own, Tried(5e-4, 1e-3, own.correct, own.subjects)]}))
    assert same[2] == "  0.0005 has the same clips right as 0.001"
    all_right, none_right = (Tried(rate, 1e-3, np.full((1, 4), rate == 1e-3), tuple("aabb")) for rate in (1e-3, 2e-3))
    opposite = list(rate_lines({"entry": [all_right, none_right]}))
    assert "0.002 over 0.001: \u2212100.0 points" in opposite[2] and "same" not in opposite[2]


@pytest.mark.parametrize("text", ["", "x", "1e-3,", "0", "-1", "nan", "inf"])
def test_what_is_no_rate(text):
    with pytest.raises(ValueError, match="is not a valid learning rate"):
        parse_values(text, "--rates", "learning rate", "1e-3")


def test_rates_that_are_alike_in_six_digits_are_cells_of_their_own():
    entries = load_suite(CONFIGS)[1]
    rates = parse_values("1e-3,1.0000001e-3,2e-3", "--rates", "learning rate", "1e-3")
    cells = rate_cells([entries["i3d_r50_mgr-dark-rgb"]], entries, rates, "smoke", 1)
    assert [c.variant for c in cells] == ["rate=0.001", "rate=0.0010000001", "rate=0.002"]
    assert len({c.id for c in cells}) == 3
    found = {"i3d": [Tried(r, 1e-3, np.ones((1, 2), bool), ("a", "b")) for r in rates]}
    assert "0.001* 100.0 %   0.0010000001 100.0 %" in "\n".join(rate_lines(found))


def test_so_are_values_of_a_sweep():
    assert [sweep_variant("alpha", v) for v in (0.5, 0.50000001, 1.0)] == ["alpha=0.5", "alpha=0.50000001", "alpha=1"]
