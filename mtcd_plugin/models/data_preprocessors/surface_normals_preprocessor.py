"""Surface normals in the place of depth (D'Eusanio et al., 3DV 2020)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor

from mtcd_plugin.models.data_preprocessors.clip_data_preprocessor import ClipDataPreprocessor


@MODELS.register_module()
class SurfaceNormalsPreprocessor(ClipDataPreprocessor):
    """:class:`ClipDataPreprocessor` that turns depth into :func:`surface_normals`, which are not standardised.

    Args:
        format_shape: as there.

    Input: uint8 depth, of which the first channel counts. Output: the three components as channels.
    """

    def __init__(self, format_shape: str = "NCTHW") -> None:
        super().__init__(format_shape=format_shape)

    def preprocess(self, clips: Sequence[Tensor] | Tensor, modality: str = "") -> Tensor:
        """One modality of a batch: see :class:`ClipDataPreprocessor` for shapes."""
        batch = clips if isinstance(clips, Tensor) else torch.stack(list(clips))
        normals = surface_normals(batch[:, :, 0]).movedim(-1, 2)
        if self.format_shape == "NCHW":
            normals = normals.transpose(2, 3).flatten(1, 2)
        return normals.contiguous()


def surface_normals(depth: Tensor) -> Tensor:
    """Unit normals of surfaces in depth maps: ``(-d depth / dy, -d depth / dx, 1)`` by central differences, scaled to
    length 1; y counts rows. Where depth is 0 (not measured) the normal is 0. At the border of a map it looks along z.

    Args:
        depth: [..., H, W], any real type.

    Returns:
        float32 [..., H, W, 3].
    """
    depth = depth.to(torch.float32)
    down = F.pad(depth[..., :-2, 1:-1] - depth[..., 2:, 1:-1], (1, 1, 1, 1)) / 2
    right = F.pad(depth[..., 1:-1, :-2] - depth[..., 1:-1, 2:], (1, 1, 1, 1)) / 2
    normals = F.normalize(torch.stack((down, right, torch.ones_like(depth)), dim=-1), dim=-1)
    return normals * (depth != 0)[..., None]
