"""A branch of the temporal networks of Decouple & Recouple and UMDR: some frames, a transformer, a token."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mtcd_plugin.models.backbones.inception_blocks import WIDTHS, Inception, SameMaxPool
from mtcd_plugin.models.backbones.knn_transformer import KnnTransformerLayer


def pick_segments(frames: int, picked: int, training: bool) -> Tensor:
    """Which of the frames a branch sees: one of each of ``picked`` equal segments, int64 ``[picked]``, in order.

    Training draws it from torch's generator, testing takes the middle one (the earlier of two). Segments of less than
    a frame share frames, so that more can be picked than there are.
    """
    index = torch.arange(picked)
    first = frames * index // picked
    last = torch.maximum(first, frames * (index + 1) // picked - 1)
    if not training:
        return (first + last) // 2
    return first + (torch.rand(picked) * (last - first + 1)).long()


class TemporalBranch(nn.Module):
    """Transformer over some of a clip's frames, with a learned token that stands for the clip.

    The frames pass a temporal Inception block and a pooling over 3 frames, the token does not. Tokens and positions
    are drawn from the normal distribution.

    Args:
        frames: number of frames that the branch sees.
        channels: of a frame's feature; a multiple of 32.
        depth: number of layers. heads, head_channels, hidden, keep, dropout: see :class:`KnnTransformerLayer`.
        kernel: temporal kernel of the Inception block and its pooling.
        positions_first: token and positions are added before the Inception block (Decouple & Recouple,
            https://arxiv.org/abs/2112.09129) and not after the pooling (UMDR, https://arxiv.org/abs/2211.09146).

    Input: float ``[N, T, channels]`` for any T. Output: the token after each layer, a list of ``[N, channels]``. In
    training the frames are drawn anew for each batch, see :func:`pick_segments`.
    """

    def __init__(
        self,
        frames: int,
        channels: int = 512,
        depth: int = 6,
        heads: int = 8,
        head_channels: int = 64,
        hidden: int = 768,
        keep: float = 0.7,
        dropout: float = 0.1,
        kernel: int = 3,
        positions_first: bool = True,
    ) -> None:
        super().__init__()
        if channels % 32:
            raise ValueError(f"channels={channels} of a temporal branch must be a multiple of 32")
        self.frames, self.positions_first = frames, positions_first
        self.token = nn.Parameter(torch.randn(1, 1, channels))
        self.positions = nn.Parameter(torch.randn(1, frames + 1, channels))
        window = (kernel, 1, 1)
        self.inception = Inception(channels, [w * channels // 512 or 1 for w in WIDTHS["4c"]], window, window)
        self.pool = SameMaxPool((3, 1, 1), (1, 1, 1))
        self.layers = nn.ModuleList(
            KnnTransformerLayer(channels, heads, head_channels, hidden, keep, dropout) for _ in range(depth)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        x = x[:, pick_segments(x.shape[1], self.frames, self.training).to(x.device)]
        if self.positions_first:
            x = self._with_token(x)
            x = torch.cat([x[:, :1], self._convolved(x[:, 1:])], dim=1)
        else:
            x = self._with_token(self._convolved(x))
        tokens = []
        for layer in self.layers:
            x = layer(x)
            tokens.append(x[:, 0])
        return tokens

    def _with_token(self, x: Tensor) -> Tensor:
        return torch.cat([self.token.expand(len(x), -1, -1), x], dim=1) + self.positions

    def _convolved(self, x: Tensor) -> Tensor:
        clip = x.transpose(1, 2)[..., None, None]
        return self.pool(self.inception(clip)).flatten(2).transpose(1, 2)
