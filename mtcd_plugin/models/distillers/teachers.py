"""The networks that teach: which of them a distiller needs, and what they give for a batch."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

ROLES = ("teacher", "assistant")


@dataclass
class TeacherOutput:
    """What a network that teaches gives for a batch of N clips.

    Attributes:
        z: projected feature, [N, P, D].
        logits: [N, K].
        present: which clips have the network's modality, bool [N].
        losses: of its own training, where it is trained in the same job.
    """

    z: Tensor
    logits: Tensor
    present: Tensor
    losses: dict[str, Tensor] = field(default_factory=dict)


def needed_roles(teachers: dict, alpha: float, beta: float, fusion: str, logit_weight: float) -> list[str]:
    """The roles that a term with a weight > 0 needs, and those that are trained (``train=True``),
    in the order of ``ROLES``.

    Raises:
        ValueError: an unknown role, or one that is needed and not given.
    """
    if unknown := sorted(set(teachers) - set(ROLES)):
        raise ValueError(f"CrossModalDistiller: teachers '{unknown[0]}' is unknown; choose from {', '.join(ROLES)}")
    needed = set()
    if alpha > 0:
        needed.add("assistant")
    if beta > 0 or (alpha > 0 and fusion != "assistant"):
        needed.add("teacher")
    if logit_weight > 0:
        needed |= set(teachers)
    needed |= {role for role in teachers if teachers[role].get("train", False)}
    if missing := sorted(needed - set(teachers)):
        raise ValueError(
            f"CrossModalDistiller: alpha={alpha}, beta={beta}, fusion='{fusion}' need "
            f"teachers.{missing[0]}, which the config does not give"
        )
    return [role for role in ROLES if role in needed]


def all_present(outputs: dict[str, TeacherOutput]) -> Tensor:
    """Which clips have the modalities of all networks that teach, bool [N]."""
    return torch.stack([output.present for output in outputs.values()]).all(dim=0)


def teacher_scalars(outputs: dict[str, TeacherOutput], logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """What is logged beside the losses: per role ``<role>_top1``, the share of clips that it gets right, and
    ``<role>_agreement``, the share for which it predicts what the student predicts.

    Args:
        logits: of the student, [N, K]. labels: int64 [N].
    """
    predicted = logits.argmax(dim=1)
    scalars = {}
    for role, output in outputs.items():
        classes = output.logits.argmax(dim=1)
        scalars[f"{role}_top1"] = (classes == labels).float().mean()
        scalars[f"{role}_agreement"] = (classes == predicted).float().mean()
    return scalars
