"""A fused sweep equals separate runs: weights and predictions, bit for bit, through MMEngine's Runner."""

import copy

import pandas as pd
import pytest
import torch
from mmaction.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.config import Config
from mmengine.runner import Runner

from mtcd_plugin.sweep import can_stack, group_size, point_checkpoints, stack_sweep
from tests.helpers.toy import batch, build, distiller, network

POINTS = [
    {},
    {"model.alpha": 0.0},
    {"model.alpha": 0.0, "model.beta": 0.0},
    {"model.beta": 1.2, "model.fusion": "assistant", "model.distance": "l2"},
    {"model.alpha": 0.0, "model.beta": 0.0, "model.logit_weight": 1.0},
    {"model.shuffle": "random_class"},
]


@pytest.fixture(scope="module")
def config(tmp_path_factory, mgr_dark_root):
    folder = tmp_path_factory.mktemp("sweep")
    pipeline = [
        dict(type="SampleClipFrames", clip_len=4),
        dict(type="LoadModalities", size=(20, 20)),
        dict(type="RandomCrop", size=16),
        dict(type="SplitModalities"),
        dict(type="PackClip"),
    ]
    data = dict(type="MGRDarkDataset", data_root=str(mgr_dark_root))
    loader = dict(batch_size=4, num_workers=0, sampler=dict(type="DefaultSampler", shuffle=True))
    model = distiller(folder, student=network(dropout=0.5))
    model["teachers"]["assistant"]["input"] = "depth"  # a stream that is on the disk
    return dict(
        default_scope="mmaction",
        model=model,
        train_dataloader=dict(loader, dataset=dict(data, modalities=["rgb", "ir", "depth"], pipeline=pipeline)),
        train_cfg=dict(type="EpochBasedTrainLoop", max_epochs=2),
        optim_wrapper=dict(optimizer=dict(type="AdamW", lr=1e-2, weight_decay=0.1), clip_grad=dict(max_norm=0.1)),
        param_scheduler=[dict(type="LinearLR", start_factor=0.1, end=2, by_epoch=True, convert_to_iter_based=True)],
        test_dataloader=dict(
            dict(loader, sampler=dict(type="DefaultSampler", shuffle=False)),
            dataset=dict(
                data,
                split="test",
                modalities=["rgb"],
                pipeline=[
                    {**t, "test_mode": True} if "clip_len" in t else t for t in pipeline if t["type"] != "RandomCrop"
                ],
            ),
        ),
        test_cfg=dict(type="TestLoop"),
        default_hooks=dict(
            checkpoint=dict(type="CheckpointHook", interval=1, max_keep_ckpts=1),
            plain=dict(type="PlainCheckpointHook"),
            epoch_seed=dict(type="EpochSeedHook"),
            stage=dict(type="StageCheckpointHook", stage="student"),
        ),
        randomness=dict(seed=3, deterministic=True),
        visualizer=dict(type="Visualizer", vis_backends=[]),
        log_level="ERROR",
        folder=str(folder),
    )


def run(config, name):
    config = copy.deepcopy(config)
    config["work_dir"] = f"{config.pop('folder')}/{name}"
    config["experiment_name"] = name
    runner = Runner.from_cfg(Config(config, format_python_code=False))  # which takes longer than the training
    runner.train()
    measured = runner.test()
    return torch.load(f"{config['work_dir']}/epoch_2.pth", weights_only=True), measured


def test_equal_to_separate_runs(config, tmp_path):
    fused, measured = run(stack_sweep(config, POINTS, str(tmp_path)), "fused")
    parts = point_checkpoints(fused)
    assert len(parts) == len(POINTS) and not any(".teachers." in k for k in fused["state_dict"])
    trained = []
    for i, overrides in enumerate(POINTS):
        alone = copy.deepcopy(config)
        alone["model"].update({k.removeprefix("model."): v for k, v in overrides.items()})
        alone["test_evaluator"] = [dict(type="ClipPredictions", out_file=str(tmp_path / f"alone{i}.parquet"))]
        checkpoint, own = run(alone, f"alone{i}")
        for name, value in checkpoint["state_dict"].items():
            assert torch.equal(value, parts[i]["state_dict"][name]), (overrides, name)
        assert parts[i]["meta"]["mtcd"] == checkpoint["meta"]["mtcd"]
        ours = pd.read_parquet(tmp_path / str(i) / "predictions.parquet")
        pd.testing.assert_frame_equal(ours, pd.read_parquet(tmp_path / f"alone{i}.parquet"))
        assert measured[f"point{i}/acc/top1"] == own["acc/top1"]
        trained.append(checkpoint["state_dict"]["neck.conv.weight"])
    different = [not torch.equal(trained[0], w) for w in trained[1:]]
    assert all(different)  # the points do differ
    MODELS.build(network()).load_state_dict(parts[0]["state_dict"], strict=True)


def test_clips_that_nobody_is_taught_about_are_counted(tmp_path):
    base = distiller(tmp_path)
    preprocessor = base.pop("data_preprocessor")
    points = [dict(alpha=0.0), dict()]
    model = build(dict(type="FusedSweepDistiller", base=base, points=points, data_preprocessor=preprocessor))
    data = batch()
    data["inputs"]["ir"][2].zero_()
    one = dict(point=dict(optimizer=dict(type="SGD", lr=0.1)))
    constructor = OPTIM_WRAPPER_CONSTRUCTORS.build(dict(type="SweepOptimWrapperConstructor", optim_wrapper_cfg=one))
    model.train_step(data, constructor(model))
    assert model.undistilled == {"clip2"}


def test_teachers_are_built_once_and_bad_points_are_refused(tmp_path):
    base = distiller(tmp_path)
    model = MODELS.build(
        dict(
            type="FusedSweepDistiller",
            base=base,
            points=[dict(alpha=0.0), dict(), dict(beta=0.9)],
            data_preprocessor=base.pop("data_preprocessor"),
        )
    )
    assert model.points[0].teachers["teacher"] is model.points[2].teachers["teacher"]
    assert model.points[1].student is not model.points[2].student
    for bad, message in (([dict(student={})], "'student' is shared"), ([], "points is empty")):
        with pytest.raises(ValueError, match=message):
            MODELS.build(dict(type="FusedSweepDistiller", base=base, points=bad))
    base["teachers"]["assistant"]["train"] = True
    with pytest.raises(ValueError, match="assistant is trained"):
        MODELS.build(dict(type="FusedSweepDistiller", base=base, points=[{}]))


def test_entry(config):
    model = config["model"]
    assert can_stack(model, {"model.alpha": 0.3}) and can_stack(model, {})
    assert not can_stack(model, {"model.student.backbone.depth": 18}) and not can_stack(network(), {})
    with pytest.raises(ValueError, match="override 'train_cfg.max_epochs' cannot differ"):
        stack_sweep(config, [{"train_cfg.max_epochs": 3}], "")
    with pytest.raises(ValueError, match="needs a CrossModalDistiller"):
        stack_sweep({**config, "model": network()}, [{}], "")
    assert group_size(11, 10**6, 10**9) == 11
    assert group_size(11, 10**7, 10**9) == 5
    assert group_size(11, 10**9, 10**6) == 1
