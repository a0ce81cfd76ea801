"""The rivals of MTCD: the same student, teacher, data and schedule as the rows that they stand beside."""

from functools import cache
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

import mtcd_plugin.register  # noqa: F401
from harness.plan.resolve import resolve
from harness.suite import load_benchmark
from harness.suite.cells import in_methods_table
from harness.suite.entries import load_entries
from mtcd_plugin.models.distillers.single_teacher_distiller import caught
from mtcd_plugin.models.losses.distillation import Outputs

ROOT = Path(__file__).parents[2] / "mm_configs"
BENCHMARK = load_benchmark(ROOT / "benchmark.yml")
ENTRIES = load_entries(ROOT, BENCHMARK)
RIVALS = sorted(e.name for e in ENTRIES.values() if e.config.parent.name == "rivals")
PROFILES = ("smoke", "demo", "paper")


@cache
def config_of(name: str, profile: str) -> dict:
    return resolve(ENTRIES[name].config, profile).config


def data_of(name: str) -> str:
    return "nvgesture" if "nvgesture" in name else "mgr-dark"


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", RIVALS)
def test_only_the_loss_differs_from_the_row_of_the_student(name, profile):
    rival, plain = config_of(name, profile), config_of(f"i3d_r50_{data_of(name)}-rgb", profile)
    own = {k: v for k, v in plain["model"].items() if k != "data_preprocessor"}
    assert rival["model"]["student"] == own
    for key in ("optim_wrapper", "param_scheduler", "train_cfg", "test_dataloader"):
        assert rival[key] == plain[key], key
    loader, theirs = rival["train_dataloader"], plain["train_dataloader"]
    assert {k: v for k, v in loader.items() if k != "dataset"} == {k: v for k, v in theirs.items() if k != "dataset"}
    assert loader["dataset"]["pipeline"] == theirs["dataset"]["pipeline"]


@pytest.mark.parametrize("profile", ["demo", "paper"])
@pytest.mark.parametrize("name", RIVALS)
def test_the_teacher_is_mtcds(name, profile):
    rival, mtcd = (config_of(n, profile)["model"] for n in (name, f"mtcd_i3d-r50_{data_of(name)}-rgb"))
    a, b = rival["teachers"]["teacher"], mtcd["teachers"]["teacher"]
    assert a["model"] == b["model"]
    assert a["input"] == ("enhanced_rgb" if name.startswith("dl-kdd") else "ir")
    (parent,) = resolve(ENTRIES[name].config, profile).parents.values()
    theirs = resolve(ENTRIES[f"mtcd_i3d-r50_{data_of(name)}-rgb"].config, profile).parents["teacher"]
    assert Path(parent["config"]).name == theirs["config"]
    assert bool(parent.get("overrides")) == name.startswith("dl-kdd")


def test_the_teacher_on_brightened_rgb_is_the_controls():
    row = next(r for t in BENCHMARK.tables if t.id == "controls" for r in t.rows if r.id == "enhanced-teacher")
    (parent,) = resolve(ENTRIES["dl-kdd_i3d-r50_mgr-dark-rgb"].config, "demo").parents.values()
    assert parent["overrides"] == row.overrides["parents.teacher.overrides"]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", [n for n in RIVALS if "mgr-dark" in n])
def test_losses_fit_the_networks_of_every_profile(name, profile):
    """Shapes of features and channels that the configs repeat, without memory or numbers."""
    config = config_of(name, profile)
    init_default_scope("mmaction")
    size = {"smoke": 32, "demo": 56, "paper": 224}[profile]
    frames = 32 if profile == "paper" else 16
    with torch.device("meta"):
        model = MODELS.build(config["model"]).train()
        x = torch.empty(2, 1, 3, frames, size, size)
        student, teacher = (captured(model, net, x) for net in (model.student, model.teacher))
        losses = (
            model.distillation(student, teacher, torch.zeros(2, dtype=torch.int64), ["a", "b"]) if fits(name) else {}
        )
    assert all(v.shape == () for v in losses.values())


def fits(name: str) -> bool:
    """The relations of clips need values, which tensors without memory have not; only their channels are checked."""
    return not name.startswith(("crd", "rkd"))


def captured(model, network, x):
    with caught(network, model.distillation.layers) as layers:
        feature, _ = network.extract_feat(x)
    found = Outputs(network.cls_head(feature), feature, layers)
    if hasattr(model.distillation, "embed_student"):
        assert feature.shape[1] == model.distillation.embed_student.in_features
    return found


def test_they_are_rows_of_their_own_tables_alone():
    tables = {t.id: t for t in BENCHMARK.tables}
    for data, table in (("mgr-dark", tables["rivals"]), ("nvgesture", tables["rivals_nvgesture"])):
        assert table.optional
        assert len({r.id for r in table.rows}) == len({(r.model, r.variant) for r in table.rows}) == len(table.rows)
        assert {n for n in RIVALS if data in n} <= {r.model for r in table.rows}
        assert {f"i3d_r50_{data}-rgb", f"mtcd_i3d-r50_{data}-rgb", f"mtcd_teacher_{data}-ir"} <= {
            r.model for r in table.rows
        }
    methods = [t for t in BENCHMARK.tables if t.columns]
    assert not any(in_methods_table(ENTRIES[n], t) for n in RIVALS for t in methods)
