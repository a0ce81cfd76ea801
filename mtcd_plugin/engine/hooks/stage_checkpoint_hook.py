"""Checkpoints of MTCD's stages: what a stage hands to the next one."""

from __future__ import annotations

from collections.abc import Mapping

from mmaction.registry import DATASETS, HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mtcd_plugin.engine.model_wrapper import unwrapped
from mtcd_plugin.models.distillers.checkpoints import META
from mtcd_plugin.models.distillers.cross_modal_distiller import CrossModalDistiller
from mtcd_plugin.models.distillers.fused_sweep import FusedSweepDistiller
from mtcd_plugin.models.distillers.student_weights import STUDENT

STAGES = ("encoder", "translator", "teacher", "assistant", "student")


@HOOKS.register_module()
class StageCheckpointHook(Hook):
    """Writes and reads the checkpoints of one stage.

    A distiller's checkpoint is the checkpoint of its student: ``state_dict`` has the keys of a plain
    recognizer and loads into one, strictly. What only training needs (T_s, networks trained jointly) goes to
    the separate entry ``distillation``, so that a run can be resumed; frozen networks are not written, they
    have files of their own.

    Every checkpoint says in ``meta['mtcd']`` which stage and which training subjects it comes from. A network
    that was trained on subjects of the test split is refused as a teacher; one that does not say is used with
    a warning.

    Args:
        stage: one of encoder, translator, teacher, assistant, student.
    """

    def __init__(self, stage: str) -> None:
        if stage not in STAGES:
            raise ValueError(f"StageCheckpointHook: stage '{stage}' is unknown; choose from {', '.join(STAGES)}")
        self.stage = stage

    def before_train(self, runner: Runner) -> None:
        model = unwrapped(runner.model)
        test_subjects = subjects_of(getattr(runner, "_test_dataloader", None))
        for role, meta in getattr(model, "checkpoint_meta", {}).items():
            if leaked := sorted(set(meta.get("train_subjects", ())) & test_subjects):
                raise ValueError(
                    f"model.teachers.{role}.checkpoint was trained on test subject '{leaked[0]}'; "
                    "train it on this split's training subjects"
                )
            if not meta.get("train_subjects"):
                runner.logger.warning(unknown_training(role))

    def after_train_epoch(self, runner: Runner) -> None:
        """Log once, after the first epoch, the clips that were trained without distillation."""
        model = unwrapped(runner.model)
        names = sorted(getattr(model, "undistilled", ()))
        if runner.epoch == 0 and names:
            runner.logger.warning(
                f"{len(names)} clips have no teacher modality; trained without distillation "
                f"(first: {', '.join(names[:3])})"
            )

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        subjects = sorted(subjects_of(runner.train_dataloader)) if runner._train_loop is not None else []
        checkpoint.setdefault("meta", {})[META] = dict(stage=self.stage, train_subjects=subjects)
        model, state = unwrapped(runner.model), checkpoint["state_dict"]
        if isinstance(model, FusedSweepDistiller):
            checkpoint["state_dict"] = {k: v for k, v in state.items() if ".teachers." not in k}
        if not isinstance(model, CrossModalDistiller):
            return
        checkpoint["state_dict"] = {k[len(STUDENT) :]: v for k, v in state.items() if k.startswith(STUDENT)}
        kept = ("projection.", "converter.", *(f"teachers.{role}." for role in model.roles if model.trained[role]))
        checkpoint["distillation"] = {k: v for k, v in state.items() if k.startswith(kept)}

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        model = unwrapped(runner.model)
        if not isinstance(model, CrossModalDistiller) or "distillation" not in checkpoint:
            return
        state = {k: v for k, v in model.state_dict().items() if not k.startswith(STUDENT)}
        state.update({STUDENT + k: v for k, v in checkpoint["state_dict"].items()})
        state.update(checkpoint["distillation"])
        checkpoint["state_dict"] = state


def unknown_training(role: str) -> str:
    """The note on a network that teaches and whose checkpoint does not name its training subjects."""
    return (
        f"the {role}'s checkpoint does not say which subjects it was trained on: "
        "whether it has seen those of the test split cannot be told"
    )


def subjects_of(loader) -> set[str]:
    """Subjects in a data loader, or in the config of one (its data set is built, which reads the annotations only)."""
    if loader is None:
        return set()
    if isinstance(loader, Mapping):  # a ConfigDict has its keys as attributes as well
        dataset = DATASETS.build(loader["dataset"])
    else:
        dataset = loader.dataset
    if not hasattr(dataset, "get_data_info"):
        return set()
    return {str(s) for i in range(len(dataset)) if (s := dataset.get_data_info(i).get("subject")) is not None}
