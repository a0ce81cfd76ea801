"""Checkpoints of a student with a single teacher."""

from __future__ import annotations

from mmaction.registry import HOOKS
from mmengine.runner import Runner

from mtcd_plugin.engine.hooks.stage_checkpoint_hook import StageCheckpointHook
from mtcd_plugin.engine.model_wrapper import unwrapped
from mtcd_plugin.models.distillers.student_weights import STUDENT

TEACHER = "teacher."  # prefix of the frozen network's weights, which have a file of their own


@HOOKS.register_module()
class SingleTeacherCheckpointHook(StageCheckpointHook):
    """:class:`StageCheckpointHook` for a :class:`SingleTeacherDistiller`.

    ``state_dict`` has the student's weights under a plain recognizer's names; what only training needs (regressor,
    embeddings, discriminator) goes to the entry ``distillation``.
    """

    def __init__(self) -> None:
        super().__init__("student")

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        super().before_save_checkpoint(runner, checkpoint)
        state = checkpoint["state_dict"]
        checkpoint["state_dict"] = {k[len(STUDENT) :]: v for k, v in state.items() if k.startswith(STUDENT)}
        checkpoint["distillation"] = {k: v for k, v in state.items() if not k.startswith((STUDENT, TEACHER))}

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        if "distillation" not in checkpoint:
            return
        state = {k: v for k, v in unwrapped(runner.model).state_dict().items() if k.startswith(TEACHER)}
        state.update({STUDENT + k: v for k, v in checkpoint["state_dict"].items()})
        state.update(checkpoint["distillation"])
        checkpoint["state_dict"] = state
