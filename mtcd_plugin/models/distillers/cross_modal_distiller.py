"""Progressive cross-modal distillation (paper, sections 4.2 and 4.4, Eq. 5-7 and 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseModel
from torch import Tensor, nn

from mtcd_plugin.models.distillers.checkpoints import load_network
from mtcd_plugin.models.distillers.inference import GRAY, optimize_for_inference
from mtcd_plugin.models.distillers.networks import (
    build_once,
    check_choice,
    check_weight,
    class_losses,
    clip_name,
    stream_present,
)
from mtcd_plugin.models.distillers.projection import FUSIONS, FeatureProjection, fuse_features
from mtcd_plugin.models.distillers.shuffled_teacher_bank import ShuffledTeacherBank
from mtcd_plugin.models.distillers.student_weights import take_students_weights
from mtcd_plugin.models.distillers.teachers import TeacherOutput, all_present, needed_roles, teacher_scalars
from mtcd_plugin.models.heads.projected_head import ProjectedHead, labels_of
from mtcd_plugin.models.losses.distances import (
    DISTANCES,
    REDUCTIONS,
    feature_distance,
    logit_distance,
    mean_where,
    scaled_for,
)
from mtcd_plugin.models.weights.init_cfg import as_list

if TYPE_CHECKING:
    from mmaction.utils import OptSampleList

    from mtcd_plugin.models.distillers.projection import LearnedFusion


@MODELS.register_module()
class CrossModalDistiller(BaseModel):
    """A student recognizer, and the frozen recognizers that teach it through other modalities of the same clip.

    The loss is Eq. 10, ``L_ce + alpha * L_kd(Fusion -> student) + beta * L_kd(IR -> student)``. The same class trains
    the assistant (Eq. 6): its network is the student there, the teacher is the only one that teaches, and ``beta`` is
    the weight gamma of ``CE + gamma * L_kd(IR -> IRp)``. Gradients stop at the arrow's source: what teaches is frozen,
    in eval mode, and runs without a graph. Only the student predicts, from its own modality.

    Args:
        student: config of an ordinary recognizer, with a :class:`FeatureConverter` as its neck.
        student_input: its modality, or several that are joined along channels (control: pseudo-infrared as input).
        teachers: ``teacher`` and, optionally, ``assistant``: ``dict(model=..., input='ir', checkpoint='...')``, with a
            :class:`ProjectedHead`. ``train=True`` trains that network in the same job instead (joint training; the
            assistant then has its own cross-entropy and ``gamma`` times Eq. 6).
        alpha: weight of Eq. 7. beta: weight of Eq. 5 (Eq. 6 in the assistant's stage). A weight of 0 switches its term
            off, and a network that no term needs is neither loaded nor run.
        gamma: weight of Eq. 6 in joint training.
        projection: arguments of T_s, a :class:`FeatureProjection`; needs ``in_channels``. Left out when the student's
            head carries one (assistant's stage).
        fusion: ``mean | sum | max`` of teacher and assistant, ``assistant`` alone, or ``learned`` (by the assistant's
            head, see :class:`LearnedFusion`).
        distance, reduction: see :func:`feature_distance`.
        bidirectional: let gradients of Eq. 5-7 reach networks with ``train=True`` as well.
        shuffle: a control, see :class:`ShuffledTeacherBank`: every clip gets the frozen networks' outputs for another
            clip of its class (``same_class``) or of another class (``random_class``).
        converter_at_test: the converter belongs to the student (default), or serves distillation only and is left out
            of its predictions and its checkpoint (ablation).
        logit_weight, temperature: logit distillation, off by default: from the teacher and the assistant, the mean of
            those that are there.
        init_cfg: starting weights of the student, as a recognizer has them.

    Its weights are its student's: a checkpoint of the student loads into the distiller as well, all of it or none.

    Losses: ``loss_cls``, ``loss_kd_<teacher's input>_<student's input>``, ``loss_kd_fusion_<student's input>``, ...
    Scalars beside them: ``kd_share`` (share of clips with all modalities), ``teacher_top1``, ``teacher_agreement``, ...

    A clip without a teacher's modality (its name in the metainfo's ``missing``, or a constant input) is trained without
    its distillation terms and counted in ``undistilled``.
    """

    reads_init_cfg = True  # see mtcd_plugin.models.weights.init_cfg

    def __init__(  # long: one argument a setting of the config, each kept
        self,
        student: dict,
        teachers: dict,
        student_input: str | list[str] = "rgb",
        alpha: float = 0.9,
        beta: float = 0.3,
        gamma: float = 1.0,
        projection: dict | None = None,
        fusion: str = "mean",
        distance: str = "normalized_l2",
        reduction: str = "mean",
        bidirectional: bool = False,
        logit_weight: float = 0.0,
        temperature: float = 4.0,
        shuffle: str = "none",
        converter_at_test: bool = True,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        self.register_load_state_dict_pre_hook(take_students_weights)
        self.alpha, self.beta = check_weight("alpha", alpha), check_weight("beta", beta)
        self.gamma, self.logit_weight = check_weight("gamma", gamma), check_weight("logit_weight", logit_weight)
        self.fusion = check_choice("fusion", fusion, FUSIONS)
        self.distance = check_choice("distance", distance, DISTANCES)
        self.reduction = check_choice("reduction", reduction, REDUCTIONS)
        self.bidirectional, self.temperature = bidirectional, temperature
        self.shuffled_teacher = ShuffledTeacherBank(shuffle) if shuffle != "none" else None
        self.student_inputs = [student_input] if isinstance(student_input, str) else list(student_input)
        self.roles = needed_roles(teachers, self.alpha, self.beta, fusion, self.logit_weight)
        if init_cfg:
            student = {**student, "init_cfg": [*as_list(student.get("init_cfg")), *as_list(init_cfg)]}
        self.student = MODELS.build(student)
        self.converter = None
        if not converter_at_test:
            self.converter, self.student.neck = self.student.neck, None
        # nothing else draws from the random stream: the student is the network that it would be if trained alone
        with torch.random.fork_rng():
            self.projection = FeatureProjection(**projection) if projection else None
            if self.projection is None and not isinstance(self.student.cls_head, ProjectedHead):
                raise ValueError("CrossModalDistiller: give model.projection (T_s), or a student with a ProjectedHead")
            self.teachers = nn.ModuleDict({role: build_once(teachers[role]["model"]) for role in self.roles})
        self.inputs = {role: teachers[role]["input"] for role in self.roles}
        self.checkpoints = {role: teachers[role].get("checkpoint") or "" for role in self.roles}
        self.trained = {role: bool(teachers[role].get("train", False)) for role in self.roles}
        for role, network in self.teachers.items():
            if not isinstance(network.cls_head, ProjectedHead):
                raise ValueError(f"CrossModalDistiller: the {role}'s cls_head must be a ProjectedHead")
            network.requires_grad_(self.trained[role])
        self._undistilled: set[str] = set()
        self._taught: list[tuple[list[str], Tensor]] = []  # clips of steps, and which of them had all teachers
        self.checkpoint_meta: dict[str, dict] = {}  # role -> stage and training subjects, from its checkpoint
        self.train(self.training)

    def init_weights(self) -> None:
        """Initialise the student as if it were alone; load the networks that teach."""
        self.init_student()
        self.load_teachers()

    def init_student(self) -> None:
        """Initialise what learns."""
        self.student.init_weights()
        with torch.random.fork_rng():
            for module in (self.projection, self.converter):
                if module is not None:
                    module.init_weights()

    def load_teachers(self, roles: list[str] | None = None) -> None:
        """Read the checkpoints of the networks that teach (of ``roles``, or all), and make the frozen ones fast."""
        with torch.random.fork_rng():
            for role in self.roles if roles is None else roles:
                network: BaseModel = self.teachers[role]
                path = self.checkpoints[role]
                if path:
                    self.checkpoint_meta[role] = load_network(network, path, f"model.teachers.{role}", stages=(role,))
                elif self.trained[role]:
                    network.init_weights()
                else:
                    raise ValueError(
                        f"model.teachers.{role}.checkpoint is empty: train that stage first and give its "
                        f"checkpoint (--cfg-options model.teachers.{role}.checkpoint=...)"
                    )
                if not self.trained[role]:
                    optimize_for_inference(network, gray=self.inputs[role] in GRAY)

    def train(self, mode: bool = True) -> CrossModalDistiller:
        """Training mode for the student alone; what teaches stays in eval mode unless it is trained as well."""
        super().train(mode)
        for role, network in self.teachers.items():
            network.train(mode and self.trained[role])
        return self

    def training_state(self) -> dict:
        """What later steps and notes depend on besides weights and optimizer: the clips without distillation, and the
        bank of the shuffled teacher.
        """
        state: dict = {"undistilled": sorted(self.undistilled)}
        if self.shuffled_teacher is not None:
            state["shuffled_teacher"] = self.shuffled_teacher.state()
        return state

    def load_training_state(self, state: dict) -> None:
        """Go on from what :meth:`training_state` gave.

        Raises:
            ValueError: the state has no bank for the shuffled teacher.
        """
        self._undistilled |= set(state["undistilled"])
        if self.shuffled_teacher is None:
            return
        if "shuffled_teacher" not in state:
            raise ValueError("the checkpoint has no state of the shuffled teacher; start without resume")
        self.shuffled_teacher.load_state(state["shuffled_teacher"], next(self.student.parameters()).device)

    # ------------------------------------------------------------------ three modes of a recognizer

    def forward(self, inputs, data_samples: OptSampleList = None, mode: str = "tensor", **kwargs):
        """As MMAction2's ``BaseRecognizer.forward``; ``inputs``: one tensor [N, 1, C, T, H, W], or a dict of them by
        modality. ``predict`` and ``tensor`` use the student and its modality alone.
        """
        if mode == "loss":
            return self.loss(inputs, data_samples)
        if mode not in ("predict", "tensor"):
            raise RuntimeError(f'Invalid mode "{mode}". Only supports loss, predict and tensor mode')
        return self.student(self.student_view(inputs), data_samples, mode=mode, **kwargs)

    def student_view(self, inputs) -> Tensor:
        """The student's part of the inputs, [N, 1, C, T, H, W]."""
        if isinstance(inputs, Tensor):
            return inputs
        if missing := [m for m in self.student_inputs if m not in inputs]:
            raise ValueError(f"the student needs '{missing[0]}'; the data give {', '.join(inputs)}")
        views = [inputs[m] for m in self.student_inputs]
        return views[0] if len(views) == 1 else torch.cat(views, dim=2)

    def loss(self, inputs, data_samples: list) -> dict[str, Tensor]:
        """Eq. 10. ``inputs``: dict modality -> [N, 1, C, T, H, W], preprocessed."""
        outputs = {role: self.teacher_output(role, inputs, data_samples) for role in self.roles}
        return self.student_loss(inputs, data_samples, outputs)

    def student_loss(self, inputs, data_samples: list, teacher_outputs: dict[str, TeacherOutput]) -> dict[str, Tensor]:
        """Eq. 10, given the teachers' outputs by role."""
        features, kwargs = self.student.extract_feat(self.student_view(inputs), data_samples=data_samples)
        losses, logits = class_losses(self.student, features, kwargs, data_samples)
        if not teacher_outputs:
            return losses
        labels = labels_of(data_samples, features.device)
        clips = [clip_name(sample) for sample in data_samples]
        if self.shuffled_teacher is not None:
            teacher_outputs = self.shuffled_teacher.swap(teacher_outputs, labels.tolist(), clips)
        losses.update(self.distillation_losses(features, logits, teacher_outputs, labels))
        present = all_present(teacher_outputs)
        losses["kd_share"] = present.float().mean()
        if self.shuffled_teacher is None:  # its first clips have no other clip yet, which is no missing modality
            self._taught.append((clips, present))
        losses.update(teacher_scalars(teacher_outputs, logits, labels))
        return losses

    @property
    def undistilled(self) -> set[str]:
        """Clips that were trained without distillation until now. Looked at seldom: it waits for the device."""
        steps, self._taught = self._taught, []
        for clips, present in steps:
            self._undistilled.update(clip for clip, ok in zip(clips, present.tolist(), strict=True) if not ok)
        return self._undistilled

    def teacher_output(self, role: str, inputs, data_samples: list) -> TeacherOutput:
        """The output of a network that teaches for a batch; the student has no part in it."""
        name: str
        network: BaseModel
        name, network = self.inputs[role], self.teachers[role]
        if isinstance(inputs, Tensor) or name not in inputs:
            given = "one input" if isinstance(inputs, Tensor) else ", ".join(inputs)
            raise ValueError(f"the {role} needs '{name}'; the data give {given}")
        losses: dict[str, Tensor] = {}
        with torch.set_grad_enabled(self.trained[role]):
            features, kwargs = network.extract_feat(inputs[name], data_samples=data_samples)
            if self.trained[role]:
                losses, logits = class_losses(network, features, kwargs, data_samples)
            else:
                logits = network.cls_head(features)
            z = network.cls_head.projection(features)
        return TeacherOutput(z, logits, stream_present(inputs[name], name, data_samples), losses)

    def distillation_losses(
        self, features: Tensor, logits: Tensor, teacher_outputs: dict[str, TeacherOutput], labels: Tensor
    ) -> dict[str, Tensor]:
        """The terms of Eq. 5 (or 6) and 7 with their weights, and the losses of networks that are trained as well.

        Args:
            features: converted feature of the student, [N, C, T', H, W]. logits: [N, K]. labels: int64 [N].
        """
        target = self.student_inputs[0]
        project = self.projection or self.student.cls_head.projection
        converted = features if self.converter is None else self.converter(features)[0]
        z = scaled_for(self.distance, project(converted))
        projected = {role: scaled_for(self.distance, output.z) for role, output in teacher_outputs.items()}
        source = projected if self.bidirectional else {role: x.detach() for role, x in projected.items()}
        losses = {f"{name}_{role}": v for role, output in teacher_outputs.items() for name, v in output.losses.items()}
        present = all_present(teacher_outputs)
        if self.beta > 0:
            each = feature_distance(source["teacher"], z, self.distance, self.reduction)
            name = f"loss_kd_{self.inputs['teacher']}_{target}"
            losses[name] = self.beta * mean_where(each, teacher_outputs["teacher"].present)
        if self.alpha > 0:
            fused = fuse_features(source.get("teacher"), source["assistant"], self.fusion, self._learned_fusion())
            each = feature_distance(fused, z, self.distance, self.reduction)
            needed = teacher_outputs["assistant"].present if self.fusion == "assistant" else present
            losses[f"loss_kd_fusion_{target}"] = self.alpha * mean_where(each, needed)
        if self.logit_weight > 0:
            teaching = torch.stack([output.logits.detach() for output in teacher_outputs.values()]).mean(dim=0)
            each = logit_distance(teaching, logits, self.temperature)
            losses["loss_kd_logit"] = self.logit_weight * mean_where(each, present)
        if self.trained.get("assistant") and "teacher" in teacher_outputs and self.gamma > 0:
            each = feature_distance(source["teacher"], projected["assistant"], self.distance, self.reduction)
            name = f"loss_kd_{self.inputs['teacher']}_{self.inputs['assistant']}"
            losses[name] = self.gamma * mean_where(each, present)
        learned = getattr(self.student.cls_head, "learned_fusion", None)
        if learned is not None and "teacher" in teacher_outputs:  # assistant's stage
            losses["loss_fusion"] = F.cross_entropy(learned.logits(source["teacher"], z.detach()), labels)
        return losses

    def _learned_fusion(self) -> LearnedFusion | None:
        """The assistant's fusion for ``fusion='learned'``, None otherwise."""
        if self.fusion != "learned":
            return None
        learned = self.teachers["assistant"].cls_head.learned_fusion  # type: ignore[union-attr]  # a recognizer
        if learned is None:
            raise ValueError("fusion='learned' needs an assistant that was trained with cls_head.learned_fusion")
        return learned  # type: ignore[return-value]  # of the assistant's head
