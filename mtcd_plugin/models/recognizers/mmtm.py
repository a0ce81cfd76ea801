"""MMTM: two streams that reweight each other's channels (https://arxiv.org/abs/1911.08670)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.dist import get_world_size
from mmengine.model import ModuleDict
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from mtcd_plugin.models.distillers.checkpoints import load_network
from mtcd_plugin.models.recognizers.joint import JointRecognizer, top1
from mtcd_plugin.models.recognizers.streams import build_streams


class MultimodalTransfer(nn.Module):
    """Gates for the channels of two features, from the means of both (paper, section 3.1).

    Args:
        first, second: their channels.
        gate_scale: gates lie between 0 and this: 1 in the authors' code, 2 in the paper.

    Input: ``[N, first, ...]`` and ``[N, second, ...]``, of any size in time and space. Output: the same, gated.
    """

    def __init__(self, first: int, second: int, gate_scale: float = 1.0) -> None:
        super().__init__()
        joint = (first + second) // 2
        self.squeeze = nn.Linear(first + second, joint)
        self.excite_first = nn.Linear(joint, first)
        self.excite_second = nn.Linear(joint, second)
        self.gate_scale = gate_scale

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        squeezed = F.relu(self.squeeze(torch.cat([x.flatten(2).mean(dim=2) for x in (first, second)], dim=1)))
        return self._gated(first, self.excite_first(squeezed)), self._gated(second, self.excite_second(squeezed))

    def _gated(self, x: Tensor, excitation: Tensor) -> Tensor:
        gates = self.gate_scale * excitation.sigmoid()
        return x * gates.reshape(*gates.shape, *[1] * (x.dim() - 2))


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """A forward pass within it trains everything but this network; gradients pass through it."""
    weights = [p for p in network.parameters() if p.requires_grad]
    for p in weights:
        p.requires_grad_(False)
    try:
        yield
    finally:
        for p in weights:
            p.requires_grad_(True)


@MODELS.register_module()
class MMTM(JointRecognizer):
    """Two Inception-I3D, one per modality, with a :class:`MultimodalTransfer` after some of their blocks. They predict
    by the mean of their logits, and learn by the sum of both cross-entropies.

    Args:
        stream: config of a recognizer with an :class:`InceptionI3D`, one of which is built for each modality.
        modalities: two.
        points: the blocks after which features are exchanged, by name (``4c``).
        gate_scale: see :class:`MultimodalTransfer`.
        init_from: modality -> checkpoint of a recognizer like ``stream``, trained on that modality alone, to start
            from; '' for none.
        alternate: two steps for each batch, as the authors' code: one of the first stream and the modules on the first
            cross-entropy, one of the second stream and the modules on the other. In one process, without dividing
            batches. Where the authors have an optimizer for each, the modules' momentum is shared here.

    Losses: ``loss_cls_<modality>``. ``top1_acc`` is of the mean.
    """

    def __init__(
        self,
        stream: dict,
        modalities: Sequence[str] = ("rgb", "depth"),
        points: Sequence[str] = ("4c", "4d", "4e", "4f", "5b", "5c"),
        gate_scale: float = 1.0,
        init_from: Mapping[str, str] | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | list | None = None,
        alternate: bool = False,
    ) -> None:
        super().__init__(modalities, data_preprocessor, init_cfg)
        self.alternate = alternate
        if len(self.modalities) != 2:
            raise ValueError(f"MMTM: modalities={list(modalities)} must name two")
        self.init_from = dict(init_from or {})
        if unknown := sorted(set(self.init_from) - set(self.modalities)):
            raise ValueError(f"MMTM: init_from '{unknown[0]}' is none of its modalities {', '.join(self.modalities)}")
        self.streams = build_streams(self.modalities, stream, "MMTM")
        blocks = {name[len("inception_") :]: name for name in self._blocks()}
        if unknown := [p for p in points if p not in blocks]:
            raise ValueError(f"MMTM: there is no block '{unknown[0]}' in points; choose from {', '.join(blocks)}")
        self.transfers = ModuleDict()
        for point, name in blocks.items():
            if point in points:
                first, second = (getattr(self.streams[m].backbone, name).out_channels for m in self.modalities)
                self.transfers[name] = MultimodalTransfer(first, second, gate_scale)

    def init_weights(self) -> None:
        """Initialise everything, then load the streams that are trained already."""
        super().init_weights()
        for name, path in self.init_from.items():
            if path:
                load_network(self.streams[name], path, f"model.init_from.{name}")

    def logits(self, clips: dict[str, Tensor]) -> Tensor:
        return torch.stack(self.stream_logits(clips)).mean(dim=0)

    def train_step(self, data: dict, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """One step, or one for each modality; see ``alternate`` of the class.

        Raises:
            ValueError: ``alternate``, and a batch is divided or accumulated.
        """
        if not self.alternate:
            return super().train_step(data, optim_wrapper)
        if optim_wrapper._accumulative_counts > 1 or not optim_wrapper.should_update():
            raise ValueError("MMTM: alternate=True steps twice for each batch, which cannot be divided or accumulated")
        data = self.data_preprocessor(data, True)
        log: dict[str, Tensor] = {}
        for learner, other in (self.modalities, self.modalities[::-1]):
            with frozen(self.streams[other]), optim_wrapper.optim_context(self):
                found = self._run_forward(data, mode="loss")
            loss = found[f"loss_cls_{learner}"]
            optim_wrapper.update_params(loss)
            log |= {f"loss_cls_{learner}": loss.detach(), "top1_acc": found["top1_acc"]}
        return {"loss": torch.stack([log[f"loss_cls_{m}"] for m in self.modalities]).sum(), **log}

    def losses(self, clips: dict[str, Tensor], labels: Tensor) -> dict[str, Tensor]:
        if self.alternate and self.training and get_world_size() > 1:  # there MMEngine takes one step on the sum
            raise ValueError("MMTM: alternate=True trains in one process alone; use one GPU")
        logits = self.stream_logits(clips)
        losses = {f"loss_cls_{m}": F.cross_entropy(x, labels) for m, x in zip(self.modalities, logits, strict=True)}
        return {**losses, **top1(torch.stack(logits).mean(dim=0), labels)}

    def stream_logits(self, clips: dict[str, Tensor]) -> list[Tensor]:
        """The logits of each stream, [M, K]: layer by layer side by side, for what they exchange."""
        first, second = (self.streams[name] for name in self.modalities)
        x, y = (clips[name] for name in self.modalities)
        for (name, layer), other in zip(first.backbone.named_children(), second.backbone.children(), strict=True):
            x, y = layer(x), other(y)
            if name in self.transfers:
                x, y = self.transfers[name](x, y)
        return [first.cls_head(x), second.cls_head(y)]

    def _blocks(self) -> list[str]:
        backbone = self.streams[self.modalities[0]].backbone
        return [name for name, _ in backbone.named_children() if name.startswith("inception_")]
