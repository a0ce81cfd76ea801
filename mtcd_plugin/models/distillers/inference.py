"""Frozen networks made fast: the same outputs up to rounding, with fewer passes over the activations."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

GRAY = ("ir", "pseudo_ir", "depth")  # modalities whose three input channels are copies of one


def optimize_for_inference(network: nn.Module, gray: bool = False) -> None:
    """Prepare a trained network for inference only, in place.

    Batch norms are folded into their convolutions, max pooling over 3D windows is done axis by axis, and, for
    a network that sees grey clips, the first convolution runs on one of the three equal channels.

    Args:
        network: a 3D recognizer; it gets no gradients any more.
        gray: its input has three equal channels.
    """
    network.eval().requires_grad_(False)
    for module in network.modules():
        _fold_batch_norm(module)
    for module in list(network.modules()):
        for name, child in module.named_children():
            if type(child) is nn.MaxPool3d and SeparableMaxPool3d.can_replace(child):
                setattr(module, name, SeparableMaxPool3d(child))
    if gray:
        _first_channel_only(network)
    network.requires_grad_(False)


def _fold_batch_norm(module: nn.Module) -> None:
    """For MMCV's ConvModule with a convolution directly before its batch norm."""
    if not isinstance(module, ConvModule) or not module.with_norm or module.order[:2] != ("conv", "norm"):
        return
    norm = module.norm
    if isinstance(module.conv, nn.modules.conv._ConvNd) and isinstance(norm, nn.modules.batchnorm._BatchNorm):
        folded = fuse_conv_bn_eval(module.conv, norm)
        module.conv.weight, module.conv.bias = folded.weight, folded.bias
        setattr(module, module.norm_name, nn.Identity())


class SeparableMaxPool3d(nn.Module):
    """``nn.MaxPool3d`` as maxima over shifted views, one axis after the other: equal to the bit, and vectorised on the
    CPU, where PyTorch's own is not. For inference.
    """

    def __init__(self, pool: nn.MaxPool3d) -> None:
        super().__init__()
        self.windows = tuple(zip(*(_triple(v) for v in (pool.kernel_size, pool.stride, pool.padding)), strict=True))

    @staticmethod
    def can_replace(pool: nn.MaxPool3d) -> bool:
        return _triple(pool.dilation) == (1, 1, 1) and not pool.ceil_mode and not pool.return_indices

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, T, H, W] -> as ``nn.MaxPool3d``."""
        for axis, (kernel, stride, padding) in zip((2, 3, 4), self.windows, strict=True):
            if padding:
                pad = [0] * 6
                pad[2 * (4 - axis)] = pad[2 * (4 - axis) + 1] = padding
                x = F.pad(x, pad, value=-torch.inf)
            length = (x.shape[axis] - kernel) // stride + 1
            views = [x.narrow(axis, i, (length - 1) * stride + 1) for i in range(kernel)]
            index = [slice(None)] * 5
            index[axis] = slice(None, None, stride)
            out = views[0][tuple(index)]
            for view in views[1:]:
                out = torch.maximum(out, view[tuple(index)])
            x = out
        return x


class FirstChannelConv3d(nn.Module):
    """A convolution on three equal channels, done on one of them with the sum of the kernels."""

    def __init__(self, conv: nn.Conv3d) -> None:
        super().__init__()
        self.conv = nn.Conv3d(
            1,
            conv.out_channels,
            conv.kernel_size,  # type: ignore[arg-type]  # three numbers
            conv.stride,  # type: ignore[arg-type]  # three numbers
            conv.padding,  # type: ignore[arg-type]  # three numbers
            conv.dilation,  # type: ignore[arg-type]  # three numbers
            bias=conv.bias is not None,
        )
        with torch.no_grad():
            self.conv.weight.copy_(conv.weight.sum(dim=1, keepdim=True))
            if conv.bias is not None:
                self.conv.bias.copy_(conv.bias)  # type: ignore[union-attr]  # it has one as conv does

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x[:, :1])


def _first_channel_only(network: nn.Module) -> None:
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.Conv3d):  # the first convolution in the order of definition
                if child.in_channels == 3 and child.groups == 1 and child.padding_mode == "zeros":
                    setattr(module, name, FirstChannelConv3d(child).to(child.weight))
                return


def _triple(value) -> tuple[int, int, int]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value, value)
