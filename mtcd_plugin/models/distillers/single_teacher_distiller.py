"""A student and one frozen teacher of another modality, with any loss between them: the rivals of MTCD."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModel
from torch import Tensor

from mtcd_plugin.models.distillers.checkpoints import load_network
from mtcd_plugin.models.distillers.inference import GRAY, optimize_for_inference
from mtcd_plugin.models.distillers.networks import class_losses, clip_name, stream_present
from mtcd_plugin.models.distillers.student_weights import take_students_weights
from mtcd_plugin.models.heads.projected_head import labels_of
from mtcd_plugin.models.losses.distillation import DistillationLoss, Outputs
from mtcd_plugin.models.weights.init_cfg import as_list

if TYPE_CHECKING:
    from mmaction.utils import OptSampleList

TEACHER = "teacher"


@MODELS.register_module()
class SingleTeacherDistiller(BaseModel):
    """A student recognizer, and a frozen recognizer that teaches it through another modality of the same clip.

    The loss is ``class_weight * cross-entropy + distillation``. The student is an ordinary recognizer, and nothing of
    the distillation is left in it: it starts from the same weights and draws the same random numbers as one alone.

    Args:
        student: config of an ordinary recognizer.
        teachers: ``dict(teacher=dict(model=..., input='ir', checkpoint='...'))``.
        distillation: config of a :class:`DistillationLoss`.
        student_input: the student's modality.
        class_weight: of the student's cross-entropy.
        init_cfg: starting weights of the student, as a recognizer has them.

    A clip without the teacher's modality (its name in the metainfo's ``missing``, or a constant input) is trained
    without the distillation and counted in ``undistilled``; the terms are means over the others, times their share.
    """

    reads_init_cfg = True  # see mtcd_plugin.models.weights.init_cfg

    def __init__(
        self,
        student: dict,
        teachers: dict,
        distillation: dict,
        student_input: str = "rgb",
        class_weight: float = 1.0,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        self.register_load_state_dict_pre_hook(take_students_weights)
        if list(teachers) != [TEACHER]:
            raise ValueError(
                f"SingleTeacherDistiller: teachers must have '{TEACHER}' alone, got {', '.join(teachers) or 'nothing'}"
            )
        if not 0 <= class_weight < float("inf"):
            raise ValueError(f"SingleTeacherDistiller: class_weight must be finite and >= 0, got {class_weight!r}")
        self.student_input, self.class_weight = student_input, class_weight
        self.teacher_input, self.checkpoint = teachers[TEACHER]["input"], teachers[TEACHER].get("checkpoint") or ""
        if init_cfg:
            student = {**student, "init_cfg": [*as_list(student.get("init_cfg")), *as_list(init_cfg)]}
        self.student = MODELS.build(student)
        # nothing else draws from the random stream: the student is the network that it would be if trained alone
        with torch.random.fork_rng():
            self.distillation: DistillationLoss = MODELS.build(distillation)
            self.teacher: BaseModel = MODELS.build(teachers[TEACHER]["model"]).requires_grad_(False)
        self.undistilled: set[str] = set()
        self.checkpoint_meta: dict[str, dict] = {}  # role -> stage and training subjects, from its checkpoint
        self.train(self.training)

    def init_weights(self) -> None:
        """Initialise the student as if it were alone; load the teacher.

        Raises:
            ValueError: there is no checkpoint, or see :func:`load_network`.
        """
        self.student.init_weights()
        with torch.random.fork_rng():
            self.distillation.init_weights()
            if not self.checkpoint:
                raise ValueError(
                    "model.teachers.teacher.checkpoint is empty: train that stage first and give its checkpoint "
                    "(--cfg-options model.teachers.teacher.checkpoint=...)"
                )
            what = "model.teachers.teacher"
            self.checkpoint_meta[TEACHER] = load_network(self.teacher, self.checkpoint, what, stages=(TEACHER,))
            optimize_for_inference(self.teacher, gray=self.teacher_input in GRAY)

    def train(self, mode: bool = True) -> SingleTeacherDistiller:
        """Training mode for all but the teacher."""
        super().train(mode)
        self.teacher.eval()
        return self

    def training_state(self) -> dict:
        """What later steps and notes depend on besides weights and optimizer."""
        return {"undistilled": sorted(self.undistilled), "distillation": self.distillation.training_state()}

    def load_training_state(self, state: dict) -> None:
        """Go on from what :meth:`training_state` gave."""
        self.undistilled |= set(state["undistilled"])
        self.distillation.load_training_state(state["distillation"], next(self.student.parameters()).device)

    def forward(self, inputs, data_samples: OptSampleList = None, mode: str = "tensor", **kwargs):
        """As MMAction2's ``BaseRecognizer.forward``; ``inputs``: one tensor [N, 1, C, T, H, W], or a dict of them by
        modality. ``predict`` and ``tensor`` use the student and its modality alone.
        """
        if mode == "loss":
            return self.loss(inputs, data_samples)
        if mode not in ("predict", "tensor"):
            raise RuntimeError(f'Invalid mode "{mode}". Only supports loss, predict and tensor mode')
        own = inputs if isinstance(inputs, Tensor) else view(inputs, self.student_input, "student")
        return self.student(own, data_samples, mode=mode, **kwargs)

    def loss(self, inputs, data_samples: list) -> dict[str, Tensor]:
        """``inputs``: dict modality -> [N, 1, C, T, H, W], preprocessed."""
        own, other = view(inputs, self.student_input, "student"), view(inputs, self.teacher_input, TEACHER)
        with caught(self.student, self.distillation.layers) as layers:
            feature, kwargs = self.student.extract_feat(own, data_samples=data_samples)
        losses, logits = class_losses(self.student, feature, kwargs, data_samples)
        losses["loss_cls"] = self.class_weight * losses["loss_cls"]
        student = Outputs(logits, feature, layers)
        teacher = self.teacher_outputs(other, data_samples)
        labels, clips = labels_of(data_samples, feature.device), [clip_name(sample) for sample in data_samples]
        present = stream_present(other, self.teacher_input, data_samples)
        losses |= self._distilled(student, teacher, labels, clips, present)
        self.undistilled.update(clip for clip, ok in zip(clips, present.tolist(), strict=True) if not ok)
        predicted, told = logits.argmax(dim=1), teacher.logits.argmax(dim=1)
        losses["kd_share"] = present.float().mean()
        losses["teacher_top1"] = (told == labels).float().mean()
        losses["teacher_agreement"] = (told == predicted).float().mean()
        return losses

    @torch.no_grad()
    def teacher_outputs(self, x: Tensor, data_samples: list) -> Outputs:
        """What the teacher gives for its modality [N, 1, C, T, H, W]."""
        with caught(self.teacher, self.distillation.layers) as layers:
            feature, _ = self.teacher.extract_feat(x, data_samples=data_samples)
        return Outputs(self.teacher.cls_head(feature), feature, layers)

    def _distilled(
        self, student: Outputs, teacher: Outputs, labels: Tensor, clips: list[str], present: Tensor
    ) -> dict[str, Tensor]:
        """The distillation's scalars for the clips that are present, times their share of the batch."""
        if not present.any():
            return {"loss_kd": student.logits.sum() * 0}
        kept = [clip for clip, ok in zip(clips, present.tolist(), strict=True) if ok]
        found = self.distillation(student.rows(present), teacher.rows(present), labels[present], kept)
        share = present.float().mean()
        return {name: value * share if "loss" in name else value for name, value in found.items()}


@contextmanager
def caught(network: BaseModel, names: tuple[str, ...]) -> Iterator[dict[str, Tensor]]:
    """The outputs of modules of a network, by their dotted names, while it runs inside the ``with``.

    Raises:
        ValueError: a module that the network does not have.
    """
    found: dict[str, Tensor] = {}
    handles = []
    try:
        for name in names:
            try:
                module = network.get_submodule(name)
            except AttributeError:
                there = ", ".join(f"backbone.{n}" for n, _ in network.backbone.named_children())
                raise ValueError(
                    f"distillation: the network has no module '{name}'; its backbone has {there}"
                ) from None
            handles.append(module.register_forward_hook(lambda _m, _i, out, name=name: found.__setitem__(name, out)))
        yield found
    finally:
        for handle in handles:
            handle.remove()


def view(inputs, name: str, who: str) -> Tensor:
    """The part of the inputs that a network sees. Raises ValueError where it is not there."""
    if isinstance(inputs, Tensor) or name not in inputs:
        given = "one input" if isinstance(inputs, Tensor) else ", ".join(inputs)
        raise ValueError(f"the {who} needs '{name}'; the data give {given}")
    return inputs[name]
