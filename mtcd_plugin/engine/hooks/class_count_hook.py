"""Heads and data set must agree on the number of classes."""

from __future__ import annotations

from mmaction.models.heads import BaseHead
from mmaction.registry import HOOKS
from mmengine.hooks import Hook


@HOOKS.register_module()
class ClassCountHook(Hook):
    """Raise ValueError before the first batch where a head predicts another number of classes than the data set has;
    otherwise it would be a crash far from its cause, or no error at all.
    """

    def before_train(self, runner) -> None:
        self._check(runner.model, runner.train_dataloader.dataset, "train_dataloader")

    def before_test(self, runner) -> None:
        self._check(runner.model, runner.test_dataloader.dataset, "test_dataloader")

    @staticmethod
    def _check(model, dataset, where: str) -> None:
        classes = getattr(dataset, "metainfo", {}).get("classes")
        if classes is None:
            return
        for name, module in model.named_modules():
            if isinstance(module, BaseHead) and module.num_classes != len(classes):
                raise ValueError(
                    f"model.{name}.num_classes is {module.num_classes}, but the data set of {where} has "
                    f"{len(classes)} classes; set num_classes={len(classes)}"
                )
