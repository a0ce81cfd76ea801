"""Which clips a config uses, as the plan counts them."""

import shutil
from pathlib import Path

import pytest

from harness.plan.data import describe_data


def config(root, modalities, **more):
    test = {"type": "MGRDarkDataset", "data_root": str(root), "split": "test", "modalities": ["rgb"]}
    train = {**test, "split": "train", "modalities": modalities, **more}
    return {"train_dataloader": {"dataset": train}, "test_dataloader": {"dataset": test}}


def test_clips_without_infrared_count_as_the_config_says(mgr_dark_root, tmp_path):
    root = Path(shutil.copytree(mgr_dark_root, tmp_path / "copy"))
    table = (root / "annotations.csv").read_text()
    (root / "annotations.csv").write_text(table.replace("clips/dark/ir/stop/s1_stop_dark.mp4", ""))
    kept, kept_prints = describe_data(config(root, ["rgb", "ir"], lacking={"ir": "blank"}))
    left, left_prints = describe_data(config(root, ["rgb", "ir"], lacking={"ir": "drop"}))
    assert (kept.train_clips, left.train_clips, kept.test_clips) == (9, 8, 3)
    _, whole_prints = describe_data(config(mgr_dark_root, ["rgb", "ir"], lacking={"ir": "blank"}))
    prints = [p["train"] for p in (kept_prints, left_prints, whole_prints)]
    assert len(set(prints)) == 3 and kept_prints["test"] == whole_prints["test"]
    with pytest.raises(ValueError, match="clip s1_stop_dark has no ir stream"):
        describe_data(config(root, ["rgb", "ir"]))
    plain = describe_data(config(mgr_dark_root, ["rgb", "ir"]))[1]
    assert plain == whole_prints  # nothing is lacking: the same clips
