"""Training accuracy counted on the device of the scores.

MMAction2's heads count it in NumPy, for which each step waits until the device has computed its scores.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from mmaction.models.heads import BaseHead
from torch import Tensor, nn
from torch.nn import functional as F


def count_on_device(model: nn.Module) -> None:
    """Make a model's heads count training accuracy where their scores are; those with a loss of their own keep it."""
    for module in model.modules():
        if isinstance(module, BaseHead) and type(module).loss_by_feat is BaseHead.loss_by_feat:
            module.loss_by_feat = MethodType(loss_by_feat, module)


def loss_by_feat(head: BaseHead, scores: Tensor, data_samples: list) -> dict[str, Any]:
    """As ``BaseHead.loss_by_feat``: the same loss, and the same accuracies but for ties."""
    labels = torch.stack([sample.gt_label for sample in data_samples]).to(scores.device).squeeze()
    soft = labels.numel() == scores.numel() and labels.shape[-1:] == scores.shape[-1:]
    labels = labels.reshape(scores.shape if soft else -1)
    losses: dict[str, Any] = {}
    if not soft:
        losses = {f"top{k}_acc": top_k(scores.detach(), labels, k) for k in head.topk}
    if head.label_smooth_eps:
        hard = labels if soft else F.one_hot(labels, num_classes=head.num_classes)
        labels = (1 - head.label_smooth_eps) * hard + head.label_smooth_eps / head.num_classes
    loss = head.loss_cls(scores, labels)
    return losses | (loss if isinstance(loss, dict) else {"loss_cls": loss})


def top_k(scores: Tensor, labels: Tensor, k: int) -> Tensor:
    """Share of clips whose label is among the ``k`` highest scores, the lowest numbers first among equals (as
    ``mtcd_plugin.accuracy.among_top``): float64 scalar. ``scores`` float [N, K], ``labels`` int [N].
    """
    own = scores.gather(1, labels[:, None])
    before = torch.arange(scores.shape[1], device=scores.device) < labels[:, None]
    rank = ((scores > own) | ((scores == own) & before)).sum(dim=1)
    return (rank < k).double().mean()
