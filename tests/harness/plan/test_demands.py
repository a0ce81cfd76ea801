"""What is too little for a config is said in the plan, not by a job that fails."""

import shutil
from pathlib import Path

import pytest

from harness.plan.demands import check_classes, check_demands, check_sampler
from harness.plan.workspace import open_workspace
from tests.harness.plan.test_data import config, sysu_mm01


def head(classes: int) -> dict:
    return {"type": "I3DHead", "num_classes": classes}


@pytest.mark.parametrize(("by", "there"), [("subject", "3 people"), ("label", "3 classes")])
def test_batches_of_more_identities_than_there_are_fail_in_the_plan(mgr_dark_root, by, there):
    whole = config(mgr_dark_root, ["rgb"])
    sampler = whole["train_dataloader"]["sampler"] = {"type": "mmaction.PKSampler", "identities": 3, "by": by}
    check_sampler(whole)
    sampler["identities"] = 4
    with pytest.raises(
        ValueError, match=f"split of MGR-Dark has clips of {there}, PKSampler draws 4 .*sampler.identities"
    ):
        check_demands(whole)


@pytest.mark.parametrize(
    "model",
    [
        {"cls_head": head(10)},
        {"student": {"cls_head": head(3)}, "teachers": {"teacher": {"model": {"cls_head": head(10)}}}},
        {"members": [{"cls_head": head(10)}]},
        {"cls_head": head(3), "distillation": {"type": "AdversarialDistillation", "num_classes": 10}},
    ],
)
def test_a_network_of_other_classes_than_the_data_fails_in_the_plan(mgr_dark_root, model):
    whole = config(mgr_dark_root, ["rgb"]) | {"model": model}
    with pytest.raises(ValueError, match="has 3 classes, the network predicts 10; .*`models new .*num_classes=3"):
        check_classes(whole)


def test_classes_of_weights_to_start_from_are_not_those_of_the_data(mgr_dark_root):
    model = {"backbone": {"type": "MViT", "num_classes": 400}, "cls_head": head(3)}
    assert check_classes(config(mgr_dark_root, ["rgb"]) | {"model": model}) == ""


def test_classes_without_clips_are_named_by_split(mgr_dark_root, tmp_path):
    root = Path(shutil.copytree(mgr_dark_root, tmp_path / "copy"))
    (root / "classes.txt").write_text("forward\nbackward\nstop\nwave\n")
    kept = [line for line in (root / "annotations.csv").read_text().splitlines() if not line.startswith("s4_stop")]
    (root / "annotations.csv").write_text("\n".join(kept) + "\n")
    note = check_classes(config(root, ["rgb"]) | {"model": {"cls_head": head(4)}})
    assert note == "classes without a clip to train on: wave; classes without a clip to test on: stop, wave"


def test_a_validation_split_is_looked_at(mgr_dark_root):
    whole = config(mgr_dark_root, ["rgb"])
    whole["val_dataloader"] = {"dataset": {**whole["test_dataloader"]["dataset"], "split": "val"}}
    with pytest.raises(ValueError, match="split='val' is unknown; choose from train, test, fit, holdout, all"):
        check_demands(whole)


def test_people_of_sysu_mm01_count_who_have_such_an_image(tmp_path):
    sysu_mm01(tmp_path)
    dataset = {"type": "SYSUMM01Dataset", "data_root": str(tmp_path)}
    with pytest.raises(ValueError, match="training split of SYSU-MM01 has clips of [0-9]+ people, PKSampler draws 16"):
        check_demands({"train_dataloader": {"dataset": dataset, "sampler": {"type": "PKSampler"}}})
    check_demands({"train_dataloader": {"dataset": dataset, "sampler": {"type": "PKSampler", "identities": 1}}})


def test_more_people_than_the_encoder_tells_apart_fail_in_the_plan(tmp_path):
    sysu_mm01(tmp_path)  # two people to train on
    dataset = {"type": "SYSUMM01Dataset", "data_root": str(tmp_path)}
    whole = {"model": {"num_identities": 2}, "train_dataloader": {"dataset": dataset}}
    check_demands(whole)
    with pytest.raises(ValueError, match="2 people to train on, the network tells 1 apart; set model.num_identities=2"):
        check_demands(whole | {"model": {"num_identities": 1}})


@pytest.mark.parametrize("wanted", [{"images": "ir"}, {"with_infrared": True}])
def test_a_kind_of_images_that_is_not_there_is_said_in_the_plan(tmp_path, wanted):
    sysu_mm01(tmp_path)
    dataset = {"type": "SYSUMM01Dataset", "data_root": str(tmp_path), **wanted}
    check_demands({"train_dataloader": {"dataset": dataset}})
    shutil.rmtree(tmp_path / "cam3")
    with pytest.raises(ValueError, match="split 'train' of SYSU-MM01 has no ir image"):
        check_demands({"train_dataloader": {"dataset": dataset}})


def test_cells_of_data_with_other_classes_are_not_planned_for_one_reason(small_configs, tiny_data):
    for path in (small_configs / "_base_" / "models").glob("*.py"):
        path.write_text(path.read_text().replace("num_classes=3", "num_classes=10"))
    ws = open_workspace(small_configs, "smoke", tiny_data, None, 1)
    assert not ws.plan.jobs and len(ws.plan.errors) == 2
    assert len(set(ws.plan.errors.values())) == 1 and "has 3 classes" in next(iter(ws.plan.errors.values()))


def test_a_class_that_nothing_defines_is_a_note_of_the_plan(small_configs, tiny_data):
    path = small_configs / "i3d" / "i3d_r50_mgr-dark-rgb.py"
    path.write_text(path.read_text() + "\ncustom_hooks = [dict(type='EmptyCaheHook')]\n")
    ws = open_workspace(small_configs, "smoke", tiny_data, None, 1)
    notes = {job.cell.model: " ".join(job.notes) for job in ws.plan.jobs.values()}
    assert "no class 'EmptyCaheHook' is found (near: EmptyCacheHook" in notes["i3d_r50_mgr-dark-rgb"]
    assert "custom_imports" in notes["i3d_r50_mgr-dark-rgb"] and "no class" not in notes["i3d_r50_mgr-dark-depth"]
