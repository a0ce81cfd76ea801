"""ResC3D's filters against OpenCV and against the formula, and their switches."""

import cv2
import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from mtcd_plugin.models.data_preprocessors.clip_data_preprocessor import ClipDataPreprocessor
from mtcd_plugin.models.data_preprocessors.resc3d_preprocessor import (
    ResC3DPreprocessor,
    median_filter,
    multi_scale_retinex,
)


def clip(channels=1, seed=0, size=(4, 23, 30)):
    values = np.random.default_rng(seed).integers(0, 256, (1, channels, *size), np.uint8)
    return torch.from_numpy(values)


@pytest.mark.parametrize("size", [3, 5, 7])
@pytest.mark.parametrize("shape", [(3, 23, 30), (2, 3, 4)])
def test_the_median_is_opencvs(size, shape):
    frames = clip(size=shape)
    expected = [cv2.medianBlur(f, size) for f in frames[0, 0].numpy()]
    out = median_filter(frames, size)
    assert out.dtype == torch.uint8
    np.testing.assert_array_equal(out[0, 0].numpy(), expected)


def test_the_median_takes_out_single_dots_and_keeps_edges():
    frame = torch.zeros(1, 1, 1, 12, 12, dtype=torch.uint8)
    frame[..., 6:] = 200
    dotted = frame.clone()
    dotted[..., 3, 3], dotted[..., 8, 9] = 255, 0
    assert torch.equal(median_filter(dotted, 5), frame)


@pytest.mark.parametrize("sigmas", [(2.0,), (1.5, 4.0, 9.0)])
def test_retinex_is_the_formula(sigmas):
    """R = mean of log(1 + I) - log(1 + G * I) in numbers of twice the precision, stretched over the whole clip."""
    frames = clip(channels=3, size=(2, 19, 26))
    image = frames.numpy().astype(np.float64)
    inside = np.ones(image.shape[-2:])
    ratio = np.zeros_like(image)
    for sigma in sigmas:
        part = gaussian_filter(inside, sigma, mode="constant", truncate=20)
        blurred = gaussian_filter(image, sigma, mode="constant", truncate=20, axes=(3, 4)) / part
        ratio += (np.log1p(image) - np.log1p(blurred)) / len(sigmas)
    expected = (ratio - ratio.min()) / (ratio.max() - ratio.min()) * 255
    out = multi_scale_retinex(frames, sigmas)
    assert out.dtype == torch.float32 and (out.min(), out.max()) == (0, pytest.approx(255))
    np.testing.assert_allclose(out.numpy(), expected, atol=2e-2)


def test_retinex_takes_out_the_illumination():
    """How bright a scene is hardly counts; a smooth shade over it counts for less than before."""
    torch.manual_seed(0)
    scene = torch.rand(1, 1, 1, 64, 64) * 100 + 100
    shaded = scene * torch.linspace(0.3, 1.0, 64)
    first, darker, second = (multi_scale_retinex(x, (4.0,)) for x in (scene, scene / 4, shaded))
    assert (first - darker).abs().mean() < 3

    def share(x):
        """How much of the picture's contrast lies between its columns."""
        return x.mean(dim=-2).std() / x.std()

    assert share(shaded) > 0.8 and share(second) < 0.35


def test_a_clip_without_contrast_stays_without():
    for level in (0, 7, 255):
        flat = torch.full((1, 3, 2, 9, 9), level, dtype=torch.uint8)
        assert not multi_scale_retinex(flat).any()
    assert multi_scale_retinex(clip(seed=1) // 200).isfinite().all(), "nearly black"


def test_one_clip_is_filtered_as_in_a_batch_and_the_batch_is_not_changed():
    batch = [clip(3, seed) for seed in (1, 2, 3)]
    before = [x.clone() for x in batch]
    filtered = ResC3DPreprocessor(retinex=True, sigmas=(2.0, 5.0), median=3)
    together, alone = (filtered({"inputs": x})["inputs"] for x in (batch, batch[1:2]))
    assert together.shape == (3, 1, 3, 4, 23, 30)
    assert torch.equal(together[1:2], alone)
    assert all(torch.equal(a, b) for a, b in zip(batch, before, strict=True))
    as_float = [x.float() for x in batch]
    again = filtered({"inputs": as_float})["inputs"]
    torch.testing.assert_close(again, together)
    assert all(torch.equal(a, b) for a, b in zip(as_float, before, strict=True))


@pytest.mark.parametrize("statistics", [{}, {"statistics": "fixed", "mean": 100.0, "std": 50.0}])
def test_switches_off_it_is_the_plain_preprocessor(statistics):
    for stacked in (False, True):
        batch = [clip(3, 1), clip(3, 2)]
        data = {"inputs": torch.stack(batch) if stacked else batch, "data_samples": ["kept"]}
        plain = ClipDataPreprocessor(**statistics)(data)
        out = ResC3DPreprocessor(**statistics)(data)
        assert torch.equal(out["inputs"], plain["inputs"]) and out["data_samples"] == ["kept"]
        for on in ({"retinex": True}, {"median": 3}):
            assert not torch.allclose(ResC3DPreprocessor(**on, **statistics)(data)["inputs"], plain["inputs"])


def test_half_precision_of_training_does_not_reach_it():
    frames = clip(3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        lower = multi_scale_retinex(frames)
    assert torch.equal(lower, multi_scale_retinex(frames))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"median": 4}, "median=4 must be an odd number of pixels from 3 on, or 0"),
        ({"median": 1}, "median=1 must"),
        ({"sigmas": ()}, r"sigmas=\(\) must be one or more numbers of pixels above 0"),
        ({"sigmas": (15, 0)}, "above 0"),
        ({"statistics": "fixed"}, "mean and std must be given"),
    ],
)
def test_wrong_arguments_are_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        ResC3DPreprocessor(**arguments)
