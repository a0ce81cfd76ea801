"""Resizing after the crop, against OpenCV."""

import cv2
import numpy as np
import pytest
import torch

from mtcd_plugin.models.data_preprocessors.clip_data_preprocessor import ClipDataPreprocessor
from mtcd_plugin.models.data_preprocessors.resizing_preprocessor import ResizingPreprocessor


@pytest.mark.parametrize("size", [8, 12, 24, 30])
def test_frames_are_resized_as_opencv_does_it_and_then_normalised(size):
    clip = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 24, 24), np.uint8)  # views, channels, frames
    fixed = dict(statistics="fixed", mean=127.5, std=128)
    batch = {"rgb": [torch.from_numpy(clip)], "depth": torch.from_numpy(clip[None, :, :1])}
    out = ResizingPreprocessor(size, **fixed)({"inputs": batch})["inputs"]
    flat = clip.reshape(-1, 24, 24).astype(np.float32)
    frames = np.stack([cv2.resize(f, (size, size), interpolation=cv2.INTER_LINEAR) for f in flat])
    expected = (frames.reshape(1, 2, 3, 4, size, size) - 127.5) / 128
    np.testing.assert_allclose(out["rgb"].numpy(), expected, atol=1e-5)
    np.testing.assert_allclose(out["depth"].numpy(), expected[:, :, :1].repeat(3, axis=2), atol=1e-5)


def test_frames_of_the_size_are_left_alone():
    batch = {"inputs": torch.randint(0, 256, (2, 1, 1, 3, 8, 8), dtype=torch.uint8)}
    out = ResizingPreprocessor(8)(batch)["inputs"]
    assert torch.equal(out, ClipDataPreprocessor()(batch)["inputs"]) and out.shape == (2, 1, 3, 3, 8, 8)


@pytest.mark.parametrize("size", [0, -4, 11.5])
def test_another_size_is_one_line(size):
    with pytest.raises(ValueError, match="must be a whole number of pixels above 0"):
        ResizingPreprocessor(size)
