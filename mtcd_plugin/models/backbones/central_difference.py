"""3D central difference convolutions (Yu et al., IEEE TIP 2021, https://arxiv.org/abs/2008.09412)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

# Kind -> share of the differences that its authors use.
THETAS = {"st": 0.6, "t": 0.6, "tr": 0.3}


class CentralDifferenceConv3d(nn.Conv3d):
    """A convolution of a clip, less ``theta`` times what its kernel makes of the values that it is centred on.

    With W the kernel, w' its sum over space and over some of its slices in time: conv(x; W) - theta conv1x1x1(x'; w').

    ======  ==================================  =====================================
    kind    w' sums W over space and            x'
    ======  ==================================  =====================================
    ``st``  all slices                          x
    ``t``   all slices but the middle one       x
    ``tr``  all slices but the middle one       mean of x over the kernel's frames,
                                                zeros outside of the clip counted
    ======  ==================================  =====================================

    The second convolution falls on the middle of the first one's windows, so both are one convolution with another
    kernel, :meth:`difference_kernel`. A kernel of one frame is left alone.

    Args:
        kernel_size: odd, (T, H, W). Padding is half of it. stride: (T, H, W).
        theta: 0 is an ordinary convolution; None takes that of ``THETAS``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, int, int],
        stride: tuple[int, int, int] = (1, 1, 1),
        kind: str = "st",
        theta: float | None = None,
    ) -> None:
        if kind not in THETAS:
            raise ValueError(f"kind={kind!r} is unknown; choose from {', '.join(THETAS)}")
        padding = (kernel_size[0] // 2, kernel_size[1] // 2, kernel_size[2] // 2)
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, bias=False)
        self.kind = kind
        self.theta = THETAS[kind] if theta is None else theta

    def forward(self, x: Tensor) -> Tensor:
        return F.conv3d(x, self.difference_kernel(), None, self.stride, self.padding)

    def difference_kernel(self) -> Tensor:
        """The kernel with the differences in it, of the shape of ``weight``."""
        frames, height, width = self.kernel_size
        if frames == 1 or self.theta == 0:
            return self.weight
        total = self.weight.sum(dim=(2, 3, 4))
        if self.kind != "st":
            total = total - self.weight[:, :, frames // 2].sum(dim=(2, 3))
        moved = (self.theta * total)[..., None, None, None]
        around = (width // 2, width // 2, height // 2, height // 2)
        if self.kind == "tr":  # the mean over the frames is a kernel, too
            return self.weight - F.pad((moved / frames).expand(-1, -1, frames, -1, -1), around)
        return self.weight - F.pad(moved, (*around, frames // 2, frames // 2))
