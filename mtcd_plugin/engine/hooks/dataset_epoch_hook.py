"""Tells the training dataset which epoch is being drawn."""

from __future__ import annotations

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop


@HOOKS.register_module()
class DatasetEpochHook(Hook):
    """Call ``dataset.set_epoch(seed, epoch)`` before each training epoch, where the dataset has that method.

    ``ClipDataset`` then seeds every sample by (seed, epoch, index): the draws do not depend on the
    number of loader workers, and a resumed run draws what an uninterrupted one would have drawn.
    """

    def before_train_epoch(self, runner) -> None:
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            return  # a loop over iterations has no epochs: every pass over the data would draw the same
        dataset = runner.train_dataloader.dataset
        while not hasattr(dataset, "set_epoch") and hasattr(dataset, "dataset"):
            dataset = dataset.dataset
        if hasattr(dataset, "set_epoch"):
            dataset.set_epoch(runner.seed, runner.epoch)
