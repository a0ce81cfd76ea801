"""Translators that learn nothing: the controls of the trained one."""

from __future__ import annotations

import math

import torch
from mmaction.registry import MODELS
from torch import Tensor

from mtcd_plugin.models.translators.base import Translator

KINDS = ("luminance", "inverted", "gamma", "random")


@MODELS.register_module()
class TrivialTranslator(Translator):
    """Pseudo-infrared without training.

    Args:
        kind: ``luminance`` Y of BT.601; ``inverted`` 1 - Y; ``gamma`` Y^g with the frame's mean at 0.4;
            ``random`` a generator with random weights (seed 0).
        generator: config of that generator; it is made grey.
    """

    def __init__(self, kind: str = "luminance", generator: dict | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        if kind not in KINDS:
            raise ValueError(f"TrivialTranslator: kind '{kind}' is unknown; choose from {', '.join(KINDS)}")
        self.kind = kind
        if kind == "random":
            with torch.random.fork_rng():
                torch.manual_seed(0)
                self.generator = MODELS.build({**(generator or dict(type="ResNetGenerator")), "gray": True})
                self.generator.init_weights()

    def init_weights(self) -> None:
        """Nothing to initialise: the random generator is fixed."""

    def generate(self, images: Tensor) -> Tensor:
        """float [N, 3, H, W] in [0, 1] -> the same, grey."""
        if self.kind == "random":
            return self.generator(images)
        weights = images.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
        y = (images * weights).sum(dim=1, keepdim=True)
        if self.kind == "inverted":
            y = 1 - y
        elif self.kind == "gamma":
            mean = y.mean(dim=(1, 2, 3), keepdim=True).clamp(1e-4, 0.999)
            y = y.clamp_min(1e-6) ** (math.log(0.4) / mean.log()).clamp(max=1.0)
        return y.expand(-1, 3, -1, -1)
