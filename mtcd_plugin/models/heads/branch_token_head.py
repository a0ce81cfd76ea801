"""The head of Decouple & Recouple: a class layer for each branch, and the losses."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmaction.models.heads import BaseHead
from mmaction.registry import MODELS
from torch import Tensor, nn

from mtcd_plugin.models.epoch import current_epoch
from mtcd_plugin.models.heads.projected_head import labels_of

AUTHORS_BATCH = 4  # clips on each of the authors' GPUs, over which their divergence is summed


def distillation_loss(tokens: Tensor, vector: Tensor, temperature: float) -> Tensor:
    """Divergence of the gates' vector from what the branches found, which gets no gradient.

    ``KL(softmax(mean token / temperature) || softmax(vector / temperature))``, summed over channels, 4 times the mean
    over clips: in batches of 4, the authors' sum (https://arxiv.org/abs/2112.09129).

    Args:
        tokens: ``[N, branches, C]``. vector: ``[N, C]``.
    """
    target = (tokens.detach().float().mean(dim=1) / temperature).log_softmax(dim=1)
    found = (vector.float() / temperature).log_softmax(dim=1)
    return AUTHORS_BATCH * F.kl_div(found, target, reduction="batchmean", log_target=True)


@MODELS.register_module()
class BranchTokenHead(BaseHead):
    """Classes from the tokens of Decouple & Recouple's branches (https://arxiv.org/abs/2112.09129, authors' code).

    Each branch has a norm and a linear layer, whose logits are divided by ``tau``; the largest of the branches' logits
    counts for each class. In training ``tau`` rises linearly over the first epochs; weights carry the last one.

    Args:
        num_classes, in_channels: K, and channels of a token.
        branches: number of them.
        tau: of the first epoch, and from ``tau_epochs`` on. tau_epochs: number of values, both of these included; 1
            for ``tau[1]`` throughout.
        branch_weight: of each branch's cross-entropy beside that of the merged logits.
        distillation_weight, distillation_temperature: of :func:`distillation_loss`; the weight is 0 before epoch
            ``distillation_begin`` (the first is 0).
        label_smooth_eps: smoothing of all cross-entropies. kwargs: of ``BaseHead``.

    Input: what :class:`DecoupleRecouple` gives. Output: the merged logits ``[N, num_classes]``.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 512,
        branches: int = 3,
        tau: tuple[float, float] = (0.04, 0.07),
        tau_epochs: int = 30,
        branch_weight: float = 0.5,
        distillation_weight: float = 1.0,
        distillation_temperature: float = 0.4,
        distillation_begin: int = 2,
        label_smooth_eps: float = 0.1,
        **kwargs,
    ) -> None:
        super().__init__(num_classes, in_channels, label_smooth_eps=label_smooth_eps, **kwargs)
        if min(*tau, distillation_temperature) <= 0 or tau_epochs < 1:
            raise ValueError(
                f"tau={tau} and distillation_temperature={distillation_temperature} of BranchTokenHead must be above "
                f"0, tau_epochs={tau_epochs} 1 or more"
            )
        self.fc_cls = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(in_channels), nn.Linear(in_channels, num_classes)) for _ in range(branches)
        )
        self.first_tau, self.last_tau, self.tau_epochs = *tau, tau_epochs
        self.register_buffer("tau", torch.tensor(float(self.last_tau)))
        self.branch_weight = branch_weight
        self.distillation_weight = distillation_weight
        self.distillation_temperature = distillation_temperature
        self.distillation_begin = distillation_begin

    def tau_at(self, epoch: int) -> float:
        """The divisor of the logits in an epoch; the first is 0."""
        passed = min(1.0, epoch / (self.tau_epochs - 1)) if self.tau_epochs > 1 else 1.0
        return self.first_tau + passed * (self.last_tau - self.first_tau)

    def branch_logits(self, tokens: Tensor) -> Tensor:
        """float32 ``[N, branches, num_classes]`` of ``[N, branches, in_channels]``."""
        logits = [layer(token) for layer, token in zip(self.fc_cls, tokens.unbind(dim=1), strict=True)]
        return torch.stack(logits, dim=1).float() / self.tau

    def forward(self, x: tuple[Tensor, Tensor], **kwargs) -> Tensor:
        """Merged logits; see the class."""
        return self.branch_logits(x[0]).amax(dim=1)

    def loss(self, feats: tuple[Tensor, Tensor], data_samples: list, **kwargs) -> dict[str, Tensor]:
        """``loss_cls`` of the merged logits, ``loss_branches`` and ``loss_distillation``; see the class."""
        epoch = current_epoch()
        self.tau.fill_(self.tau_at(epoch))
        tokens, vector = feats
        logits = self.branch_logits(tokens)
        losses = self.loss_by_feat(logits.amax(dim=1), data_samples)
        labels = labels_of(data_samples, logits.device)
        each = [F.cross_entropy(x, labels, label_smoothing=self.label_smooth_eps) for x in logits.unbind(dim=1)]
        losses["loss_branches"] = self.branch_weight * torch.stack(each).sum()
        weight = self.distillation_weight if epoch >= self.distillation_begin else 0.0
        losses["loss_distillation"] = weight * distillation_loss(tokens, vector, self.distillation_temperature)
        return losses
