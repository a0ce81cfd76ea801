"""Files of key-points must be there before anything is trained."""

from __future__ import annotations

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mtcd_plugin.transforms.load_key_points import LoadKeyPoints


@HOOKS.register_module()
class KeyPointsHook(Hook):
    """Raise FileNotFoundError before the first batch where ``LoadKeyPoints`` of the training data lacks a file."""

    def before_train(self, runner: Runner) -> None:
        dataset = runner.train_dataloader.dataset
        for transform in dataset.pipeline.transforms:
            if isinstance(transform, LoadKeyPoints):
                transform.require(dataset.get_data_info(i) for i in range(len(dataset)))
