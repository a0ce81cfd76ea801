"""Registration of the infrared view: the map itself, what it covers, and its estimate from motion."""

import pytest
import torch

from mtcd_plugin.models.translators.registration import covered, estimate_registration, warp


def test_warped_images_have_the_value_of_the_place_that_the_infrared_camera_sees():
    """A ramp in each direction: at (x, y) of the RGB view is what infrared has at ((x - dx) / sx, (y - dy) / sy)."""
    sx, sy, dx, dy = place = (0.5, 0.75, 0.1, -0.2)
    along = (torch.arange(64) + 0.5) / 32 - 1
    y, x = torch.meshgrid(along, along, indexing="ij")
    moved = warp(torch.stack([x, y])[None], place)[0]
    inside = covered(64, 64, place) & ((x - dx).abs() < 0.98 * sx) & ((y - dy).abs() < 0.98 * sy)
    assert inside.sum() > 1000
    torch.testing.assert_close(moved[0][inside], ((x - dx) / sx)[inside], atol=1e-5, rtol=0)
    torch.testing.assert_close(moved[1][inside], ((y - dy) / sy)[inside], atol=1e-5, rtol=0)


def test_identity_and_shift():
    x = torch.rand(1, 1, 8, 8)
    torch.testing.assert_close(warp(x, (1, 1, 0, 0)), x)
    torch.testing.assert_close(warp(x, (1, 1, 0.25, 0))[..., 1:], x[..., :-1])  # 0.25 of half a width: one pixel
    assert covered(8, 8, (1, 1, 0, 0)).all()
    assert covered(8, 8, (0.5, 1, 0, 0)).sum() == 32
    assert covered(8, 8, (1, 1, 0.25, 0)).sum() == 56


def test_a_narrow_view_lies_in_the_middle():
    x = torch.zeros(1, 1, 16, 16)
    x[..., 8:] = 1
    out = warp(x, (0.5, 1, 0, 0))
    assert torch.equal(out[..., :7], torch.zeros(1, 1, 16, 7)) and torch.equal(out[..., 9:], torch.ones(1, 1, 16, 7))


def test_estimate_finds_the_view_of_a_displaced_camera():
    """A moving blob, seen by a second camera with a narrower view (sx 0.75) and a little to the side (dx 0.1)."""
    truth = (0.75, 1.0, 0.1, 0.0)
    g = torch.Generator().manual_seed(0)
    n, t, size = 24, 8, 32
    centre = torch.rand(n, 1, 2, generator=g) * 0.8 - 0.4
    path = centre + 0.3 * torch.rand(n, t, 2, generator=g) - 0.15
    axis = (torch.arange(size) + 0.5) / size * 2 - 1

    def see(sx, sy, dx, dy):
        """The scene through a camera whose image lies at (sx, sy, dx, dy) in the RGB view."""
        x, y = axis * sx + dx, axis * sy + dy
        d = (x[None, None, None] - path[..., 0, None, None]) ** 2 + (
            y[None, None, :, None] - path[..., 1, None, None]
        ) ** 2
        return (-d / 0.02).exp()[:, :, None]

    found, correlation = estimate_registration(see(1, 1, 0, 0), 1 - 0.5 * see(*truth))
    assert found == pytest.approx(truth, abs=0.06) and correlation > 0.9
