"""The recoupling module of Decouple & Recouple: gates over time and over channels."""

from __future__ import annotations

from torch import Tensor, nn


class Recoupling(nn.Module):
    """Weighs a clip's features by time and by channel (RCM, https://arxiv.org/abs/2112.09129, authors' code).

    The gate over channels is the mean over all queries of the scores of an attention among channels, without softmax.

    Args:
        frames: T. channels: C, and of the vector. hidden, head_channels: between the two layers of the gate over time,
            and of the attention.

    Input: float ``[N, T, C]``. Output: the same weighed, and a vector ``[N, C]`` of the gate over time, which is
    trained to resemble what the temporal network finds.
    """

    def __init__(self, frames: int, channels: int = 512, hidden: int = 256, head_channels: int = 64) -> None:
        super().__init__()
        self.time_gate = nn.Sequential(
            nn.Linear(frames, hidden, bias=False),
            nn.GELU(),
            nn.Linear(hidden, frames, bias=False),
            nn.LayerNorm(frames),
            nn.Sigmoid(),
        )
        self.query = nn.Linear(frames, head_channels, bias=False)
        self.key = nn.Linear(frames, head_channels, bias=False)
        self.vector = nn.Linear(frames, channels)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        over_time = self.time_gate(x.mean(dim=2))
        channels = x.transpose(1, 2)
        query = self.query(channels).mean(dim=1, keepdim=True)  # the mean of the scores is the score of the mean
        scores = query @ self.key(channels).transpose(1, 2) / query.shape[-1] ** 0.5
        return x * over_time[:, :, None] * scores.sigmoid(), self.vector(over_time)
