"""Contrastive representation distillation: the same clip against clips of other classes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from mtcd_plugin.models.losses.distillation import DistillationLoss, Outputs


@MODELS.register_module()
class ContrastiveDistillation(DistillationLoss):
    """Noise-contrastive estimation of which teacher's vector belongs to a student's vector, and the other way round.

    Tian, Krishnan and Isola, *Contrastive Representation Distillation* (ICLR 2020, arXiv 1910.10699), Eq. 17-19, with
    the normalisation of the authors' code: for N negatives and ``e(a, b) = exp(a . b / tau)`` of unit vectors,
    ``h = e / (e + N z)``, where z is the mean of e over the first batch; the loss of a clip is
    ``-log h(positive) - sum of log(1 - h(negative))``, once with the student as anchor and once with the teacher.

    Negatives come from a memory of both networks' embeddings of every clip seen so far, mixed with those of earlier
    epochs by ``momentum``. All of them that are of another class count (the authors draw 16384 at random). Gradients
    reach an anchor's embedding, never the memory.

    Args:
        student_channels, teacher_channels: of the vectors that the class layers see.
        channels: of the embedding, a linear layer scaled to unit length.
        temperature: tau. momentum: share of the earlier embedding.
    """

    def __init__(
        self,
        student_channels: int,
        teacher_channels: int,
        channels: int = 128,
        temperature: float = 0.07,
        momentum: float = 0.5,
        weight: float = 0.8,
    ) -> None:
        super().__init__(weight)
        self.embed_student = nn.Linear(student_channels, channels)
        self.embed_teacher = nn.Linear(teacher_channels, channels)
        self.temperature, self.momentum = temperature, momentum
        self.rows: dict[str, int] = {}  # clip -> its row of the memory
        self.labels = torch.zeros(0, dtype=torch.int64)
        self.memory = {side: torch.zeros(0, channels) for side in ("student", "teacher")}
        self.scale: dict[str, float] = {}  # z, by the side of the anchor

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor, clips: list[str]) -> dict[str, Tensor]:
        own = F.normalize(self.embed_student(student.vector().float()), dim=1)
        other = F.normalize(self.embed_teacher(teacher.vector().float()), dim=1)
        rows = self._remember(own.detach(), other.detach(), labels, clips)
        loss = self._noise_contrast("student", own, other.detach(), self.memory["teacher"], labels)
        loss = loss + self._noise_contrast("teacher", other, own.detach(), self.memory["student"], labels)
        return {"loss_kd": self.weight * loss, "memory": torch.tensor(float(len(rows)), device=labels.device)}

    def _noise_contrast(self, side: str, anchor: Tensor, positive: Tensor, memory: Tensor, labels: Tensor) -> Tensor:
        """Eq. 18 for anchors [N, D], their positives [N, D] and a memory [M, D]; a scalar."""
        near = ((anchor * positive).sum(dim=1) / self.temperature).exp()  # [N]
        far = (anchor @ memory.T / self.temperature).exp()  # [N, M]
        negative = labels[:, None] != self.labels[None]
        if not negative.any():
            return anchor.sum() * 0
        if side not in self.scale:
            self.scale[side] = torch.cat([near, far[negative]]).mean().item()
        noise = negative.sum(dim=1) * self.scale[side]  # N z, [N]
        share = noise.clamp(min=1e-12)[:, None] / (far + noise.clamp(min=1e-12)[:, None])  # 1 - h, [N, M]
        each = torch.log(near / (near + noise)) + torch.where(negative, share.log(), 0.0).sum(dim=1)
        return -each.mean()

    def _remember(self, own: Tensor, other: Tensor, labels: Tensor, clips: list[str]) -> dict[str, int]:
        """Put a batch's embeddings into the memory, which grows by the clips that are new."""
        device = labels.device
        known = torch.tensor([clip in self.rows for clip in clips], device=device)
        for clip in clips:
            self.rows.setdefault(clip, len(self.rows))
        rows = torch.tensor([self.rows[clip] for clip in clips], device=device)
        grown = len(self.rows) - len(self.labels)
        self.labels = torch.cat([self.labels.to(device), labels.new_zeros(grown)])
        self.labels[rows] = labels
        for side, new in (("student", own), ("teacher", other)):
            kept = self.memory[side].to(device)
            kept = torch.cat([kept, new.new_zeros(grown, new.shape[1])])
            share = self.momentum * known.to(new.dtype)[:, None]
            kept[rows] = F.normalize(share * kept[rows] + (1 - share) * new, dim=1)
            self.memory[side] = kept
        return self.rows

    def training_state(self) -> dict:
        memory = {side: kept.cpu().clone() for side, kept in self.memory.items()}
        return {"rows": dict(self.rows), "labels": self.labels.cpu().clone(), "memory": memory, "scale": {**self.scale}}

    def load_training_state(self, state: dict, device: torch.device) -> None:
        self.rows, self.scale = dict(state["rows"]), dict(state["scale"])
        self.labels = state["labels"].to(device)
        self.memory = {side: kept.to(device) for side, kept in state["memory"].items()}
