"""Infrared frames in the view of the RGB camera, for translators that learn from pairs.

The two cameras stand side by side and have different fields of view; people are far compared with the
distance between the cameras, so that one affine map serves for a data set. It is found from what both streams
show: where things move.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def warp(images: Tensor, registration: Sequence[float]) -> Tensor:
    """Move infrared images into the RGB view; what lies outside of them repeats their border.

    Args:
        images: float [N, C, H, W].
        registration: (sx, sy, dx, dy): the infrared image, scaled by sx and sy, with its centre at (dx, dy),
            in units in which the RGB image spans -1..1.
    """
    sx, sy, dx, dy = registration
    theta = images.new_tensor([[1 / sx, 0, -dx / sx], [0, 1 / sy, -dy / sy]]).expand(len(images), 2, 3)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def covered(height: int, width: int, registration: Sequence[float]) -> Tensor:
    """Which pixels of the RGB view the infrared camera sees: bool [H, W]."""
    sx, sy, dx, dy = registration
    x = (torch.arange(width) + 0.5) / width * 2 - 1
    y = (torch.arange(height) + 0.5) / height * 2 - 1
    return ((y - dy).abs() < sy)[:, None] & ((x - dx).abs() < sx)[None]


def motion_energy(clips: Tensor) -> Tensor:
    """Where a clip moves: [N, T, C, H, W] -> [N, 1, H, W], without its constant part (sensor noise)."""
    gray = clips.mean(dim=2)
    gray = (gray - gray.mean(dim=(1, 2, 3), keepdim=True)) / gray.std(dim=(1, 2, 3), keepdim=True).clamp_min(1e-6)
    gray = F.avg_pool2d(gray, 3, 1, 1)
    energy = (gray[:, 1:] - gray[:, :-1]).abs().mean(dim=1, keepdim=True)
    return energy - energy.amin(dim=(2, 3), keepdim=True)


def estimate_registration(rgb: Tensor, infrared: Tensor) -> tuple[tuple[float, float, float, float], float]:
    """The affine map under which both streams move in the same places, by search.

    Args:
        rgb, infrared: clips of the same instants, float [N, T, C, H, W]; a hundred clips of the training
            split do.

    Returns:
        (sx, sy, dx, dy), and the mean correlation of the motion energies there.
    """
    target, source = motion_energy(rgb), motion_energy(infrared)
    height, width = target.shape[2:]

    def score(candidate: tuple[float, ...]) -> float:
        inside = covered(height, width, candidate)
        if inside.float().mean() < 0.2:
            return -1.0
        a, b = (x[:, 0][:, inside] for x in (target, warp(source, candidate)))
        a, b = a - a.mean(dim=1, keepdim=True), b - b.mean(dim=1, keepdim=True)
        return float(F.cosine_similarity(a, b, dim=1).mean())

    coarse = itertools.product((0.6, 0.8, 1.0, 1.25), (0.8, 1.0, 1.25), (-0.15, 0.0, 0.15), (-0.15, 0.0, 0.15))
    best: tuple[float, ...] = max(coarse, key=score)
    for step in (0.1, 0.05, 0.025):
        near = itertools.product(*[(value - step, value, value + step) for value in best])
        best = max(near, key=score)
    return tuple(round(value, 4) for value in best), score(best)  # type: ignore[return-value]  # four
