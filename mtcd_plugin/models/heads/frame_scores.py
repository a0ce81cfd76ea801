"""From scores of frames to scores of clips."""

from __future__ import annotations

import math

from torch import Tensor


def mean_probability(logits: Tensor, classes: int | None = None) -> Tensor:
    """Log of the class probabilities of frames, averaged over time; its softmax are these averages.

    Args:
        logits: of each frame, ``[N, T, classes or more]``.
        classes: those that count for a clip, the first ones; the softmax of a frame is over all. None: all.

    Returns:
        float ``[N, classes]``.
    """
    frames = logits.log_softmax(dim=2)[..., :classes]
    return frames.logsumexp(dim=1) - math.log(logits.shape[1])
