"""A backbone of several modalities and a class layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor

from mtcd_plugin.models.recognizers.joint import JointRecognizer, top1
from mtcd_plugin.models.recognizers.streams import LOSS_OF_A_HEAD


@MODELS.register_module()
class JointBackboneRecognizer(JointRecognizer):
    """Recognizer3D for a backbone that takes modality -> clip; trained by cross-entropy.

    Args:
        backbone: config. cls_head: config of a head of MMAction2, which gives its class scores.
        modalities, data_preprocessor, init_cfg: as :class:`JointRecognizer`.

    Raises:
        ValueError: the head has a loss of its own, or another mean over views, neither of which would be used.
    """

    def __init__(self, backbone: dict, cls_head: dict, modalities: Sequence[str] = ("rgb", "depth"), **kwargs) -> None:
        super().__init__(modalities, **kwargs)
        unused = [key for key in LOSS_OF_A_HEAD if key in cls_head]
        if cls_head.get("average_clips", "prob") != "prob":
            unused.append("average_clips")
        if unused:
            raise ValueError(
                f"JointBackboneRecognizer: model.cls_head.{unused[0]} has no effect: its loss is cross-entropy, and it "
                "predicts the mean of probabilities; leave it out"
            )
        self.backbone = MODELS.build(backbone)
        self.cls_head = MODELS.build(cls_head)

    def logits(self, clips: dict[str, Tensor]) -> Tensor:
        return self.cls_head(self.backbone(clips)).float()

    def losses(self, clips: dict[str, Tensor], labels: Tensor) -> dict[str, Tensor]:
        scores = self.logits(clips)
        return {**top1(scores, labels), "loss_cls": F.cross_entropy(scores, labels)}
