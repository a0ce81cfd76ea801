"""A device with room for few clips, named in a config's ``custom_imports`` as a class of another package would be."""

import torch
from mmaction.registry import MODELS

from mtcd_plugin.models.data_preprocessors.clip_data_preprocessor import ClipDataPreprocessor


@MODELS.register_module()
class TightMemory(ClipDataPreprocessor):
    """Runs out of memory in training with more than ``room`` clips at once."""

    def __init__(self, room: int, **kwargs) -> None:
        super().__init__(**kwargs)
        self.room = room

    def forward(self, data, training=False):
        if training and len(data["data_samples"]) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return super().forward(data, training)
