"""Generator and discriminator of the translation GAN (CycleGAN's, as in structured domain adaptation)."""

from __future__ import annotations

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule, normal_init
from torch import Tensor, nn

from mtcd_plugin.models.translators.images import normalize


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions with instance norm around a skip; [N, C, H, W] -> the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


@MODELS.register_module()
class ResNetGenerator(BaseModule):
    """Image to image: a 7 x 7 convolution, two down-sampling ones, residual blocks, two up-sampling ones, and a 7 x 7
    convolution with a sigmoid. Fully convolutional; sides are multiples of 4.

    Args:
        channels: of the first layer (64 in the paper's translator).
        blocks: residual blocks (9).
        gray: the three output channels are their mean, so that the output is a grey image.

    ``forward``: float [N, 3, H, W] in [0, 1] -> the same.
    """

    def __init__(self, channels: int = 64, blocks: int = 9, gray: bool = False, init_cfg=None) -> None:
        super().__init__(init_cfg)
        c, self.gray = channels, gray

        def conv(i, o, stride=2):
            return [nn.Conv2d(i, o, 3, stride, 1), nn.InstanceNorm2d(o), nn.ReLU(inplace=True)]

        def up(i, o):
            return [nn.ConvTranspose2d(i, o, 3, 2, 1, 1), nn.InstanceNorm2d(o), nn.ReLU(inplace=True)]

        stem = [nn.ReflectionPad2d(3), nn.Conv2d(3, c, 7), nn.InstanceNorm2d(c), nn.ReLU(inplace=True)]
        body = [ResidualBlock(4 * c) for _ in range(blocks)]
        tail = [nn.ReflectionPad2d(3), nn.Conv2d(c, 3, 7)]
        self.layers = nn.Sequential(
            *stem, *conv(c, 2 * c), *conv(2 * c, 4 * c), *body, *up(4 * c, 2 * c), *up(2 * c, c), *tail
        )

    def init_weights(self) -> None:
        """Normal with standard deviation 0.02, as CycleGAN."""
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                normal_init(module, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2] % 4 or x.shape[3] % 4:
            raise ValueError(f"the translator needs sides that are multiples of 4, got {x.shape[3]} x {x.shape[2]}")
        y = self.layers(normalize(x)).sigmoid()
        return y.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1) if self.gray else y


@MODELS.register_module()
class PatchDiscriminator(BaseModule):
    """PatchGAN: real or fake for every patch (70 x 70 pixels with 3 layers).

    Args:
        channels: of the first layer (64). layers: down-sampling layers (3).

    ``forward``: float [N, 3, H, W] in [0, 1] -> [N, 1, h, w], no activation.
    """

    def __init__(self, channels: int = 64, layers: int = 3, init_cfg=None) -> None:
        super().__init__(init_cfg)
        found: list[nn.Module] = [nn.Conv2d(3, channels, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        before = channels
        for i in range(1, layers + 1):
            after = channels * min(2**i, 8)
            found += [nn.Conv2d(before, after, 4, 2 if i < layers else 1, 1), nn.InstanceNorm2d(after)]
            found += [nn.LeakyReLU(0.2, inplace=True)]
            before = after
        self.layers = nn.Sequential(*found, nn.Conv2d(before, 1, 4, 1, 1))

    def init_weights(self) -> None:
        """Normal with standard deviation 0.02, as CycleGAN."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                normal_init(module, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(normalize(x))


class ImagePool:
    """Up to ``size`` earlier fakes; half of what the discriminator sees are older ones (Shrivastava et al., 2017). 0
    keeps none.
    """

    def __init__(self, size: int = 50) -> None:
        self.size = size
        self.images: list[Tensor] = []

    def query(self, images: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C, H, W], detached; each image is itself or, with probability 1/2, an older one."""
        if not self.size:
            return images.detach()
        out = []
        for image in images.detach().clone():
            if len(self.images) < self.size:
                self.images.append(image)
                out.append(image)
            elif torch.rand(()) < 0.5:
                place = int(torch.randint(len(self.images), ()))
                out.append(self.images[place])
                self.images[place] = image
            else:
                out.append(image)
        return torch.stack(out)

    def state(self) -> list[Tensor]:
        """The images, on the CPU, each with memory of its own."""
        return [image.to("cpu", copy=True) for image in self.images]
