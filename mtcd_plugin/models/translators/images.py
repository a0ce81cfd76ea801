"""What all networks of the translator see: normalised images, in training also flipped and moved ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet


@cache
def _statistics(device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    return tuple(torch.tensor(x, device=device, dtype=dtype).view(1, 3, 1, 1) for x in (MEAN, STD))  # type: ignore[return-value]  # two


def normalize(images: Tensor) -> Tensor:
    """float [N, 3, H, W] in [0, 1] -> with ImageNet's mean and standard deviation taken out."""
    mean, std = _statistics(images.device, images.dtype)
    return (images - mean) / std


def normalized_l1(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference of two batches in [0, 1] once normalised; 4.43 times the plain one of grey images."""
    return (normalize(a) - normalize(b)).abs().mean()


def flip_pad_crop(streams: Sequence[Tensor], flip_prob: float, pad: int) -> list[Tensor]:
    """Augmentation of structured domain adaptation: flip, pad with black, crop to the size before.

    One draw per clip serves all its frames and streams, so that what was a pair stays one.

    Args:
        streams: float [N, T, C, H, W] each, of the same clips.
        flip_prob: probability of a horizontal flip. pad: pixels on each side.

    Returns:
        The same shapes. Draws come from torch's global generator.
    """
    count = len(streams[0])
    flipped = (torch.rand(count) < flip_prob).tolist()
    corners = torch.randint(2 * pad + 1, (count, 2)).tolist()
    out = []
    for clips in streams:
        height, width = clips.shape[3:]
        padded = F.pad(clips, (pad, pad, pad, pad))
        moved = [clip[..., y : y + height, x : x + width] for clip, (y, x) in zip(padded, corners, strict=True)]
        out.append(torch.stack([clip.flip(3) if f else clip for clip, f in zip(moved, flipped, strict=True)]))
    return out
