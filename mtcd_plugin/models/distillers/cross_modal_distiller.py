"""Progressive cross-modal distillation (paper, sections 4.2 and 4.4, Eq. 5-7 and 10)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseModel
from torch import Tensor, nn

from mtcd_plugin.models.distillers.checkpoints import load_network
from mtcd_plugin.models.distillers.frozen import GRAY, freeze
from mtcd_plugin.models.distillers.networks import (
    build_once,
    check_weight,
    class_losses,
    clip_name,
    stream_present,
)
from mtcd_plugin.models.distillers.partners import PartnerBank
from mtcd_plugin.models.distillers.projection import FUSIONS, FeatureProjection, fuse
from mtcd_plugin.models.heads.projected_head import ProjectedHead, labels_of
from mtcd_plugin.models.losses.distances import (
    DISTANCES,
    REDUCTIONS,
    UNIT_LENGTH,
    feature_distance,
    logit_distance,
)
from mtcd_plugin.models.weights.init_cfg import as_list, first_difference

ROLES = ("teacher", "assistant")
STUDENT = "student."  # prefix of the student's weights


@MODELS.register_module()
class CrossModalDistiller(BaseModel):
    """A student recognizer, and the frozen recognizers that teach it through other modalities of the same
    clip.

    The loss is Eq. 10, ``L_ce + alpha * L_kd(Fusion -> student) + beta * L_kd(IR -> student)``. The same
    class trains the assistant (Eq. 6): its network is the student there, the teacher is the only one that
    teaches, and ``beta`` is the weight gamma of ``CE + gamma * L_kd(IR -> IRp)``. Gradients stop at the
    arrow's source: what teaches is frozen, in eval mode, and runs without a graph. Only the student predicts,
    from its own modality.

    Args:
        student: config of an ordinary recognizer, with a :class:`FeatureConverter` as its neck.
        student_input: its modality, or several that are joined along channels (control: pseudo-infrared as
            input).
        teachers: ``teacher`` and, optionally, ``assistant``: ``dict(model=..., input='ir',
            checkpoint='...')``, with a :class:`ProjectedHead`. ``train=True`` trains that network in the same
            job instead (joint training; the assistant then has its own cross-entropy and ``gamma`` times Eq.
            6).
        alpha: weight of Eq. 7. beta: weight of Eq. 5 (Eq. 6 in the assistant's stage). A weight of 0 switches
            its term off, and a network that no term needs is neither loaded nor run.
        gamma: weight of Eq. 6 in joint training.
        projection: arguments of T_s, a :class:`FeatureProjection`; needs ``in_channels``. Left out when the
            student's head carries one (assistant's stage).
        fusion: ``mean | sum | max`` of teacher and assistant, ``assistant`` alone, or ``learned`` (by the
            assistant's head, see :class:`LearnedFusion`).
        distance, reduction: see :func:`feature_distance`.
        bidirectional: let gradients of Eq. 5-7 reach networks with ``train=True`` as well.
        shuffle: a control, see :class:`PartnerBank`: every clip is taught by what the frozen networks said
            about another clip of its class (``same_class``) or of another class (``random_class``).
        converter_at_test: the converter belongs to the student (default), or serves distillation only and is
            left out of its predictions and its checkpoint (ablation).
        logit_weight, temperature: logit distillation, off by default: from the teacher and the assistant, the
            mean of those that are there.
        init_cfg: starting weights of the student, as a recognizer has them.

    Its weights are its student's: a checkpoint of the student loads into the distiller as well, all of it or none.

    Losses: ``loss_cls``, ``loss_kd_<teacher's input>_<student's input>``, ``loss_kd_fusion_<student's
        input>``, ...
    Scalars beside them: ``kd_share`` (share of clips with all streams), ``teacher_top1``,
        ``teacher_agreement``, ...

    A clip whose teaching stream is missing (its name in the metainfo's ``missing``, or a constant input) is
    trained without its distillation terms and counted in ``undistilled``.
    """

    reads_init_cfg = True  # see mtcd_plugin.models.weights.init_cfg

    def __init__(
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
        self.gamma, self.logit_weight = (
            check_weight("gamma", gamma),
            check_weight("logit_weight", logit_weight),
        )
        for name, value, valid in (
            ("fusion", fusion, FUSIONS),
            ("distance", distance, DISTANCES),
            ("reduction", reduction, REDUCTIONS),
        ):
            if value not in valid:
                raise ValueError(f"CrossModalDistiller: {name} '{value}' is unknown; choose from {', '.join(valid)}")
        if unknown := sorted(set(teachers) - set(ROLES)):
            raise ValueError(f"CrossModalDistiller: teachers '{unknown[0]}' is unknown; choose from {', '.join(ROLES)}")
        self.fusion, self.distance, self.reduction = fusion, distance, reduction
        self.bidirectional, self.temperature = bidirectional, temperature
        self.partners = PartnerBank(shuffle) if shuffle != "none" else None
        self.student_inputs = [student_input] if isinstance(student_input, str) else list(student_input)
        if init_cfg:
            student = {**student, "init_cfg": [*as_list(student.get("init_cfg")), *as_list(init_cfg)]}
        self.student = MODELS.build(student)
        self.converter = None
        if not converter_at_test:
            self.converter, self.student.neck = self.student.neck, None
        # nothing else draws from the random stream: the student is the network that it would be if trained
        # alone
        with torch.random.fork_rng():
            self.projection = FeatureProjection(**projection) if projection else None
            if self.projection is None and not isinstance(self.student.cls_head, ProjectedHead):
                raise ValueError("CrossModalDistiller: give model.projection (T_s), or a student with a ProjectedHead")
            self.roles = self._needed_roles(teachers)
            self.teachers = nn.ModuleDict({role: build_once(teachers[role]["model"]) for role in self.roles})
        self.inputs = {role: teachers[role]["input"] for role in self.roles}
        self.checkpoints = {role: teachers[role].get("checkpoint") or "" for role in self.roles}
        self.trained = {role: bool(teachers[role].get("train", False)) for role in self.roles}
        for role, network in self.teachers.items():
            if not isinstance(network.cls_head, ProjectedHead):
                raise ValueError(f"CrossModalDistiller: the {role}'s cls_head must be a ProjectedHead")
            network.requires_grad_(self.trained[role])
        self.undistilled: set[str] = set()
        self.about: dict[str, dict] = {}  # what the loaded checkpoints say about their stages
        self.train(self.training)

    def _needed_roles(self, teachers: dict) -> list[str]:
        """The networks that a term with a weight needs."""
        needed = set()
        if self.alpha > 0:
            needed.add("assistant")
        if self.beta > 0 or (self.alpha > 0 and self.fusion != "assistant"):
            needed.add("teacher")
        if self.logit_weight > 0:
            needed |= set(teachers)
        needed |= {role for role in teachers if teachers[role].get("train", False)}
        if missing := sorted(needed - set(teachers)):
            raise ValueError(
                f"CrossModalDistiller: alpha={self.alpha}, beta={self.beta}, fusion='{self.fusion}' need "
                f"teachers.{missing[0]}, which the config does not give"
            )
        return [role for role in ROLES if role in needed]

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
        """Read the checkpoints of the networks that teach (of ``roles``, or all), and make the frozen ones
        fast."""
        with torch.random.fork_rng():
            for role in self.roles if roles is None else roles:
                network = self.teachers[role]
                path = self.checkpoints[role]
                if path:
                    self.about[role] = load_network(network, path, f"model.teachers.{role}", stages=(role,))
                elif self.trained[role]:
                    network.init_weights()
                else:
                    raise ValueError(
                        f"model.teachers.{role}.checkpoint is empty: train that stage first and give its "
                        f"checkpoint (--cfg-options model.teachers.{role}.checkpoint=...)"
                    )
                if not self.trained[role]:
                    freeze(network, gray=self.inputs[role] in GRAY)

    def train(self, mode: bool = True) -> CrossModalDistiller:
        """Training mode for the student alone; what teaches stays in eval mode unless it is trained as
        well."""
        super().train(mode)
        for role, network in self.teachers.items():
            network.train(mode and self.trained[role])
        return self

    def training_state(self) -> dict:
        """What later steps and notes depend on besides weights and optimizer: clips without distillation, and
        partners.
        """
        state: dict = {"undistilled": sorted(self.undistilled)}
        return state if self.partners is None else {**state, "partners": self.partners.state()}

    def load_training_state(self, state: dict) -> None:
        """Go on from what :meth:`training_state` gave."""
        self.undistilled |= set(state["undistilled"])
        if self.partners is not None:
            self.partners.load_state(state["partners"], next(self.student.parameters()).device)

    # ------------------------------------------------------------------ three modes of a recognizer

    def forward(self, inputs, data_samples: list | None = None, mode: str = "tensor", **kwargs):
        """As MMAction2's ``BaseRecognizer.forward``; ``inputs``: one tensor [N, 1, C, T, H, W], or a dict of
        them by
        modality. ``predict`` and ``tensor`` use the student and its modality alone."""
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
        taught = {role: self.teach(role, inputs, data_samples) for role in self.roles}
        return self.student_loss(inputs, data_samples, taught)

    def student_loss(self, inputs, data_samples: list, taught: dict[str, dict]) -> dict[str, Tensor]:
        """Eq. 10, given what was taught (role -> see :meth:`teach`)."""
        features, kwargs = self.student.extract_feat(self.student_view(inputs), data_samples=data_samples)
        losses, logits = class_losses(self.student, features, kwargs, data_samples)
        if not taught:
            return losses
        if self.partners is not None:
            clips = [clip_name(sample) for sample in data_samples]
            taught = self.partners.swap(taught, labels_of(data_samples, features.device).tolist(), clips)
        losses.update(self.distillation(features, logits, taught, data_samples))
        return losses

    # ------------------------------------------------------------------ teaching

    def teach(self, role: str, inputs, data_samples: list) -> dict:
        """What a network that teaches says about a batch; the student has no part in it.

        Returns:
            dict(z: projected feature [N, P, D], logits: [N, K], present: which clips have the stream, bool
            [N],
            losses: of its own training, where it is trained as well).
        """
        name, network = self.inputs[role], self.teachers[role]
        if isinstance(inputs, Tensor) or name not in inputs:
            given = "one input" if isinstance(inputs, Tensor) else ", ".join(inputs)
            raise ValueError(f"the {role} needs '{name}'; the data give {given}")
        with torch.set_grad_enabled(self.trained[role]):
            features, kwargs = network.extract_feat(inputs[name], data_samples=data_samples)
            if self.trained[role]:
                losses, logits = class_losses(network, features, kwargs, data_samples)
            else:
                losses, logits = {}, network.cls_head(features)
            z = network.cls_head.projection(features)
        return dict(z=z, logits=logits, present=stream_present(inputs[name], name, data_samples), losses=losses)

    def unit(self, z: Tensor) -> Tensor:
        """Projected features at unit length, where the distance asks for it."""
        return F.normalize(z, dim=2) if self.distance in UNIT_LENGTH else z

    def distillation(self, features: Tensor, logits: Tensor, taught: dict, data_samples: list) -> dict[str, Tensor]:
        """The terms of Eq. 5 (or 6) and 7 with their weights, and what is logged beside them.

        Args:
            features: converted feature of the student, [N, C, T', H, W]. logits: [N, K]. taught: see
                :meth:`teach`.
        """
        target = self.student_inputs[0]
        project = self.projection or self.student.cls_head.projection
        converted = features if self.converter is None else self.converter(features)[0]
        z = self.unit(project(converted))
        spoken = {role: self.unit(t["z"]) for role, t in taught.items()}
        source = spoken if self.bidirectional else {role: z.detach() for role, z in spoken.items()}
        losses = {f"{name}_{role}": value for role, t in taught.items() for name, value in t["losses"].items()}
        both = torch.stack([t["present"] for t in taught.values()]).all(dim=0)

        def mean(each: Tensor, present: Tensor) -> Tensor:
            return torch.where(present, each, each.new_zeros(())).sum() / len(each)

        if self.beta > 0:
            each = feature_distance(source["teacher"], z, self.distance, self.reduction)
            losses[f"loss_kd_{self.inputs['teacher']}_{target}"] = self.beta * mean(each, taught["teacher"]["present"])
        if self.alpha > 0:
            learned = self.teachers["assistant"].cls_head.learned_fusion if self.fusion == "learned" else None
            if self.fusion == "learned" and learned is None:
                raise ValueError("fusion='learned' needs an assistant that was trained with cls_head.learned_fusion")
            fused = fuse(source.get("teacher"), source["assistant"], self.fusion, learned)
            each = feature_distance(fused, z, self.distance, self.reduction)
            needed = taught["assistant"]["present"] if self.fusion == "assistant" else both
            losses[f"loss_kd_fusion_{target}"] = self.alpha * mean(each, needed)
        if self.logit_weight > 0:
            teaching = torch.stack([t["logits"].detach() for t in taught.values()]).mean(dim=0)
            each = logit_distance(teaching, logits, self.temperature)
            losses["loss_kd_logit"] = self.logit_weight * mean(each, both)
        if self.trained.get("assistant") and "teacher" in taught and self.gamma > 0:
            each = feature_distance(source["teacher"], spoken["assistant"], self.distance, self.reduction)
            name = f"loss_kd_{self.inputs['teacher']}_{self.inputs['assistant']}"
            losses[name] = self.gamma * mean(each, both)
        head = self.student.cls_head
        if getattr(head, "learned_fusion", None) is not None and "teacher" in taught:
            fused_logits = head.learned_fusion.logits(source["teacher"], z.detach())
            losses["loss_fusion"] = F.cross_entropy(fused_logits, labels_of(data_samples, z.device))

        losses["kd_share"] = both.float().mean()
        if self.partners is None:  # the shuffled teacher lacks a partner for its first clips, no stream
            self.undistilled.update(clip_name(s) for s, ok in zip(data_samples, both.tolist(), strict=True) if not ok)
        labels, predicted = labels_of(data_samples, z.device), logits.argmax(dim=1)
        for role, t in taught.items():
            said = t["logits"].argmax(dim=1)
            losses[f"{role}_top1"] = (said == labels).float().mean()
            losses[f"{role}_agreement"] = (said == predicted).float().mean()
        return losses


def take_students_weights(
    distiller: CrossModalDistiller, state_dict: dict[str, Tensor], prefix: str, _metadata, strict: bool, *_
) -> None:
    """Load-state hook: a student's weights under a plain recognizer's names become the distiller's, with all that it
    has beside them left as it is.

    MMEngine's ``load_checkpoint`` would log that nothing fits and test random weights.

    Raises:
        ValueError: the weights are not those of the student, neither with nor without its prefix.
    """
    if prefix or not strict:
        return
    named = any(name.startswith(STUDENT) for name in state_dict)
    given = (
        {n[len(STUDENT) :]: v for n, v in state_dict.items() if n.startswith(STUDENT)} if named else dict(state_dict)
    )
    if line := first_difference(distiller.student.state_dict(), given):
        raise ValueError(
            f"the checkpoint is not of this distiller's student: {line}; test it "
            "with the config that it was trained with"
        )
    if not named:
        state_dict.clear()
        state_dict.update(distiller.state_dict())
        state_dict.update({STUDENT + name: value for name, value in given.items()})
