"""What every translator can do: RGB clips in, pseudo-infrared clips out."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import torch
from mmengine.model import BaseModel
from torch import Tensor

from mtcd_plugin.models.translators.low_light_enhance import ENHANCEMENTS, check_enhancement, low_light_enhance

if TYPE_CHECKING:
    from mmaction.utils import OptSampleList

CHUNK = 32  # frames that are translated at once


def frames_of(clips) -> Tensor:
    """uint8 clips [1, C, T, H, W] as a list, or stacked [N, 1, C, T, H, W] -> float [N, T, 3, H, W] in [0, 1]."""
    batch = clips if isinstance(clips, Tensor) else torch.stack(list(clips))
    frames = batch[:, 0].transpose(1, 2).float() / 255
    return frames.expand(-1, -1, 3, -1, -1)


class Translator(BaseModel):
    """RGB to pseudo-infrared, frame by frame.

    Args:
        pre_enhance: brightening of the input, see :func:`low_light_enhance`. It is saved with the weights.
    """

    def __init__(self, pre_enhance: str = "none", data_preprocessor: dict | None = None, init_cfg=None) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.pre_enhance = check_enhancement(pre_enhance)
        self.register_buffer("enhancement", torch.tensor(ENHANCEMENTS.index(pre_enhance)))

    def prepare(self) -> None:
        """Called before anything is translated."""

    @abstractmethod
    def generate(self, images: Tensor) -> Tensor:
        """float [N, 3, H, W] in [0, 1] -> the same, grey."""

    @torch.no_grad()
    def translate(self, clips) -> list[Tensor]:
        """Pseudo-infrared of a batch: uint8 clips [1, 3, T, H, W] (a list, or stacked) -> uint8 [1, 1, T, H,
        W] each.

        Deterministic: eval mode, no augmentation, one factor of brightness per clip.
        """
        self.prepare()
        training, out = self.training, []
        self.eval()
        for clip in clips:
            frames = low_light_enhance(frames_of(clip[None]), self.pre_enhance)[0]  # [T, 3, H, W]
            gray = torch.cat([self.generate(part)[:, :1] for part in frames.split(CHUNK)])  # [T, 1, H, W]
            out.append((gray * 255).round().clamp(0, 255).to(torch.uint8).transpose(0, 1)[None])
        self.train(training)
        return out

    def forward(self, inputs, data_samples: OptSampleList = None, mode: str = "predict"):
        """``predict``: each data sample gets ``pseudo_ir``, uint8 [1, 1, T, H, W]; ``tensor``: the list of them."""
        clips = inputs["rgb"] if isinstance(inputs, dict) else inputs
        translated = self.translate(clips)
        if mode == "tensor":
            return translated
        if mode != "predict":
            raise RuntimeError(
                f'Invalid mode "{mode}". A translator supports predict and tensor; it trains by train_step'
            )
        for sample, clip in zip(data_samples, translated, strict=True):
            sample.set_field(clip, "pseudo_ir", dtype=Tensor)
        return data_samples
