"""Targets that are distributions over the classes."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def soft_targets(labels: Tensor, num_classes: int, smoothing: float = 0.0) -> Tensor:
    """One-hot targets, float ``[N, num_classes]``, of int64 ``[N]``; ``smoothing`` of it is spread over all classes."""
    return F.one_hot(labels, num_classes) * (1 - smoothing) + smoothing / num_classes
