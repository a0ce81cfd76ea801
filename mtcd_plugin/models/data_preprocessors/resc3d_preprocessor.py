"""ResC3D's enhancement of frames, on the network's device."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmaction.registry import MODELS
from torch import Tensor

from mtcd_plugin.models.data_preprocessors.clip_data_preprocessor import ClipDataPreprocessor

SMALLEST_SPREAD = 1e-3  # of logarithms; one grey level is 4e-3 or more, rounding errors are 1e-6
SIGMAS = (15.0, 80.0, 250.0)  # the usual three scales of Retinex, in pixels


@MODELS.register_module()
class ResC3DPreprocessor(ClipDataPreprocessor):
    """:class:`ClipDataPreprocessor` after the filters of ResC3D (ICCVW 2017): Retinex for colour, a median for depth.

    Args:
        retinex: enhance every clip by :func:`multi_scale_retinex`.
        sigmas: its scales, in pixels.
        median: side of the window of :func:`median_filter` in pixels; 0 for no filter.
        kwargs: of :class:`ClipDataPreprocessor`.

    Without either it is :class:`ClipDataPreprocessor`. Frames are filtered as they come, so after the crop. Where a
    batch has several modalities all are filtered alike.
    """

    def __init__(self, retinex: bool = False, sigmas: Sequence[float] = SIGMAS, median: int = 0, **kwargs) -> None:
        super().__init__(**kwargs)
        if not sigmas or min(sigmas) <= 0:
            raise ValueError(f"sigmas={sigmas!r} must be one or more numbers of pixels above 0")
        if median != 0 and (median < 3 or median % 2 == 0):
            raise ValueError(f"median={median!r} must be an odd number of pixels from 3 on, or 0 for no filter")
        self.retinex = retinex
        self.sigmas = tuple(sigmas)
        self.median = median

    def preprocess(self, clips: Sequence[Tensor] | Tensor, modality: str = "") -> Tensor:
        """One modality of a batch: see :class:`ClipDataPreprocessor` for shapes."""
        if self.median:
            clips = [median_filter(clip, self.median) for clip in clips]  # clip by clip, for memory's sake
        if self.retinex:
            clips = [multi_scale_retinex(clip, self.sigmas) for clip in clips]
        return super().preprocess(clips, modality)


def multi_scale_retinex(clip: Tensor, sigmas: Sequence[float] = SIGMAS) -> Tensor:
    """Each pixel's brightness beside that of its surroundings, which takes the illumination out
    (multi-scale Retinex, Jobson et al., IEEE TIP 1997).

    R = mean over sigma of log(1 + I) - log(1 + G_sigma * I), each channel of each frame by itself; then the whole
    clip is stretched to 0..255, with one minimum and maximum for all of it, so that nothing flickers.

    Args:
        clip: grey levels of 0..255, ``[..., H, W]``. At the edges G is that part of the Gaussian which is inside.
        sigmas: standard deviations in pixels.

    Returns:
        float32 of the same shape; a constant clip becomes all zeros.
    """
    with torch.autocast(clip.device.type, enabled=False):  # half precision has no room for differences of logarithms
        frames = clip.to(torch.float32)
        height, width = frames.shape[-2:]
        surround = torch.zeros_like(frames)
        for sigma in sigmas:
            rows, columns = (_gaussian(n, sigma, frames.device) for n in (height, width))
            surround += (rows @ frames @ columns.T).log1p_()
        ratio = frames.log1p() - surround / len(sigmas)
        low, high = torch.aminmax(ratio)
        spread = high - low
        return (ratio - low) * torch.where(spread > SMALLEST_SPREAD, 255 / spread, 0)


def _gaussian(n: int, sigma: float, device: torch.device) -> Tensor:
    """Blurs an axis of n pixels: row i holds the weights of all pixels for pixel i, whose sum is 1."""
    place = torch.arange(n, dtype=torch.float32, device=device)
    weights = torch.exp(-((place[:, None] - place) ** 2) / (2 * sigma**2))
    return weights / weights.sum(dim=1, keepdim=True)


def median_filter(frames: Tensor, size: int) -> Tensor:
    """The median of the ``size`` x ``size`` pixels around each pixel, as ``cv2.medianBlur``: edges are repeated.

    Args:
        frames: ``[..., H, W]``, any real type. size: odd, in pixels.

    Returns:
        The same shape and type.
    """
    height, width = frames.shape[-2:]
    half = size // 2
    rows, columns = (torch.arange(-half, n + half, device=frames.device).clamp(0, n - 1) for n in (height, width))
    padded = frames.index_select(-2, rows).index_select(-1, columns)
    window = [padded[..., y : y + height, x : x + width] for y in range(size) for x in range(size)]
    # Of more than half of all values the least and the greatest are not the median. Sorting takes ten times as long.
    kept = size * size // 2 + 2
    planes, rest = window[:kept], window[kept:]
    while True:
        planes = _without_extremes(planes)
        if not rest:
            return planes[0]
        planes.append(rest.pop())


def _without_extremes(planes: list[Tensor]) -> list[Tensor]:
    """Three or more planes, without the least and the greatest value at each pixel."""
    least, *others = planes
    for i, plane in enumerate(others):
        others[i], least = torch.maximum(least, plane), torch.minimum(least, plane)
    *others, greatest = others
    for i, plane in enumerate(others):
        others[i], greatest = torch.minimum(greatest, plane), torch.maximum(greatest, plane)
    return others
