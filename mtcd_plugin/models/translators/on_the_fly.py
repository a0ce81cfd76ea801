"""Modalities that are made from RGB while training, instead of being rendered before."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmaction.registry import MODELS
from torch import Tensor

from mtcd_plugin.models.data_preprocessors.clip_data_preprocessor import ClipDataPreprocessor
from mtcd_plugin.models.translators.base import Translator, frames_of
from mtcd_plugin.models.translators.low_light_enhance import low_light_enhance


@MODELS.register_module()
class Enhancer(Translator):
    """A "translator" that only brightens: RGB in, RGB out.

    Args:
        pre_enhance: see :func:`low_light_enhance`.
    """

    def __init__(self, pre_enhance: str = "stretch", **kwargs) -> None:
        super().__init__(pre_enhance=pre_enhance, **kwargs)

    def generate(self, images: Tensor) -> Tensor:
        """The images as they are."""
        return images

    @torch.no_grad()
    def translate(self, clips) -> list[Tensor]:
        """uint8 clips [1, 3, T, H, W] (a list, or stacked) -> the same, brighter and in colour."""
        brighter = [low_light_enhance(frames_of(clip[None]), self.pre_enhance)[0] for clip in clips]
        return [(x * 255).round().clamp(0, 255).to(torch.uint8).transpose(0, 1)[None] for x in brighter]


@MODELS.register_module()
class TranslatingPreprocessor(ClipDataPreprocessor):
    """:class:`ClipDataPreprocessor` with one more modality, made from RGB on the fly.

    Args:
        translator: config of a :class:`Translator`; it is frozen.
        target: name of the modality that is made. '' replaces the input itself, in training and testing
            alike.
        kwargs: of :class:`ClipDataPreprocessor`.

    In testing a ``target`` with a name is not made: a student predicts from its own modality.
    """

    def __init__(self, translator: dict, target: str = "pseudo_ir", **kwargs) -> None:
        super().__init__(**kwargs)
        self.translator = MODELS.build(translator).eval()
        self.translator.requires_grad_(False)
        self.target = target

    def forward(self, data: Mapping, training: bool = False) -> dict:
        data = dict(self.cast_data(data))
        inputs = data["inputs"]
        rgb = inputs["rgb"] if isinstance(inputs, Mapping) else inputs
        if not self.target:
            made = self.translator.translate(rgb)
            data["inputs"] = {**inputs, "rgb": made} if isinstance(inputs, Mapping) else made
        elif training:
            if not isinstance(inputs, Mapping):
                inputs = {"rgb": inputs}
            data["inputs"] = {**inputs, self.target: self.translator.translate(rgb)}
        return super().forward(data, training)
