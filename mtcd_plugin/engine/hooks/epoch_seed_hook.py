"""Random draws that depend on the seed and the epoch alone."""

from __future__ import annotations

import random

import numpy as np
import torch
from mmaction.registry import HOOKS
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Start every epoch from random states given by (seed, epoch),
    so that a resumed run equals an uninterrupted one.

    The training data set is told the epoch where it has ``set_epoch(seed, epoch)``: ``ClipDataset`` then
    seeds every sample by (seed, epoch, index), whatever the number of loader workers. The global generators
    of ``random``, ``numpy`` and ``torch`` (dropout) are seeded at the first batch, when the loader has taken
    its own draws. MMEngine restores none of these on resume. Loops over iterations are left alone.
    """

    def before_train_epoch(self, runner) -> None:
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            return
        dataset = runner.train_dataloader.dataset
        while not hasattr(dataset, "set_epoch") and hasattr(dataset, "dataset"):
            dataset = dataset.dataset
        if hasattr(dataset, "set_epoch"):
            dataset.set_epoch(runner.seed, runner.epoch)

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        if batch_idx or not isinstance(runner.train_loop, EpochBasedTrainLoop):
            return
        entropy = np.random.SeedSequence((runner.seed, runner.epoch, get_rank()))
        seed = int(entropy.generate_state(1)[0])
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
