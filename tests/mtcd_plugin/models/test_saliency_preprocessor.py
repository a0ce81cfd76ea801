"""Saliency maps against OpenCV's filters and colour space, and what they must be of simple frames."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import copy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import init_default_scope

from harness.plan.resolve import resolve
from mtcd_plugin.models.data_preprocessors.clip_data_preprocessor import ClipDataPreprocessor
from mtcd_plugin.models.data_preprocessors.saliency_preprocessor import SaliencyPreprocessor, lab, saliency

torch.set_num_threads(1)
CONFIGS = Path(__file__).parents[3] / "mm_configs" / "3ddsn"


def clip(channels=3, seed=0, size=(3, 13, 18)):
    values = np.random.default_rng(seed).integers(0, 256, (1, channels, *size), np.uint8)
    return torch.from_numpy(values)


def test_lab_is_opencvs():
    frames = clip()
    expected = [
        cv2.cvtColor(f.astype(np.float32) / 255, cv2.COLOR_RGB2Lab) for f in frames[0].permute(1, 2, 3, 0).numpy()
    ]
    out = lab(frames.float())[0].permute(1, 2, 3, 0)
    np.testing.assert_allclose(out, expected, atol=0.5)  # OpenCV interpolates in a table


@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_the_distance_of_the_blurred_frame_from_its_mean_colour(channels):
    frames = clip(channels)
    kernel = cv2.getGaussianKernel(5, 0)  # OpenCV's table for five taps is the binomial one
    distance = []
    for frame in frames[0].permute(1, 2, 3, 0).numpy().astype(np.float32):
        colour = cv2.cvtColor(frame / 255, cv2.COLOR_RGB2Lab) if channels == 3 else frame
        blurred = cv2.sepFilter2D(colour, -1, kernel, kernel).reshape(colour.shape)
        distance.append(np.linalg.norm(blurred - colour.mean(axis=(0, 1)), axis=2))
    distance = np.stack(distance)
    expected = (distance - distance.min()) / (distance.max() - distance.min()) * 255
    out = saliency(frames)
    assert out.shape == (1, 1, 3, 13, 18) and out.dtype == torch.float32
    np.testing.assert_allclose(out[0, 0], expected, atol=1.5)


def test_what_differs_from_the_background_is_salient_by_brightness_or_by_colour():
    grey = torch.full((1, 1, 2, 24, 24), 90, dtype=torch.uint8)
    grey[..., 4:10, 4:10] = 140
    red = torch.tensor([60, 60, 60], dtype=torch.uint8).view(1, 3, 1, 1, 1).repeat(1, 1, 2, 24, 24)
    red[:, 0, :, 4:10, 4:10] = 160
    for frames in (grey, red, 255 - grey):
        out = saliency(frames)[0, 0]
        assert out[:, 6:8, 6:8].min() > 200 and out[:, 16:, 16:].max() < 50


def test_the_scale_is_the_clips_and_a_constant_clip_is_zero():
    """The first frame has half the contrast of the second, and keeps it."""
    frames = torch.full((1, 1, 2, 24, 24), 90, dtype=torch.uint8)
    frames[..., 0, 4:10, 4:10], frames[..., 1, 4:10, 4:10] = 110, 130
    out = saliency(frames)[0, 0]
    assert out[1].max() == pytest.approx(255) and out[0].max() == pytest.approx(127.5, abs=1)
    for channels, level in ((1, 0), (3, 7), (3, 255)):
        assert not saliency(torch.full((1, channels, 2, 8, 8), level, dtype=torch.uint8)).any()
    assert saliency(clip() // 200).isfinite().all(), "nearly black"


@pytest.mark.parametrize("statistics", [{}, {"statistics": "fixed", "mean": 100.0, "std": 50.0}])
def test_the_network_sees_three_equal_channels_of_the_maps(statistics):
    batch = [clip(3, 1), clip(3, 2)]
    before = [x.clone() for x in batch]
    data = {"inputs": batch, "data_samples": ["kept"]}
    out = SaliencyPreprocessor(**statistics)(data)
    plain = ClipDataPreprocessor(**statistics)({"inputs": [saliency(x) for x in batch]})
    assert torch.equal(out["inputs"], plain["inputs"]) and out["data_samples"] == ["kept"]
    assert out["inputs"].shape == (2, 1, 3, 3, 13, 18)
    assert torch.equal(out["inputs"][:, :, 0], out["inputs"][:, :, 2])
    alone = SaliencyPreprocessor(**statistics)({"inputs": torch.stack(batch)[1:]})["inputs"]
    assert torch.equal(alone, out["inputs"][1:])
    assert all(torch.equal(a, b) for a, b in zip(batch, before, strict=True))


def test_half_precision_of_training_does_not_reach_it():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        lower = saliency(clip())
    assert torch.equal(lower, saliency(clip()))


# ------------------------------------------------------------------ the networks of the configs


def recognizer(profile, name):
    init_default_scope("mmaction")
    return MODELS.build(copy.deepcopy(resolve(CONFIGS / f"{name}.py", profile).config["model"]))


def test_parameters_at_full_size_are_those_of_c3d():
    """Eight convolutions, fc6 on 512 x 2 x 8 x 8 values, fc7, 25 classes."""
    channels = (3, 64, 128, 256, 256, 512, 512, 512, 512)
    convolutions = sum((27 * a + 1) * b for a, b in zip(channels, channels[1:], strict=False))
    with torch.device("meta"):
        model = recognizer("paper", "3ddsn_saliency_nvgesture-rgb")
    expected = convolutions + (65536 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 25
    assert sum(p.numel() for p in model.parameters()) == expected == 312_979_225


@pytest.mark.parametrize(("profile", "side"), [("smoke", 32), ("demo", 56)])
@pytest.mark.parametrize("modality", ["rgb", "depth"])
def test_a_step_changes_every_weight_and_one_clip_is_a_batch(profile, side, modality):
    model = recognizer(profile, f"3ddsn_saliency_nvgesture-{modality}")
    model.init_weights()
    model.train()
    before = {n: p.clone() for n, p in model.named_parameters()}
    clips = {
        "inputs": [clip(3 if modality == "rgb" else 1, i, (16, side, side)) for i in range(2)],
        "data_samples": [ActionDataSample().set_gt_label(i) for i in (0, 24)],
    }
    losses = model(**model.data_preprocessor(clips, True), mode="loss")
    model.parse_losses(losses)[0].backward()
    torch.optim.SGD(model.parameters(), lr=1.0).step()
    assert not [n for n, p in model.named_parameters() if torch.equal(p, before[n])]
    model.eval()
    one = {k: v[:1] for k, v in clips.items()}
    with torch.no_grad():
        out = model(**model.data_preprocessor(one, False), mode="predict")
    assert out[0].pred_score.shape == (25,) and out[0].pred_score.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("dataset", ["mgr-dark", "nvgesture"])
@pytest.mark.parametrize("modality", ["rgb", "depth"])
def test_the_streams_are_c3d_on_frames_and_on_saliency_of_the_columns_modality(dataset, modality):
    fusion = resolve(CONFIGS / f"3ddsn_{dataset}-{modality}.py", "paper")
    assert set(fusion.parents) == set(fusion.config["model"]["members"]) == {"appearance", "saliency"}
    streams = {s: resolve(CONFIGS / p["config"], "paper").config for s, p in fusion.parents.items()}
    kinds = {s: c["model"]["data_preprocessor"].pop("type") for s, c in streams.items()}
    assert kinds == {"appearance": "ClipDataPreprocessor", "saliency": "SaliencyPreprocessor"}
    assert streams["appearance"] == streams["saliency"], "nothing else differs"
    assert streams["saliency"]["test_dataloader"]["dataset"]["modalities"] == [modality]
