"""MMAction2's own tools train, resume and test our base configs, unchanged."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import mmaction
import pandas as pd
import torch

from tests.helpers.preloaded import python
from tests.helpers.tiny_data import GESTURES

ROOT = Path(__file__).parents[3]
TOOLS = Path(mmaction.__file__).parent / ".mim" / "tools"
CONFIG = """
_base_ = ['{configs}/_base_/default_runtime.py', '{configs}/_base_/datasets/mgr_dark_rgb.py']
model = dict(
    type='Recognizer3D',
    backbone=dict(type='ResNet3d', depth=18, pretrained=None, pretrained2d=False, base_channels=4,
                  conv_cfg=dict(type='Conv3d'), zero_init_residual=False),
    cls_head=dict(type='I3DHead', num_classes=3, in_channels=32, average_clips='prob'),
    data_preprocessor=dict(type='ClipDataPreprocessor'))
train_dataloader = dict(batch_size=4, num_workers=1, dataset=dict(data_root='{data}'))
test_dataloader = dict(batch_size=4, num_workers=0, persistent_workers=False, dataset=dict(data_root='{data}'))
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9))
param_scheduler = [dict(type='MultiStepLR', milestones=[1], end=9, by_epoch=True)]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=2)
"""
SMALL = [
    f"{loader}.dataset.pipeline.{key}"
    for loader, crop in (("train_dataloader", "2.size=16"), ("test_dataloader", "2.crop_size=16"))
    for key in ("0.clip_len=4", "1.size=20,20", crop)
]


def tool(folder, name, *arguments, fails=False, fresh=False):
    """What a tool says, in a process that has imported MMAction2; fresh: in one that has not."""
    command, said = [str(TOOLS / name), str(folder / "tiny.py"), *arguments], folder / "said.txt"
    if fresh:
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        with said.open("w") as file:
            code = subprocess.run(
                [sys.executable, *command], cwd=folder, env=environment, stdout=file, stderr=file, check=False
            ).returncode
    else:
        code = python(*command, cwd=folder, said=said)
    assert (code != 0) == fails, said.read_text()[-6000:]
    return said.read_text()


def test_train_resume_and_test(mgr_dark_root, tmp_path):
    """A run resumed after its first epoch ends with the same weights, bit by bit, as the whole run."""
    (tmp_path / "tiny.py").write_text(CONFIG.format(configs=ROOT / "mm_configs", data=mgr_dark_root).lstrip())
    options = ["--cfg-options", *SMALL]
    tool(
        tmp_path,
        "train.py",
        "--work-dir",
        "whole",
        "--seed",
        "0",
        *options,
        "default_hooks.checkpoint.max_keep_ckpts=2",
        fresh=True,
    )
    first = torch.load(tmp_path / "whole/epoch_1.pth", weights_only=True)
    whole = torch.load(tmp_path / "whole/epoch_2.pth", weights_only=True)
    assert first["meta"]["dataset_meta"]["classes"] == list(GESTURES)

    tool(tmp_path, "train.py", "--work-dir", "resumed", "--resume", "whole/epoch_1.pth", "--seed", "0", *options)
    resumed = torch.load(tmp_path / "resumed/epoch_2.pth", weights_only=True)
    assert resumed["meta"]["iter"] == 2 * first["meta"]["iter"] == 6
    for name, value in resumed["state_dict"].items():
        assert torch.equal(value, whole["state_dict"][name]), name
    history = resumed["message_hub"]["log_scalars"]["train/loss"]["history"]
    torch.testing.assert_close(history, whole["message_hub"]["log_scalars"]["train/loss"]["history"])

    tool(tmp_path, "test.py", "resumed/epoch_2.pth", *options, "test_evaluator.0.out_file=predictions.parquet")
    predictions = pd.read_parquet(tmp_path / "predictions.parquet")
    assert predictions.subject.unique().tolist() == ["s4"] and sorted(predictions.label) == [0, 1, 2]

    # starting weights as the READMEs give them
    other = {
        **whole["state_dict"],
        "cls_head.fc_cls.weight": torch.zeros(400, 32),
        "cls_head.fc_cls.bias": torch.zeros(400),
    }
    torch.save({"state_dict": other}, tmp_path / "kinetics.pth")
    given = [
        *options,
        f"load_from=file://{tmp_path}/kinetics.pth",
        "train_cfg.max_epochs=1",
        "optim_wrapper.optimizer.lr=0.0",
    ]
    tool(tmp_path, "train.py", "--work-dir", "started", *given)
    started = torch.load(tmp_path / "started/epoch_1.pth", weights_only=True)
    (report,) = started["starting_weights"]
    assert report["file"] == "kinetics.pth" and len(report["left_out"]) == 2  # the class layer alone
    name = "backbone.conv1.conv.weight"
    assert torch.equal(started["state_dict"][name], whole["state_dict"][name])

    # a checkpoint whose names lack a prefix would test random weights
    torch.save({"state_dict": {f"student.{k}": v for k, v in whole["state_dict"].items()}}, tmp_path / "other.pth")
    said = tool(tmp_path, "test.py", "other.pth", *options, fails=True)
    assert "the checkpoint is not of this Recognizer3D: it lacks" in said


def test_options_of_the_tools_have_their_effect(mgr_dark_root, tmp_path):
    """``--seed``, ``--auto-scale-lr`` and ``--show-dir``, under a config of ours."""
    (tmp_path / "tiny.py").write_text(CONFIG.format(configs=ROOT / "mm_configs", data=mgr_dark_root).lstrip())
    options = ["--cfg-options", *SMALL, "train_cfg.max_epochs=1"]
    said, weights = {}, {}
    for name, seed, more in (("a", "3", ["--auto-scale-lr"]), ("b", "3", ["--auto-scale-lr"]), ("c", "4", [])):
        said[name] = tool(tmp_path, "train.py", "--work-dir", name, "--seed", seed, *more, *options)
        weights[name] = torch.load(tmp_path / name / "epoch_1.pth", weights_only=True)
    assert "Scaling the original LR by 0.125" in said["a"] and "Scaling the original" not in said["c"]
    rates = {k: v["optimizer"]["param_groups"][0]["initial_lr"] for k, v in weights.items()}
    assert rates == {"a": 0.01 * 4 / 32, "b": 0.01 * 4 / 32, "c": 0.01}
    first = {k: v["state_dict"]["backbone.conv1.conv.weight"] for k, v in weights.items()}
    assert torch.equal(first["a"], first["b"]) and not torch.allclose(first["a"], first["c"], atol=0.05)

    tool(
        tmp_path, "test.py", "a/epoch_1.pth", "--work-dir", "t", "--show-dir", "shown", "--interval", "2", *options[:-1]
    )
    pictures = sorted(p.relative_to(tmp_path / "shown").parts for p in tmp_path.glob("shown/**/*.png"))
    folders = {p[0] for p in pictures}
    assert len(folders) == 2 and all("_as_" in f for f in folders)  # of three test clips the first and the third
    assert len(pictures) == 2 * 4  # every frame
    assert cv2.imread(str(tmp_path / "shown" / Path(*pictures[0]))).shape == (16, 16, 3)
