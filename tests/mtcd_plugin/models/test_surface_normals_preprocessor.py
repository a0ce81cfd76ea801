"""Surface normals: planes, steps, missing depth."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import math

import numpy as np
import torch

from mtcd_plugin.models.data_preprocessors.surface_normals_preprocessor import (
    SurfaceNormalsPreprocessor,
    surface_normals,
)


def test_a_plane_has_one_normal():
    y, x = torch.meshgrid(torch.arange(6.0), torch.arange(7.0), indexing="ij")
    normals = surface_normals(3 * y - 2 * x + 50)
    expected = torch.tensor([-3.0, 2.0, 1.0]) / math.sqrt(14)
    torch.testing.assert_close(normals[1:-1, 1:-1], expected.expand(4, 5, 3))
    border = torch.ones(6, 7, dtype=torch.bool)
    border[1:-1, 1:-1] = False
    assert torch.equal(normals[border], torch.tensor([0.0, 0.0, 1.0]).expand(int(border.sum()), 3))


def test_every_pixel_is_that_of_the_formula():
    depth = np.random.default_rng(0).integers(0, 4, (5, 6)).astype(np.uint8)
    found = surface_normals(torch.from_numpy(depth)).numpy()
    d = depth.astype(float)
    for y in range(5):
        for x in range(6):
            n = np.array([0.0, 0.0, 1.0])
            if 0 < y < 4 and 0 < x < 5:
                n[:2] = -(d[y + 1, x] - d[y - 1, x]) / 2, -(d[y, x + 1] - d[y, x - 1]) / 2
            n = n / np.linalg.norm(n) if d[y, x] else np.zeros(3)
            np.testing.assert_allclose(found[y, x], n, atol=1e-6)


def test_clips_become_three_channels_in_both_shapes():
    clips = [torch.randint(0, 256, (1, 1, 4, 8, 8), dtype=torch.uint8) for _ in range(2)]
    views = SurfaceNormalsPreprocessor()({"inputs": clips})["inputs"]
    frames = SurfaceNormalsPreprocessor("NCHW")({"inputs": torch.stack(clips)})["inputs"]
    assert views.shape == (2, 1, 3, 4, 8, 8) and frames.shape == (2, 4, 3, 8, 8)
    torch.testing.assert_close(views[1, 0, :, 3], surface_normals(clips[1][0, 0, 3]).movedim(-1, 0))
    torch.testing.assert_close(frames[1, 3], views[1, 0, :, 3])
