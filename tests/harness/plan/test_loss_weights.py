"""``models rates --loss-weights``: which weights are multiplied, and that nothing else changes."""

import shutil

import pytest

from harness.ledger.store import load_records
from harness.plan.loss_weights import own_weights, weight_cells
from harness.plan.resolve import resolve
from harness.suite import load_benchmark, load_entries
from tests.harness.conftest import CONFIGS
from tests.helpers.command_line import harness_here

ENTRIES = load_entries(CONFIGS, load_benchmark(CONFIGS / "benchmark.yml"))
ALL_AT_ONCE = "model.distillation.weight"


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("mtcd_i3d-r50_mgr-dark-rgb", {"model.alpha": 0.9, "model.beta": 0.3}),
        ("mtcd_assistant_mgr-dark-pseudo-ir", {"model.beta": 1.0}),
        ("kd_i3d-r50_nvgesture-rgb", {ALL_AT_ONCE: 0.9}),
        ("at_i3d-r50_mgr-dark-rgb", {ALL_AT_ONCE: 1000.0}),
        ("rkd_i3d-r50_mgr-dark-rgb", {ALL_AT_ONCE: 1.0}),  # beside those of distances and of angles
    ],
)
def test_weights_are_those_of_what_is_distilled(name, weights):
    assert own_weights(resolve(ENTRIES[name].config, "demo").config) == weights
    cells = weight_cells([ENTRIES[name]], ENTRIES, [0.5, 1.0], "demo", 2)
    assert [c.variant for c in cells] == ["loss-weights=0.5", "loss-weights=0.5", "loss-weights=1", "loss-weights=1"]
    half = resolve(ENTRIES[name].config, "demo", cells[0].overrides).config
    whole = resolve(ENTRIES[name].config, "demo", cells[2].overrides).config
    assert own_weights(half) == {key: weight / 2 for key, weight in weights.items()}
    assert own_weights(whole) == weights
    assert half["optim_wrapper"] == whole["optim_wrapper"] and half["train_dataloader"]["dataset"]["split"] == "fit"


@pytest.mark.parametrize("name", ["i3d_r50_mgr-dark-rgb", "mtut_mgr-dark-rgb", "mtcd_translator_mgr-dark"])
def test_what_distils_nothing_by_a_weight_is_refused(name):
    with pytest.raises(ValueError, match=f"{name}: has no distillation loss whose weight"):
        weight_cells([ENTRIES[name]], ENTRIES, [1.0], "demo", 1)


def test_factors_are_trained_and_compared_with_the_configs_own(small_configs, tiny_data, tmp_path):
    entry = "kd_i3d-r50_mgr-dark-rgb"
    for folder in ("mtcd", "rivals", "swin"):
        shutil.copytree(CONFIGS / folder, small_configs / folder)
    options = ["--profile", "smoke", "--configs", small_configs, "--data-root", tiny_data, "--work-dir", tmp_path / "w"]
    got = harness_here("models", "rates", entry, "--loss-weights", "1,4", *options)
    assert got.returncode == 0, got.stderr
    records = [r for _, r in load_records(tmp_path / "w")[0].values() if r.cell.model == entry]
    assert {r.identity.config["model"]["distillation"]["weight"] for r in records} == {0.9, 3.6}
    assert all("--loss-weights 1,4" in r.command for r in records)
    lines = got.stdout.splitlines()
    assert any(line.startswith(f"{entry}  1* ") and "   4 " in line for line in lines)
    assert lines[-1].startswith("  4 ") and " 1" in lines[-1]


@pytest.mark.parametrize("options", [[], ["--rates", "1e-3", "--loss-weights", "1"]])
def test_one_of_the_two_is_searched(options):
    got = harness_here("models", "rates", "kd_i3d-r50_mgr-dark-rgb", *options)
    assert got.returncode == 2 and "give --rates or --loss-weights, one of them" in got.stderr
