"""State of a model that its next step depends on and that is no weight."""

from __future__ import annotations

from typing import Any

from mmaction.registry import HOOKS
from mmengine.dist import all_gather_object, get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mtcd_plugin.engine.model_wrapper import unwrapped

KEY = "training_state"  # entry of a checkpoint: one state per process


@HOOKS.register_module()
class TrainingStateHook(Hook):
    """Keeps what ``model.training_state()`` returns in the checkpoint,
    and gives it to ``model.load_training_state`` on resume.

    For models with state that is neither parameter nor buffer: image pools of a GAN, features of earlier clips. The
    state is made of tensors and plain values. With several processes each has its own; they are gathered after every
    epoch, so that checkpoints within an epoch have the state of its beginning.
    """

    def __init__(self) -> None:
        self.gathered: list[Any] | None = None

    def after_train_epoch(self, runner: Runner) -> None:
        if get_world_size() > 1 and hasattr(model := unwrapped(runner.model), "training_state"):
            self.gathered = all_gather_object(model.training_state())

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        if not hasattr(model := unwrapped(runner.model), "training_state"):
            return
        checkpoint[KEY] = [model.training_state()] if get_world_size() == 1 else self.gathered

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Raises ValueError where the checkpoint to go on from has no such state."""
        model = unwrapped(runner.model)
        if not runner._resume or not hasattr(model, "training_state"):
            return
        states = checkpoint.get(KEY)
        if not states:
            raise ValueError(f"the checkpoint has no '{KEY}', on which the next steps depend: start without resume")
        if len(states) == get_world_size():
            states = [states[get_rank()]]
        else:
            runner.logger.warning(
                f"a training of {len(states)} processes is resumed with {get_world_size()}: "
                "it differs from an uninterrupted one"
            )
        for state in states:
            model.load_training_state(state)
