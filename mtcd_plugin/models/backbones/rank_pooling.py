"""Where a clip moves: rank pooling of a few frames (the FRP module of Decouple & Recouple)."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GREY = (0.2989, 0.587, 0.114)
SMALLEST = 1e-5  # what is divided by where nothing moves


def motion_maps(clip: Tensor, window: int) -> Tensor:
    """Maps of what changed over the last frames (authors' code of https://arxiv.org/abs/2112.09129).

    The frames of a window are summed with weights that rise by 2 and sum to 0; what is positive is scaled to 0..1 and
    made grey: ``d``. Its pixels above their mean, eroded and dilated, are scaled to 0..1: ``s``. The map is
    ``(d + s) * s``.

    Args:
        clip: float ``[N, 3, T, H, W]``; scale and offset of the values do not matter. window: frames of a window.

    Returns:
        float32 ``[N, 1, T, H, W]`` in 0..2. That of frame t is of the window which ends there; the first
        ``window - 1`` are 0.
    """
    frames = clip.detach().float()
    clips, _, length, height, width = frames.shape
    maps = frames.new_zeros(clips, 1, length, height, width)
    if length >= window:
        grey = frames.new_tensor(GREY)[:, None, None]
        moved = _scaled(_rank_pooled(frames, window).relu().transpose(1, 2).flatten(0, 1))
        dynamic = (moved * grey).sum(dim=1, keepdim=True)
        static = _static(dynamic)
        found = ((dynamic + static) * static).unflatten(0, (clips, -1))
        maps[:, :, window - 1 :] = found.transpose(1, 2)
    return maps


def _rank_pooled(frames: Tensor, window: int) -> Tensor:
    """Each window's sum with weights 1 - window, ..., window - 1; exactly 0 where the frames are equal."""
    count = frames.shape[2] - window + 1
    pairs = [(k, window - 1 - k) for k in range(window // 2)]
    pooled = frames.new_zeros(*frames.shape[:2], count, *frames.shape[3:])
    for early, late in pairs:
        pooled += (late - early) * (frames[:, :, late : late + count] - frames[:, :, early : early + count])
    return pooled


def _scaled(frames: Tensor) -> Tensor:
    """Frames ``[M, C, H, W]`` with minimum 0 and maximum 1, over channels and pixels; a constant one becomes 0."""
    frames = frames - frames.amin((1, 2, 3), keepdim=True)
    largest = frames.amax((1, 2, 3), keepdim=True)
    return frames / largest.where(largest > 0, SMALLEST)


def _static(dynamic: Tensor) -> Tensor:
    """What stands out of a frame ``[M, 1, H, W]``, without single pixels."""
    high = dynamic.where(dynamic > dynamic.mean((1, 2, 3), keepdim=True), 0)
    infinity = float("inf")
    eroded = _windowed(torch.minimum, F.pad(high, (1, 0, 1, 0), value=infinity), 2)
    return _scaled(_windowed(torch.maximum, F.pad(eroded, (1, 1, 1, 1), value=-infinity), 3))


def _windowed(extreme: Callable[[Tensor, Tensor], Tensor], x: Tensor, size: int) -> Tensor:
    """Extreme of every ``size`` x ``size`` window; many times as fast as PyTorch's pooling of one channel."""
    rows = reduce(extreme, [x[..., i : x.shape[-2] - size + 1 + i, :] for i in range(size)])
    return reduce(extreme, [rows[..., i : rows.shape[-1] - size + 1 + i] for i in range(size)])


class MotionGuidance(nn.Module):
    """Adds a feature map to itself, and once more where the clip moves: ``x + w0 x + w1 x (1 + map)``.

    ``weight`` is (w0, w1), (1, 0) at first; the module is shared by all depths of a network.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1.0, 0.0]))

    def forward(self, x: Tensor, maps: Tensor) -> Tensor:
        """``x``: float ``[N, C, T, h, w]``; ``maps``: ``[N, 1, T, H, W]``, of which the maxima count."""
        small = F.adaptive_max_pool3d(maps, (maps.shape[2], *x.shape[3:])).to(x.dtype)
        return x + self.weight[0] * x + self.weight[1] * x * (1 + small)
