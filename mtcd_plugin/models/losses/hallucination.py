"""Hallucination: a student whose features become those of a teacher on another modality."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn
from torch.func import functional_call

from mtcd_plugin.models.losses.distillation import DistillationLoss, Outputs, check_same_size


@MODELS.register_module()
class HallucinationDistillation(DistillationLoss):
    """Soft labels, and the squared difference of the features that the heads see, each through a sigmoid.

    Garcia, Morerio and Murino, *Modality Distillation with Multiple Stream Networks for Action Recognition* (ECCV 2018,
    arXiv 1806.07110), third step, with the weights of the authors' code (ncgarcia/modality-distillation): the whole
    loss is ``0.5 (0.5 CE + 0.5 soft CE) + 0.5 * 0.01 * sum of (sigmoid(teacher) - sigmoid(student))^2``, so that the
    distiller's ``class_weight`` is 0.25. The sum is over channels and positions of a clip, and its mean over clips is
    taken (the code sums over the batch too).

    Args:
        soft_weight: of the cross-entropy with the teacher's probabilities, both at ``temperature``.
        feature_weight: of the squared difference.
    """

    def __init__(
        self, temperature: float = 10.0, soft_weight: float = 0.25, feature_weight: float = 0.005, weight: float = 1.0
    ) -> None:
        super().__init__(weight)
        self.temperature, self.soft_weight, self.feature_weight = temperature, soft_weight, feature_weight

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor, clips: list[str]) -> dict[str, Tensor]:
        check_same_size("the last feature", teacher.feature, student.feature)
        told = (teacher.logits.float() / self.temperature).softmax(dim=1)
        soft = F.cross_entropy(student.logits.float() / self.temperature, told)
        apart = (teacher.feature.float().sigmoid() - student.feature.float().sigmoid()).square().flatten(1).sum(dim=1)
        return {
            "loss_kd_soft": self.weight * self.soft_weight * soft,
            "loss_kd_feature": self.weight * self.feature_weight * apart.mean(),
        }


@MODELS.register_module()
class AdversarialDistillation(DistillationLoss):
    """A discriminator tells the classes of the teacher's features, and the student's features as one class more; the
    student's features are trained to be taken for the teacher's of their own class.

    Garcia, Morerio and Murino, *Learning with Privileged Information via Adversarial Discriminative Modality
    Distillation* (TPAMI 2019, arXiv 1810.08437), second stage. The discriminator is that of the authors' code
    (pmorerio/admd): layers of 256, 128 and K + 1 with slopes of 0.2 between them, on the feature of each step in time,
    pooled over space, with the step's number as a one-hot vector beside it.

    Both sides are trained in the same step, the discriminator on detached features, the student with the
    discriminator's weights held.

    Args:
        weight: of the student's term. The authors have no other loss in this stage and start from the teacher's
            weights.
        channels: of the features, the same in both networks.
        num_classes: K. steps: T' of the features.
    """

    def __init__(self, channels: int, num_classes: int, steps: int, weight: float = 1.0) -> None:
        super().__init__(weight)
        self.steps, self.fake = steps, num_classes
        self.discriminator = nn.Sequential(
            nn.Linear(channels + steps, 256),
            nn.LeakyReLU(0.2),
            nn.Linear(256, 128),
            nn.LeakyReLU(0.2),
            nn.Linear(128, num_classes + 1),
        )

    def init_weights(self) -> None:
        """Xavier's for the weights, 0 for biases, as the authors'."""
        for module in self.discriminator:
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor, clips: list[str]) -> dict[str, Tensor]:
        check_same_size("the last feature", teacher.feature, student.feature)
        own, other = self._by_step(student.feature), self._by_step(teacher.feature)
        real = labels[:, None].expand(-1, self.steps).flatten()
        told = self.discriminator(torch.cat([other.detach(), own.detach()]))
        targets = torch.cat([real, torch.full_like(real, self.fake)])
        held = {name: p.detach() for name, p in self.discriminator.named_parameters()}
        taken_for = functional_call(self.discriminator, held, (own,))
        return {
            "loss_kd": self.weight * F.cross_entropy(taken_for, real),
            "loss_discriminator": F.cross_entropy(told, targets),  # the mean of both halves, as theirs
            "discriminator_top1": (told.argmax(dim=1) == targets).float().mean(),
        }

    def _by_step(self, feature: Tensor) -> Tensor:
        """[N, C, T', H, W] -> [N T', C + T'], with the number of the step."""
        pooled = feature.float().mean(dim=(3, 4)).transpose(1, 2)  # [N, T', C]
        if pooled.shape[1] != self.steps:
            raise ValueError(
                f"AdversarialDistillation: features have {pooled.shape[1]} steps in time, not {self.steps}; "
                "set model.distillation.steps"
            )
        step = torch.eye(self.steps, device=pooled.device).expand(len(pooled), -1, -1)
        return torch.cat([pooled, step], dim=2).flatten(0, 1)
