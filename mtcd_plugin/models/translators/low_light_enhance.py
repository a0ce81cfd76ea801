"""Brightening of dark clips in front of a translator; one factor per clip, so that nothing flickers."""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
from torch import Tensor

ENHANCEMENTS = ("none", "gamma", "stretch", "clahe")


def check_enhancement(kind: str) -> str:
    if kind not in ENHANCEMENTS:
        raise ValueError(f"pre_enhance '{kind}' is unknown; choose from {', '.join(ENHANCEMENTS)}")
    return kind


def low_light_enhance(clips: Tensor, kind: str, target: float = 0.4) -> Tensor:
    """Brighten clips.

    Args:
        clips: float [N, T, 3, H, W] in [0, 1].
        kind: ``none``; ``gamma``: x^g with g = log(target) / log(mean of the clip), at most 1; ``stretch``:
            the 1st and 99th percentile of the clip to 0 and 1, then ``gamma``; ``clahe``: histogram
            equalisation with limited contrast on the luminance of each frame (OpenCV, clip limit 2, 8 x 8
            tiles).
        target: mean that ``gamma`` aims at.

    Returns:
        The same shape and range.
    """
    if kind == "none":
        return clips
    if kind == "clahe":
        return torch.stack([torch.stack([_clahe(frame) for frame in clip]) for clip in clips])
    if kind == "stretch":
        flat = clips.flatten(1)
        count = flat.shape[1]
        ordered = flat[:, :: max(1, count // 20000)].sort(dim=1).values  # a sample is enough for percentiles
        low = ordered[:, int(0.01 * (ordered.shape[1] - 1))].view(-1, 1, 1, 1, 1)
        high = ordered[:, math.ceil(0.99 * (ordered.shape[1] - 1))].view(-1, 1, 1, 1, 1)
        clips = ((clips - low) / (high - low).clamp_min(1e-3)).clamp(0, 1)
    mean = clips.mean(dim=(1, 2, 3, 4), keepdim=True).clamp(1e-4, 0.999)
    gamma = (math.log(target) / mean.log()).clamp(max=1.0)
    return clips.clamp_min(1e-6) ** gamma


def _clahe(frame: Tensor) -> Tensor:
    """One frame, float [3, H, W] in [0, 1]."""
    image = (frame.detach().cpu().permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply(lab[..., 0])
    out = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB).astype(np.float32) / 255
    return torch.from_numpy(out).permute(2, 0, 1).to(frame)
