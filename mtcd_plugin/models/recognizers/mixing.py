"""Mixing the clips of a batch, and their targets: mixup and ShuffleMix."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributions import Beta


def mixup(clips: Tensor, weight: float) -> Tensor:
    """``weight`` of every clip and the rest of its partner, the clip at its place from the end (mixup,
    https://arxiv.org/abs/1710.09412). Clips are ``[N, ..., T, H, W]``.
    """
    return weight * clips + (1 - weight) * clips.flip(0)


def shuffle_mix(clips: Tensor, weight: float) -> Tensor:
    """``1 - weight`` of every clip's frames, the same in all clips, replaced by its partner's at those times
    (ShuffleMix, https://arxiv.org/abs/2211.09146). Partners as in :func:`mixup`; torch's generator draws the frames.
    """
    frames = clips.shape[-3]
    replaced = torch.zeros(frames, dtype=torch.bool)
    replaced[torch.randperm(frames)[: round((1 - weight) * frames)]] = True
    return torch.where(replaced.to(clips.device)[:, None, None], clips.flip(0), clips)


def mix_batch(
    clips: Tensor, targets: Tensor, shuffle_prob: float = 0.2, shuffle_alpha: float = 0.3, mixup_alpha: float = 0.8
) -> tuple[Tensor, Tensor]:
    """ShuffleMix with probability ``shuffle_prob``, otherwise mixup, once for the batch (UMDR's code).

    The weight is drawn from Beta(alpha, alpha), on the CPU from torch's generator, which
    :class:`~mtcd_plugin.engine.hooks.epoch_seed_hook.EpochSeedHook` seeds for every epoch.

    Args:
        clips: float ``[N, ..., T, H, W]``. targets: float ``[N, K]``.
        shuffle_prob: 0..1. shuffle_alpha, mixup_alpha: over 0; 0 turns that way of mixing off.
    """
    shuffles = bool(torch.rand(()) < shuffle_prob)
    alpha = shuffle_alpha if shuffles else mixup_alpha
    if alpha == 0:
        return clips, targets
    weight = float(Beta(alpha, alpha).sample())
    mixed = shuffle_mix(clips, weight) if shuffles else mixup(clips, weight)
    return mixed, mixup(targets, weight)
