"""Streams: one ordinary recognizer for each modality of a joint one."""

from __future__ import annotations

from collections.abc import Iterable

from mmaction.registry import MODELS
from mmengine.model import ModuleDict

LOSS_OF_A_HEAD = ("loss_cls", "loss_weight", "label_smooth_eps", "multi_class", "topk")


def build_streams(modalities: Iterable[str], stream: dict, owner: str) -> ModuleDict:
    """A recognizer of its own for each modality, all of one config.

    Raises:
        ValueError: the stream's head has a loss of its own, which ``owner`` would not use.
    """
    if unused := [key for key in LOSS_OF_A_HEAD if key in stream.get("cls_head", {})]:
        raise ValueError(
            f"{owner}: model.stream.cls_head.{unused[0]} has no effect: its loss is cross-entropy; leave it out"
        )
    return ModuleDict({name: MODELS.build(stream) for name in modalities})
