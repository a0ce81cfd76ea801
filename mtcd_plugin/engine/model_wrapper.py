"""Models with and without the wrapper of distributed training."""

from __future__ import annotations

from mmengine.model import is_model_wrapper
from torch import nn


def unwrapped(model: nn.Module) -> nn.Module:
    """The model itself where it is wrapped (``DistributedDataParallel``), else the model."""
    return model.module if is_model_wrapper(model) else model
