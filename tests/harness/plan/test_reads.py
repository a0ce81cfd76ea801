"""A config reads at test time what its metafile declares, or it is not planned."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from harness import PACKAGED_CONFIGS
from harness.plan.parents import fused_modalities
from harness.plan.reads import check_reads, read_modalities
from harness.plan.resolve import resolve
from harness.plan.workspace import open_workspace
from harness.suite import Entry, load_suite
from harness.suite.stages import Stage

ENTRIES = load_suite(PACKAGED_CONFIGS)[1]
BY_PATH = {e.config.resolve(): e for e in ENTRIES.values()}
NETWORK = Entry("mine", Path("m/mine.py"), "Mine", "Mine", "single", "mgr_dark", ("rgb",), "rgb")


def config(train=None, test=None):
    of = {"train": train, "test": test}
    return {f"{s}_dataloader": m and {"dataset": {"type": "MGRDarkDataset", "modalities": m}} for s, m in of.items()}


def entry(test, train, **more):
    return replace(NETWORK, test_modality=test, train_modalities=train, **more)


@pytest.mark.parametrize("name", ENTRIES)
def test_every_packaged_entry_reads_what_it_declares(name):
    for profile in ("smoke", "paper"):
        resolved = resolve(ENTRIES[name].config, profile)
        fused = fused_modalities(ENTRIES[name], resolved, profile, BY_PATH)
        check_reads(ENTRIES[name], resolved.config, fused=fused)


@pytest.mark.parametrize(
    ("declares", "trains", "train", "test"),
    [
        ("rgb", ("rgb",), ["rgb"], ["rgb"]),
        ("rgb+depth", ("rgb", "depth"), ["depth", "rgb"], ["depth", "rgb"]),
        ("rgb+depth", ("rgb", "depth"), None, ["rgb", "depth"]),
        ("rgb", ("rgb", "ir"), ["rgb", "ir", "pseudo_ir"], ["rgb"]),
        ("rgb", ("rgb", "ir"), ["rgb"], ["rgb"]),  # what else it is trained with comes by its parents
        ("depth", ("depth", "ir"), ["depth", "ir", "pseudo_ir"], ["depth"]),
        ("rgb", ("rgb",), ["flow"], ["flow"]),  # computed from RGB
        ("rgb", ("rgb",), ["rgb", "flow"], ["rgb", "flow"]),
        ("flow", ("flow",), ["flow"], ["flow"]),
        ("rgb+flow", ("rgb", "flow"), None, ["rgb", "flow"]),
        ("pseudo_ir", ("pseudo_ir", "ir"), ["pseudo_ir", "ir"], ["pseudo_ir"]),
    ],
)
def test_what_is_declared_may_be_read_and_what_is_derived_from_it(declares, trains, train, test):
    check_reads(entry(declares, trains), config(train, test))


@pytest.mark.parametrize(
    ("declares", "trains", "train", "test", "words"),
    [
        ("rgb", ("rgb",), None, ["rgb", "depth"], "test_dataloader reads RGB.Depth, but .* declares Modality RGB;"),
        ("rgb+depth", ("rgb", "depth"), None, ["rgb"], "test_dataloader reads RGB, but .* Modality RGB.Depth;"),
        ("rgb", ("rgb", "ir"), None, ["rgb", "ir"], "test_dataloader reads RGB.IR"),
        ("depth", ("depth",), None, ["depth", "flow"], "test_dataloader reads Depth.Flow"),
        ("flow", ("flow",), None, ["rgb"], "test_dataloader reads RGB, but .* Modality Flow;"),
        ("rgb", ("rgb",), ["rgb", "depth"], ["rgb"], "train_dataloader reads RGB.Depth, .* Training Modalities RGB;"),
        (
            "rgb",
            ("rgb",),
            ["sonar"],
            ["rgb"],
            "train_dataloader reads unknown modality 'sonar'; choose from rgb, depth",
        ),
    ],
)
def test_other_modalities_are_one_line(declares, trains, train, test, words):
    with pytest.raises(ValueError, match=words) as e:
        check_reads(entry(declares, trains), config(train, test))
    assert "\n" not in str(e.value)


def test_a_bound_may_see_what_it_was_trained_on_and_a_rendering_what_it_likes():
    check_reads(entry("rgb", ("rgb", "ir"), metadata={"Bound": True}), config(None, ["rgb", "ir"]))
    renders = Stage(name="rendering", title="Rendering", does=("renders",))
    check_reads(entry("rgb", ("rgb",), role=renders), config(None, ["depth"]))


def test_a_variant_that_sets_the_modalities_says_itself_what_it_reads():
    changed = {"test_dataloader.dataset.modalities": ["ir"]}
    check_reads(NETWORK, config(None, ["ir"]), changed)
    with pytest.raises(ValueError, match="test_dataloader reads IR"):
        check_reads(NETWORK, config(None, ["ir"]), {"model.alpha": 0.0})


def test_a_data_set_of_clips_without_modalities_reads_rgb():
    silent = {"test_dataloader": {"dataset": {"type": "MGRDarkDataset"}}}
    assert read_modalities(silent, "test") == ("rgb",) and read_modalities(silent, "train") is None
    assert read_modalities({"test_dataloader": {"dataset": {"type": "VideoDataset"}}}, "test") is None
    with pytest.raises(ValueError, match="reads RGB"):
        check_reads(entry("depth", ("depth",)), silent)


def test_the_planner_refuses_it_and_plans_the_rest(small_configs, tiny_data):
    path = small_configs / "i3d" / "i3d_r50_mgr-dark-rgb.py"
    path.write_text(path.read_text() + "\ntest_dataloader = dict(dataset=dict(modalities=['rgb', 'depth']))\n")
    plan = open_workspace(small_configs, "smoke", tiny_data, None, 1).plan
    assert {c for c, _ in plan.keys} == {"i3d_r50_mgr-dark-depth"}
    (reason,) = plan.errors.values()
    assert "reads RGB+Depth, but the metafile declares Modality RGB" in reason and "metafile.yml" in reason


def test_two_modalities_are_planned_as_a_set(small_configs, tiny_data):
    path = small_configs / "i3d" / "i3d_r50_mgr-dark-rgb.py"
    both = "dict(dataset=dict(modalities=['rgb', 'depth']))"
    path.write_text(path.read_text() + f"\ntrain_dataloader = {both}\ntest_dataloader = {both}\n")
    for file, change in (("i3d/metafile.yml", declare_both), ("benchmark.yml", add_column)):
        content = yaml.safe_load((small_configs / file).read_text())
        change(content)
        (small_configs / file).write_text(yaml.safe_dump(content))
    ws = open_workspace(small_configs, "smoke", tiny_data, None, 1)
    assert not ws.plan.errors
    cells = {job.cell.model: job.cell for job in ws.plan.jobs.values()}
    assert cells["i3d_r50_mgr-dark-rgb"].test_modality == "rgb+depth"
    assert cells["i3d_r50_mgr-dark-depth"].test_modality == "depth"


def declare_both(meta):
    (model,) = (m for m in meta["Models"] if m["Name"] == "i3d_r50_mgr-dark-rgb")
    model |= {"Modality": "Depth+RGB", "Training Modalities": ["RGB", "Depth"]}


def add_column(benchmark):
    benchmark["tables"][0]["columns"].append({"modality": "depth+rgb", "title": "RGB + Depth"})
