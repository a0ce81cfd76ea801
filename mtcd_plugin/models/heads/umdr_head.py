"""The head of UMDR (https://arxiv.org/abs/2211.09146): a class layer for each branch, and losses with soft targets."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor

from mtcd_plugin.models.epoch import current_epoch
from mtcd_plugin.models.heads.branch_token_head import BranchTokenHead
from mtcd_plugin.models.heads.projected_head import labels_of
from mtcd_plugin.models.losses.soft_targets import soft_targets


@MODELS.register_module()
class UMDRHead(BranchTokenHead):
    """Classes from the tokens of UMDR's branches, trained with targets that may be mixed.

    Args:
        distillation_weight: of :func:`recoupling_loss`, 0 before epoch ``distillation_begin`` (the first is 0).
            Without it the authors trained on NvGesture.
        distillation_temperature, distillation_begin: of that loss.
        kwargs: of :class:`BranchTokenHead`.

    Input: what :class:`UMDR` gives. Output: the merged logits ``[N, num_classes]``.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 512,
        distillation_weight: float = 0.2,
        distillation_temperature: float = 0.6,
        distillation_begin: int = 6,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            num_classes,
            in_channels,
            distillation_weight=distillation_weight,
            distillation_temperature=distillation_temperature,
            distillation_begin=distillation_begin,
            **kwargs,
        )

    def loss(
        self, feats: tuple[Tensor, ...], data_samples: list, targets: Tensor | None = None, **kwargs: Any
    ) -> dict[str, Tensor]:
        """``loss_cls`` of the merged logits, ``loss_branches`` and ``loss_distillation``; ``top1_acc`` counts a clip
        that is mixed as the class with the larger part.

        Args:
            targets: float ``[N, num_classes]``, smoothed; None takes the samples' labels.
        """
        epoch = current_epoch()
        self.tau.fill_(self.tau_at(epoch))
        tokens, layers, vectors = feats
        if targets is None:
            targets = soft_targets(labels_of(data_samples, tokens.device), self.num_classes, self.label_smooth_eps)
        logits = self.branch_logits(tokens)
        merged = logits.amax(dim=1)
        each = [F.cross_entropy(x, targets) for x in logits.unbind(dim=1)]
        weight = self.distillation_weight if epoch >= self.distillation_begin else 0.0
        return {
            "top1_acc": (merged.argmax(dim=1) == targets.argmax(dim=1)).float().mean(),
            "loss_cls": F.cross_entropy(merged, targets),
            "loss_branches": self.branch_weight * torch.stack(each).sum(),
            "loss_distillation": weight * recoupling_loss(vectors, layers, self.distillation_temperature),
        }


def recoupling_loss(vectors: Tensor, tokens: Tensor, temperature: float) -> Tensor:
    """Cross-entropy between what the stages over space and the layers over time found, one by one; the mean of all.

    Gradients reach both, as in the authors' code.

    Args:
        vectors, tokens: float ``[N, stages, C]``. Softmax over C of ``tokens / temperature`` is the target.
    """
    target = (tokens.float() / temperature).softmax(dim=-1)
    return -(target * (vectors.float() / temperature).log_softmax(dim=-1)).sum(dim=-1).mean()
