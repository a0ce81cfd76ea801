"""Several students side by side in one job, sharing all that does not depend on a student."""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import TYPE_CHECKING

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapperDict
from torch import nn

from mtcd_plugin.models.distillers.cross_modal_distiller import CrossModalDistiller

if TYPE_CHECKING:
    from collections.abc import MutableSequence

    from mmaction.utils import OptSampleList

SHARED = ("student", "student_input", "teachers", "data_preprocessor")  # what the points have in common


@MODELS.register_module()
class FusedSweepDistiller(BaseModel):
    """One :class:`CrossModalDistiller` per point of a sweep, trained on the same batches.

    Decoding, augmentation, preprocessing (a translator on the fly included) and the forward passes of teacher and
    assistant are done once per batch. Each student has weights, T_s, optimizer and gradient clipping of its own and is
    trained one after the other within a step, so that activations of one student at a time are kept. Every point starts
    from the random state of a run of its own and draws the same dropout masks: results equal those of separate runs.

    Args:
        base: config of the distiller without its data preprocessor.
        points: arguments of the distiller that differ, one dict per point, e.g. ``[dict(alpha=0.0), dict(beta=0.6)]``.
            What all points share cannot be among them: the student, its input, the teachers.

    ``predict``: each data sample gets ``sweep_scores``, float [points, K].
    """

    def __init__(self, base: dict, points: list[dict], data_preprocessor: dict | None = None, init_cfg=None) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        if not points:
            raise ValueError("FusedSweepDistiller: points is empty")
        for point in points:
            if shared := sorted(set(point) & set(SHARED)):
                raise ValueError(f"FusedSweepDistiller: '{shared[0]}' is shared by all points and cannot differ")
        if trained := [r for r, t in base["teachers"].items() if t.get("train")]:
            raise ValueError(f"FusedSweepDistiller: the {trained[0]} is trained (train=True) and cannot be shared")
        teachers = {role: dict(given) for role, given in base["teachers"].items()}
        state = torch.get_rng_state()
        self.points: MutableSequence[CrossModalDistiller] = nn.ModuleList()  # type: ignore[assignment]  # modules are untyped
        for point in points:
            torch.set_rng_state(state)
            config = {
                **copy.deepcopy({k: v for k, v in base.items() if k not in ("type", "teachers")}),
                **point,
            }
            distiller = CrossModalDistiller(**config, teachers=teachers)
            for role in distiller.roles:  # built once, by the first point that needs it
                teachers[role]["model"] = distiller.teachers[role]
            self.points.append(distiller)
        self.first = {role: p for p in reversed(self.points) for role in p.roles}

    @property
    def checkpoint_meta(self) -> dict[str, dict]:
        """Role -> stage and training subjects, from its checkpoint."""
        return {role: point.checkpoint_meta.get(role, {}) for role, point in self.first.items()}

    @property
    def undistilled(self) -> set[str]:
        """Clips that some student was trained on without distillation."""
        return set().union(*(point.undistilled for point in self.points))

    def init_weights(self) -> None:
        state = torch.get_rng_state()
        for point in self.points:
            torch.set_rng_state(state)
            point.init_student()
        after = torch.get_rng_state()
        loaded: set[str] = set()
        for point in self.points:
            point.load_teachers([role for role in point.roles if role not in loaded])
            loaded |= set(point.roles)
        torch.set_rng_state(after)

    def train_step(self, data: dict, optim_wrapper: OptimWrapperDict) -> dict[str, torch.Tensor]:
        """One step of every student. Logged: ``point<i>/<name>`` for each, and their mean as ``loss``."""
        data = self.data_preprocessor(data, True)
        inputs, samples = data["inputs"], data["data_samples"]
        with torch.no_grad():
            teacher_outputs = {role: point.teacher_output(role, inputs, samples) for role, point in self.first.items()}
        log: OrderedDict[str, torch.Tensor] = OrderedDict()
        device = next(self.points[0].student.parameters()).device
        state = random_state(device)
        for i, point in enumerate(self.points):
            set_random_state(state, device)  # every student draws what it would draw in a run of its own
            wrapper = optim_wrapper[f"point{i}"]
            with wrapper.optim_context(point):
                own = {role: teacher_outputs[role] for role in point.roles}
                losses = point.student_loss(inputs, samples, own)
            total, names = point.parse_losses(losses)
            wrapper.update_params(total)
            log.update({f"point{i}/{name}": value.detach() for name, value in names.items()})
        mean = torch.stack([log[f"point{i}/loss"] for i in range(len(self.points))]).mean()
        return OrderedDict(loss=mean, **log)

    def training_state(self) -> list[dict]:
        """That of every point, see :class:`CrossModalDistiller`."""
        return [point.training_state() for point in self.points]

    def load_training_state(self, state: list[dict]) -> None:
        """Go on from what :meth:`training_state` gave."""
        for point, own in zip(self.points, state, strict=True):
            point.load_training_state(own)

    def forward(self, inputs, data_samples: OptSampleList = None, mode: str = "predict"):
        if mode != "predict":
            raise RuntimeError(f'Invalid mode "{mode}". A fused sweep trains by train_step and predicts')
        scores = []
        for point in self.points:
            predicted = point(inputs, data_samples, mode="predict")
            scores.append(torch.stack([sample.pred_score for sample in predicted]))
        for sample, each in zip(data_samples, torch.stack(scores, dim=1), strict=True):
            sample.set_field(each, "sweep_scores", dtype=torch.Tensor)
        return data_samples


def random_state(device: torch.device):
    """The state of the generators that dropout draws from."""
    return torch.get_rng_state(), torch.cuda.get_rng_state(device) if device.type == "cuda" else None


def set_random_state(state, device: torch.device) -> None:
    torch.set_rng_state(state[0])
    if state[1] is not None:
        torch.cuda.set_rng_state(state[1], device)
