"""UMDR on two modalities: frozen streams, and CFCer on what they found (https://arxiv.org/abs/2211.09146)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import ModuleDict
from torch import Tensor

from mtcd_plugin.models.distillers.checkpoints import load_network
from mtcd_plugin.models.fusion.cross_fusion import CrossFusion, Pair
from mtcd_plugin.models.losses.soft_targets import soft_targets
from mtcd_plugin.models.recognizers.joint import JointRecognizer, top1
from mtcd_plugin.models.recognizers.mixing import mix_batch


@MODELS.register_module()
class UMDRFusion(JointRecognizer):
    """Two trained recognizers with a :class:`UMDR`, frozen and in eval mode; a :class:`CrossFusion` of them learns.

    It predicts by the mean of four logits, the streams' and those of the fusion's two sides.

    Args:
        stream: config of the recognizer that each modality's network is.
        fusion: arguments of :class:`CrossFusion` but ``num_classes``, ``frames`` and ``channels``, the stream's.
        modalities: two.
        init_from: modality -> checkpoint of a recognizer like ``stream``, trained on that modality alone.
        mixing: as of :class:`MixingRecognizer3D`; each modality is mixed by itself.
        label_smooth_eps: smoothing of targets.

    Losses: ``loss_cls_<modality>``. ``top1_acc`` is of the mean; a mixed clip counts as the class with the larger part.

    Raises ValueError, when weights are initialised, where a modality has no checkpoint to start from.
    """

    def __init__(
        self,
        stream: dict,
        fusion: dict | None = None,
        modalities: Sequence[str] = ("rgb", "depth"),
        init_from: Mapping[str, str] | None = None,
        mixing: dict[str, float] | None = None,
        label_smooth_eps: float = 0.1,
        data_preprocessor: dict | None = None,
        init_cfg: dict | list | None = None,
    ) -> None:
        super().__init__(modalities, data_preprocessor, init_cfg)
        if len(self.modalities) != 2:
            raise ValueError(f"UMDRFusion: modalities={list(modalities)} must name two")
        self.init_from = dict(init_from or {})
        if unknown := sorted(set(self.init_from) - set(self.modalities)):
            raise ValueError(f"UMDRFusion: init_from '{unknown[0]}' is none of {', '.join(self.modalities)}")
        self.mixing, self.label_smooth_eps = mixing, label_smooth_eps
        self.streams = ModuleDict({name: MODELS.build(stream) for name in self.modalities}).requires_grad_(False)
        network = self.streams[self.modalities[0]]
        self.num_classes = network.cls_head.num_classes
        self.fusion = CrossFusion(
            self.num_classes, network.backbone.frames, network.backbone.channels, **(fusion or {})
        )

    def init_weights(self) -> None:
        """Initialise the fusion, and load the streams."""
        super().init_weights()
        for name in self.modalities:
            if not self.init_from.get(name):
                raise ValueError(f"model.init_from.{name} is empty, and the stream is frozen: train that network first")
            load_network(self.streams[name], self.init_from[name], f"model.init_from.{name}")

    def train(self, mode: bool = True) -> UMDRFusion:
        super().train(mode)
        self.streams.eval()
        return self

    def logits(self, clips: dict[str, Tensor]) -> Tensor:
        return self._predicted(*self.all_logits(clips))

    def losses(self, clips: dict[str, Tensor], labels: Tensor) -> dict[str, Tensor]:
        plain = soft_targets(labels, self.num_classes, self.label_smooth_eps)
        mixed = {name: (clips[name], plain) for name in self.modalities}
        if self.mixing is not None:
            mixed = {name: mix_batch(clip, target, **self.mixing) for name, (clip, target) in mixed.items()}
        alone, fused = self.all_logits({name: clip for name, (clip, _) in mixed.items()})
        targets = [target for _, target in mixed.values()]
        losses = {
            f"loss_cls_{name}": F.cross_entropy(logits, target)
            for name, logits, target in zip(self.modalities, fused, targets, strict=True)
        }
        return {**losses, **top1(self._predicted(alone, fused), (targets[0] + targets[1]).argmax(dim=1))}

    def all_logits(self, clips: dict[str, Tensor]) -> tuple[Pair, Pair]:
        """The logits of the streams, and of the fusion's sides: pairs of ``[M, K]``."""
        with torch.no_grad():
            first, second = (self._stream(self.streams[name], clips[name]) for name in self.modalities)
        features, tokens, alone = zip(first, second, strict=True)
        return alone, self.fusion(features, tokens)

    @staticmethod
    def _stream(network, clip: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features of the frames, the mean of the branches' tokens, logits."""
        features, _ = network.backbone.spatial(clip)
        tokens = network.backbone.temporal(features)[:, :, -1]
        return features, tokens.mean(dim=1), network.cls_head((tokens,))

    @staticmethod
    def _predicted(alone: Pair, fused: Pair) -> Tensor:
        return torch.stack([*alone, *fused]).mean(dim=0)
