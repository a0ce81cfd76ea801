"""CAPF: Decouple & Recouple's fusion of two modalities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from mtcd_plugin.models.backbones.decouple_recouple import DecoupleRecouple
from mtcd_plugin.models.distillers.checkpoints import load_network
from mtcd_plugin.models.heads.branch_token_head import distillation_loss
from mtcd_plugin.models.recognizers.joint import JointRecognizer, top1

RESHAPES = ("as_published", "per_frame")


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation that takes its running statistics where a training batch has one value a channel."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training and x.numel() == x.shape[1]:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(x)


def convolutions(*channels: int) -> list[nn.Module]:
    """1x1 convolutions without bias from each number of channels to the next, each with norm and ReLU."""
    layers: list[nn.Module] = []
    for before, after in zip(channels, channels[1:], strict=False):
        layers += [nn.Conv2d(before, after, 1, bias=False), BatchNorm(after), nn.ReLU()]
    return layers


class CrossFusion(nn.Module):
    """What two modalities have in common, from both: unit length, two 1x1 convolutions.

    Args:
        channels: C. dropout: after the convolutions. reshape: ``as_published`` reads the channels of all frames,
            frame after frame, as T values of each of 2 C channels, as the authors' code does; ``per_frame`` takes
            each frame by itself.

    Input: two float ``[N, T, C]``. Output: ``[N, T, C]``, which is added to both.
    """

    def __init__(self, channels: int, dropout: float = 0.4, reshape: str = "as_published") -> None:
        super().__init__()
        if reshape not in RESHAPES:
            raise ValueError(f"reshape={reshape!r} is unknown; choose from {', '.join(RESHAPES)}")
        self.per_frame = reshape == "per_frame"
        self.layers = nn.Sequential(
            *convolutions(2 * channels, channels),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.Dropout(dropout),
        )

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        count, frames, channels = a.shape
        both = F.normalize(torch.cat([a, b], dim=2), dim=2)
        if self.per_frame:
            return self.layers(both.transpose(1, 2)[..., None])[..., 0].transpose(1, 2)
        return self.layers(both.reshape(count, 2 * channels, frames, 1)).reshape(count, frames, channels)


@MODELS.register_module()
class CAPF(JointRecognizer):
    """Two networks of Decouple & Recouple that go on from their own trainings, and a classifier of both
    (https://arxiv.org/abs/2112.09129, authors' code).

    The streams exchange what they have in common twice: features of frames before the network over time, and tokens
    of the clip, the largest of the branches' for each channel, after it. An encoder of both tokens gives the classes.

    Args:
        num_classes: K.
        streams: modality -> ``dict(model=<a DecoupleRecouple>, init_from=<checkpoint of its recognizer>)``, two of
            them; their class layers are not taken.
        channels: of the streams' tokens.
        reshape: see :class:`CrossFusion`.
        label_smooth_eps: smoothing of the cross-entropies.
        distillation_temperature: of :func:`distillation_loss`.
        data_preprocessor, init_cfg: as MMEngine's.

    Inputs and modes: see :class:`JointRecognizer`.
    """

    def __init__(
        self,
        num_classes: int,
        streams: Mapping[str, Mapping[str, Any]],
        channels: int = 512,
        reshape: str = "as_published",
        label_smooth_eps: float = 0.1,
        distillation_temperature: float = 0.4,
        data_preprocessor: dict | None = None,
        init_cfg: dict | list | None = None,
    ) -> None:
        super().__init__(list(streams), data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        if len(streams) != 2:
            raise ValueError(f"CAPF: streams must name two modalities, not {', '.join(streams)}")
        self.init_from = {name: stream.get("init_from") or "" for name, stream in streams.items()}
        self.label_smooth_eps = label_smooth_eps
        self.distillation_temperature = distillation_temperature
        self.streams = nn.ModuleDict({name: MODELS.build(stream["model"]) for name, stream in streams.items()})
        self.frame_fusion = CrossFusion(channels, reshape=reshape)
        self.fc_streams = nn.ModuleDict(
            {name: nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, num_classes)) for name in streams}
        )
        self.token_fusion = CrossFusion(channels)
        code = channels // 2
        self.encoder = nn.Sequential(
            *convolutions(2 * channels, 2 * channels, channels, code), nn.Conv2d(code, code, 1, bias=False)
        )
        self.fc_cls = nn.Conv2d(code, num_classes, 1, bias=False)
        self.decoder = nn.Sequential(*convolutions(code, code, channels))
        self.fc_modality = nn.Sequential(nn.Dropout(0.5), nn.Linear(channels, 1, bias=False))

    def init_weights(self) -> None:
        """Weights at random, and those of the streams from their trainings.

        Raises:
            ValueError: a stream has no ``init_from``. FileNotFoundError, ValueError: see :func:`load_network`.
        """
        super().init_weights()
        for name, stream in self.streams.items():
            if not self.init_from[name]:
                raise ValueError(f"model.streams.{name}.init_from is empty: train that network first")
            load_network(stream, self.init_from[name], f"model.streams.{name}", prefix="backbone.")

    def logits(self, clips: dict[str, Tensor]) -> Tensor:
        """See :class:`JointRecognizer`."""
        tokens = [x.amax(dim=1) for x, _ in self._streamed(clips)]
        return self.fc_cls(self._code(self._fused(tokens))).flatten(1)

    def losses(self, clips: dict[str, Tensor], labels: Tensor) -> dict[str, Tensor]:
        """Cross-entropies of encoder and streams, of which modality a token is, of its decoding, and the streams'
        own divergences.
        """
        found = self._streamed(clips)
        before = [tokens.amax(dim=1) for tokens, _ in found]
        after = self._fused(before)
        code = self._code(after)
        logits = self.fc_cls(code).flatten(1)
        decoded = self.decoder(code).flatten(1)
        each = [fc(token) for fc, token in zip(self.fc_streams.values(), before, strict=True)]
        divergences = [distillation_loss(*pair, self.distillation_temperature) for pair in found]
        return {
            "loss_cls": self._entropy(logits, labels),
            "loss_streams": torch.stack([self._entropy(x, labels) for x in each]).sum(),
            "loss_modality": self._modality_loss(*after),
            "loss_decoded": torch.stack([F.mse_loss(decoded.float(), token.float()) for token in after]).sum(),
            "loss_distillation": torch.stack(divergences).sum(),
            **top1(logits, labels),
        }

    def _streamed(self, clips: dict[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
        """What each stream gives, after their frames were fused: tokens ``[N, branches, C]`` and gates' vector."""
        networks: list[DecoupleRecouple] = list(self.streams.values())  # type: ignore[arg-type]
        frames = [network.frame_features(clip) for network, clip in zip(networks, clips.values(), strict=True)]
        common = self.frame_fusion(*frames)
        return [network.temporal(x + common) for network, x in zip(networks, frames, strict=True)]

    def _fused(self, tokens: list[Tensor]) -> list[Tensor]:
        """Both streams' tokens ``[N, C]`` with what they have in common."""
        common = self.token_fusion(*(x[:, None] for x in tokens))[:, 0]
        return [x + common for x in tokens]

    def _code(self, tokens: list[Tensor]) -> Tensor:
        """The encoder's output ``[N, C / 2, 1, 1]``."""
        return self.encoder(torch.cat(tokens, dim=1)[..., None, None])

    def _entropy(self, logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits.float(), labels, label_smoothing=self.label_smooth_eps)

    def _modality_loss(self, first: Tensor, second: Tensor) -> Tensor:
        """One head tells the first modality (1) from the second (0)."""
        scores = [self.fc_modality(x).float() for x in (first, second)]
        targets = (torch.ones_like(scores[0]), torch.zeros_like(scores[1]))
        return torch.stack(
            [F.binary_cross_entropy_with_logits(s, t) for s, t in zip(scores, targets, strict=True)]
        ).sum()
