"""Saliency maps in the place of frames, on the network's device."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor

from mtcd_plugin.models.data_preprocessors.clip_data_preprocessor import ClipDataPreprocessor

BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)  # the 5 x 5 approximation of a Gaussian
TO_XYZ = (  # of linear sRGB, each row divided by the white point D65
    (0.412453 / 0.950456, 0.357580 / 0.950456, 0.180423 / 0.950456),
    (0.212671, 0.715160, 0.072169),
    (0.019334 / 1.088754, 0.119193 / 1.088754, 0.950227 / 1.088754),
)
SMALLEST_SPREAD = 1e-3  # of saliency; one grey level is 1, or 0.3 in Lab


@MODELS.register_module()
class SaliencyPreprocessor(ClipDataPreprocessor):
    """:class:`ClipDataPreprocessor` of each clip's saliency maps (:func:`saliency`), the saliency stream of 3DDSN.

    Args:
        kwargs: of :class:`ClipDataPreprocessor`.

    Frames are taken as they come, so after the crop. Where a batch has several modalities all become saliency maps.
    """

    def preprocess(self, clips: Sequence[Tensor] | Tensor, modality: str = "") -> Tensor:
        """One modality of a batch: see :class:`ClipDataPreprocessor` for shapes."""
        return super().preprocess([saliency(clip) for clip in clips], modality)


def saliency(clip: Tensor) -> Tensor:
    """Frequency-tuned saliency (Achanta et al., CVPR 2009): how far each pixel of the blurred frame is from the
    frame's mean colour. In Lab for colour, in grey levels for one channel.

    Args:
        clip: RGB or grey, 0..255, ``[V, 3 or 1, T, H, W]`` with H and W from 3 on.

    Returns:
        float32 ``[V, 1, T, H, W]`` of 0..255, scaled by minimum and maximum of the whole clip, so that nothing
        flickers; a clip whose frames are constant becomes all zeros.
    """
    with torch.autocast(clip.device.type, enabled=False):
        frames = clip.to(torch.float32)
        if frames.shape[1] == 3:
            frames = lab(frames)
        mean = frames.mean(dim=(3, 4), keepdim=True)
        # torch.linalg.vector_norm takes 30 times as long over channels.
        distance = (blurred(frames) - mean).square().sum(dim=1, keepdim=True).sqrt()
        low, high = torch.aminmax(distance)
        spread = high - low
        return (distance - low) * torch.where(spread > SMALLEST_SPREAD, 255 / spread, 0)


def blurred(frames: Tensor) -> Tensor:
    """Frames ``[V, C, T, H, W]`` under the 5 x 5 binomial filter; edges are mirrored as OpenCV does."""
    flat = frames.flatten(0, 2)[:, None]
    kernel = torch.tensor(BINOMIAL, device=frames.device)
    flat = F.pad(flat, (2, 2, 2, 2), mode="reflect")
    flat = F.conv2d(F.conv2d(flat, kernel.view(1, 1, 5, 1)), kernel.view(1, 1, 1, 5))
    return flat.view(frames.shape)


def lab(rgb: Tensor) -> Tensor:
    """sRGB of 0..255, ``[V, 3, ...]``, in CIE L*a*b* (D65): L of 0..100."""
    x = rgb / 255
    linear = torch.where(x > 0.04045, ((x + 0.055) / 1.055) ** 2.4, x / 12.92)
    xyz = torch.einsum("ij,vj...->vi...", torch.tensor(TO_XYZ, device=rgb.device), linear)
    f = torch.where(xyz > 0.008856, xyz.clamp_min(1e-6) ** (1 / 3), 7.787 * xyz + 16 / 116)
    fx, fy, fz = f.unbind(1)
    return torch.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], dim=1)
