"""What a teacher and a student give for the same clips, and three ways to compare it: logits, hints, attention."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from mtcd_plugin.models.losses.distances import logit_distance


@dataclass(frozen=True)
class Outputs:
    """What a network gives for N clips.

    Attributes:
        logits: [N, K].
        feature: what its head sees, [N, C, T', H, W].
        layers: outputs of the modules that the loss names, [N, C, T', H, W] each.
    """

    logits: Tensor
    feature: Tensor
    layers: dict[str, Tensor] = field(default_factory=dict)

    def vector(self) -> Tensor:
        """The feature averaged over time and space, [N, C]: what the class layer sees."""
        return self.feature.mean(dim=(2, 3, 4))

    def rows(self, chosen: Tensor) -> Outputs:
        """The clips that are chosen (bool [N])."""
        layers = {name: x[chosen] for name, x in self.layers.items()}
        return replace(self, logits=self.logits[chosen], feature=self.feature[chosen], layers=layers)


class DistillationLoss(BaseModule):
    """A term between a student and a frozen teacher, for the distiller's ``distillation``.

    ``forward(student, teacher, labels, clips)`` gets the :class:`Outputs` of both for the same N >= 1 clips, their
    labels (int64 [N]) and names, and returns scalars by name; those whose name has ``loss`` in it are added. The
    teacher's outputs have no graph.

    Attributes:
        layers: dotted names of modules whose outputs are compared, the same in both networks.
    """

    layers: tuple[str, ...] = ()

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = _positive(type(self).__name__, "weight", weight)

    def training_state(self) -> dict:
        """State that is neither parameter nor buffer and that later steps depend on."""
        return {}

    def load_training_state(self, state: dict, device: torch.device) -> None:
        """Go on from what :meth:`training_state` gave."""


@MODELS.register_module()
class LogitDistillation(DistillationLoss):
    """``weight * tau^2 KL(softmax(teacher / tau) || softmax(student / tau))``, mean over clips.

    Hinton, Vinyals and Dean, *Distilling the Knowledge in a Neural Network* (arXiv 1503.02531), section 2. It is their
    weighted average with the cross-entropy where the distiller's ``class_weight`` is ``1 - weight``.

    Args:
        weight: of the term. temperature: tau.
    """

    def __init__(self, weight: float = 0.9, temperature: float = 4.0) -> None:
        super().__init__(weight)
        self.temperature = _positive("LogitDistillation", "temperature", temperature)

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor, clips: list[str]) -> dict[str, Tensor]:
        each = logit_distance(teacher.logits.float(), student.logits.float(), self.temperature)
        return {"loss_kd": self.weight * each.mean()}


@MODELS.register_module()
class HintDistillation(DistillationLoss):
    """``weight * 1/2 (teacher - r(student))^2`` of one layer, mean over clips, channels and positions.

    Romero et al., *FitNets* (arXiv 1412.6550), Eq. 3. r is the regressor: a 1 x 1 x 1 convolution (both maps have the
    same size here), batch normalisation and the ReLU that the teacher's layer ends with.

    Args:
        layer: the hint and guided layer, a module of both networks.
        student_channels, teacher_channels: of that layer.
    """

    def __init__(
        self, student_channels: int, teacher_channels: int, layer: str = "backbone.layer2", weight: float = 100.0
    ) -> None:
        super().__init__(weight)
        self.layers = (layer,)
        self.regressor = nn.Sequential(
            nn.Conv3d(student_channels, teacher_channels, 1, bias=False), nn.BatchNorm3d(teacher_channels), nn.ReLU()
        )

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor, clips: list[str]) -> dict[str, Tensor]:
        hint, guided = teacher.layers[self.layers[0]], student.layers[self.layers[0]]
        check_same_size(self.layers[0], hint, guided)
        return {"loss_kd": self.weight / 2 * F.mse_loss(self.regressor(guided), hint)}


@MODELS.register_module()
class AttentionTransfer(DistillationLoss):
    """``weight`` times the mean squared difference of unit-length attention maps, summed over layers.

    Zagoruyko and Komodakis, *Paying More Attention to Attention* (arXiv 1612.03928), Eq. 2 with
    ``F(A) = mean over channels of A^2`` and p = 2, as in the authors' code (szagoruyko/attention-transfer). A map
    covers time and space together.

    Args:
        layers: modules of both networks.
    """

    def __init__(
        self,
        layers: tuple[str, ...] = ("backbone.layer1", "backbone.layer2", "backbone.layer3", "backbone.layer4"),
        weight: float = 1000.0,
    ) -> None:
        super().__init__(weight)
        self.layers = tuple(layers)

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor, clips: list[str]) -> dict[str, Tensor]:
        total = student.logits.new_zeros((), dtype=torch.float32)
        for name in self.layers:
            own, other = student.layers[name], teacher.layers[name]
            check_same_size(name, other, own)
            total = total + (attention_map(own) - attention_map(other)).square().mean()
        return {"loss_kd": self.weight * total}


def attention_map(feature: Tensor) -> Tensor:
    """Mean of squares over channels, of unit length over all positions: [N, C, T', H, W] -> [N, T' H W]."""
    return F.normalize(feature.float().square().mean(dim=1).flatten(1), dim=1)


def check_same_size(layer: str, teacher: Tensor, student: Tensor) -> None:
    """Raise ValueError where two maps differ in time or space."""
    if teacher.shape[2:] != student.shape[2:]:
        raise ValueError(
            f"distillation at {layer}: the teacher's map is {list(teacher.shape[2:])} and the student's "
            f"{list(student.shape[2:])} (time, height, width); give both the same input size, or name another layer"
        )


def _positive(where: str, name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise ValueError(f"{where}: {name} must be a finite number > 0, got {value!r}; set model.distillation.{name}")
    return float(value)
