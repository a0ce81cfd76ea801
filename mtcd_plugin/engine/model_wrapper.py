"""Models with and without the wrapper of distributed training."""

from __future__ import annotations

from mmengine.model import BaseModel, is_model_wrapper


def unwrapped(model: BaseModel) -> BaseModel:
    """The model itself where it is wrapped (``DistributedDataParallel``), else the model."""
    return model.module if is_model_wrapper(model) else model
