"""Chooses how a job's clips are loaded: gathered from raw clip stores where that can be, one by one otherwise."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from harness.worker.gather import ClipGather, NotGathered
from harness.worker.gather_loader import GatherLoader
from harness.worker.resident import ResidentStores
from mtcd_plugin.engine.model_wrapper import unwrapped
from mtcd_plugin.models.data_preprocessors.clip_data_preprocessor import ClipDataPreprocessor

ONE_BY_ONE = "one by one"


class GatherHook(Hook):
    """Before a training and before a test: gathers their batches where that can be; says what it chose, a line each.

    Args:
        stores: what holds clip stores on the device.

    ``chosen``: how the clips of the training, or of a job without one, are loaded; for the record.
    """

    def __init__(self, stores: ResidentStores) -> None:
        self.stores = stores
        self.chosen = ""

    def before_train(self, runner: Runner) -> None:
        self._settle(runner, runner.train_loop, "training")

    def before_test(self, runner: Runner) -> None:
        self._settle(runner, runner.test_loop, "test")

    def _settle(self, runner: Runner, loop, what: str) -> None:
        if not isinstance(loop.dataloader, DataLoader):
            return
        try:
            chosen, reason = self._gathered(runner, loop), ""
        except NotGathered as e:
            chosen, reason = ONE_BY_ONE, f": {e}"
            if self.stores.asked == "on":
                reason += "; --resident on has no effect"
        print(f"{what}: clips are loaded {chosen}{reason}", flush=True)
        self.chosen = self.chosen or chosen

    def _gathered(self, runner: Runner, loop) -> str:
        if not isinstance(unwrapped(runner.model).data_preprocessor, ClipDataPreprocessor):
            raise NotGathered("the model takes its batches in a way of its own")
        gather = ClipGather(loop.dataloader.dataset, self.stores.frames_of)
        resident = self.stores.hold(gather.stores)
        device = self.stores.device if resident else "cpu"
        pin = not resident and self.stores.device != "cpu"
        loop.dataloader = GatherLoader(loop.dataloader, gather, device, pin)
        where = f"stores held on the {device}" if resident else "memory-mapped stores"
        return f"by whole batches out of {where}"


def loading_of(runner: Runner) -> str:
    """How a run's clips were loaded."""
    return next((hook.chosen for hook in runner.hooks if isinstance(hook, GatherHook)), "") or ONE_BY_ONE
