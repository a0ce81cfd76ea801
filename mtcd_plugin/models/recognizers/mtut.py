"""MTUT: streams that learn from each other and can be tested alone (https://arxiv.org/abs/1812.06145)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor

from mtcd_plugin.models.epoch import current_epoch
from mtcd_plugin.models.losses.distances import mean_where
from mtcd_plugin.models.losses.ssa import READINGS, alignment
from mtcd_plugin.models.recognizers.joint import JointRecognizer, top1
from mtcd_plugin.models.recognizers.streams import build_streams


@MODELS.register_module()
class MTUT(JointRecognizer):
    """One recognizer per modality, each with its cross-entropy. From some epoch on, each learns from the others where
    they are better. Together they predict by the mean of their probabilities; one of them alone is a
    :class:`LateFusion` of one member with ``prefix='streams.<modality>.'``.

    Args:
        modalities: of the streams.
        stream: config of a recognizer, one of which is built for each modality.
        ssa: how the term is read, ``mmpose`` (as mmpose 0.x has it) or ``paper``, see :func:`alignment`.
        ssa_weight: lambda, its weight: 5e-3 in mmpose, 5e-2 in the paper.
        beta: how fast the term grows with the difference of the two losses, see :func:`focus`.
        cap: the most that a term with its weight counts for (mmpose), None for no limit.
        start_epoch: the first epoch with the term; 1 is the first of all.

    Losses: ``loss_cls_<modality>``, and ``loss_ssa_<from>_<to>`` for every ordered pair. ``top1_acc`` is of the mean.
    A clip that lacks a modality (a constant input) has no term of that stream, nor of a pair with it.
    """

    def __init__(
        self,
        stream: dict,
        modalities: Sequence[str] = ("rgb", "depth"),
        ssa: str = "mmpose",
        ssa_weight: float = 5e-3,
        beta: float = 2.0,
        cap: float | None = 10.0,
        start_epoch: int = 65,
        data_preprocessor: dict | None = None,
        init_cfg: dict | list | None = None,
    ) -> None:
        super().__init__(modalities, data_preprocessor, init_cfg)
        if ssa not in READINGS:
            raise ValueError(f"MTUT: ssa '{ssa}' is unknown; choose from {', '.join(READINGS)}")
        for name, value in (("ssa_weight", ssa_weight), ("beta", beta), ("cap", cap), ("start_epoch", start_epoch)):
            if value is not None and not value >= 0:
                raise ValueError(f"MTUT: {name}={value!r} must be 0 or more; set model.{name}")
        self.ssa, self.ssa_weight, self.beta, self.cap, self.start_epoch = ssa, ssa_weight, beta, cap, start_epoch
        self.streams = build_streams(self.modalities, stream, "MTUT")

    def logits(self, clips: dict[str, Tensor]) -> Tensor:
        """The logarithm of the mean of the streams' probabilities."""
        return mean_probability([self.streams[name].cls_head(self.features(name, x)) for name, x in clips.items()])

    def losses(self, clips: dict[str, Tensor], labels: Tensor) -> dict[str, Tensor]:
        present = {name: x.flatten(1).amax(dim=1) > x.flatten(1).amin(dim=1) for name, x in clips.items()}
        features = {name: self.features(name, x) for name, x in clips.items()}
        logits = {name: self.streams[name].cls_head(x) for name, x in features.items()}
        each = {name: F.cross_entropy(x, labels, reduction="none") for name, x in logits.items()}
        losses = {f"loss_cls_{name}": mean_where(x, present[name]) for name, x in each.items()}
        if current_epoch() + 1 >= self.start_epoch and self.ssa_weight > 0:
            for learner, source in permutations(self.modalities, 2):
                terms = alignment(features[learner], features[source], each[learner], each[source], self.beta, self.ssa)
                term = self.ssa_weight * mean_where(terms, present[learner] & present[source])
                losses[f"loss_ssa_{source}_{learner}"] = term if self.cap is None else term.clamp_max(self.cap)
        losses.update(top1(mean_probability(list(logits.values())), labels))
        return losses

    def features(self, name: str, clips: Tensor) -> Tensor:
        """A stream's feature map, [M, C, T', H', W']."""
        return self.streams[name].extract_feat(clips[:, None])[0]


def mean_probability(logits: Sequence[Tensor]) -> Tensor:
    """The logarithm of the mean of several networks' probabilities, from their logits [M, K]."""
    return torch.stack([x.log_softmax(dim=1) for x in logits]).logsumexp(dim=0) - math.log(len(logits))
