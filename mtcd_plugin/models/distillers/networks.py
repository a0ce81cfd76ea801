"""What a distiller does with the networks that it contains."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

from mtcd_plugin.models.heads.projected_head import ProjectedHead

if TYPE_CHECKING:
    from mmengine.model import BaseModel


def check_weight(name: str, value: float) -> float:
    """A finite weight >= 0, or one clear line."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise ValueError(f"CrossModalDistiller: {name} must be a finite number >= 0, got {value!r}; set model.{name}")
    return float(value)


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> str:
    """One of the choices, or one clear line."""
    if value not in choices:
        raise ValueError(f"CrossModalDistiller: {name} '{value}' is unknown; choose from {', '.join(choices)}")
    return value


def build_once(model: dict | nn.Module) -> BaseModel:
    """A network from its config; one that is built already stays what it is (a sweep shares its teachers)."""
    return model if isinstance(model, nn.Module) else MODELS.build(model)


def class_losses(network: BaseModel, features: Tensor, kwargs: dict, data_samples: list) -> tuple[dict, Tensor]:
    """The losses of an ordinary recognizer from its converted features, and its logits [N, K]."""
    head = network.cls_head
    logits = head(features, **kwargs)
    losses = head.loss_by_feat(logits, data_samples)
    if isinstance(head, ProjectedHead):
        losses.update(head.projection_loss(features, data_samples))
    losses.update(kwargs.get("loss_aux", {}))
    return losses, logits


def stream_present(x: Tensor, name: str, data_samples: list) -> Tensor:
    """Which clips have the stream: bool [N]. A constant clip carries nothing and counts as missing."""
    flat = x.flatten(1)
    there = flat.amax(dim=1) > flat.amin(dim=1)
    listed = [name not in sample.metainfo.get("missing", ()) for sample in data_samples]
    return there & torch.tensor(listed, device=x.device)


def clip_name(sample) -> str:
    """How a clip is called in messages."""
    return str(sample.metainfo.get("clip_id", sample.metainfo.get("filename", "?")))
