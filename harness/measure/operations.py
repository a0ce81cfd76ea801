"""Multiply-adds of a training step and of a prediction, counted at any size without values, weights or data.

Networks and clips are on PyTorch's meta device: shapes are computed, nothing else is. Steps are counted as they are
executed, forward and backward, so that frozen networks, gradients that nobody needs and losses that run a network twice
count as what they are: about three times the forward pass for a network that trains alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from harness.measure.parts import batch, construct, import_named
from harness.network.clips import Shape, evaluating, predict
from harness.network.cost import plain_attention

CLIPS = 2  # of a counted batch: of two classes and two people
META = torch.device("meta")
WITHOUT_COUNT = {  # modules that give what they get, as far as shapes and gradients go
    kind.forward
    for kind in (
        nn.BatchNorm3d,
        nn.InstanceNorm2d,
        nn.LayerNorm,
        nn.GroupNorm,
        nn.ReLU,
        nn.LeakyReLU,
        nn.GELU,
        nn.Dropout,
    )
}
READS = (torch.ops.aten._local_scalar_dense.default, torch.ops.aten._to_copy.default)


def training_operations(config: dict[str, Any], modality: str) -> float:
    """Multiply-adds of a training step, divided by the clips (or images) of its batch; element-wise work is none.

    Args:
        config: resolved, with a ``train_cfg``; files that it names are not read. modality: where the data set names
            none.
    """
    model = _model(config).train()
    data = batch(config, "train", modality, CLIPS, _without_values)
    with _counting() as counter:
        model.train_step(data, _Backward())  # what steps use of an optimizer wrapper
    return counter.flops / 2 / CLIPS


def predicting_operations(config: dict[str, Any], modality: str) -> float:
    """Multiply-adds of predicting (or rendering) a clip of the test split as its pipeline packs it; one that takes
    clips whole stands for ``WHOLE_CLIP`` frames.
    """
    model = _model(config)
    data = batch(config, "test", modality, CLIPS, _without_values)
    with evaluating(model), _counting() as counter:
        predict(model, data)
    return counter.flops / 2 / CLIPS


def _model(config: dict[str, Any]) -> BaseModel:
    from mtcd_plugin.models.translators.sda_gan import TrainedTranslator

    import_named(config)
    model = construct(config, empty=True).to(META)
    for module in model.modules():
        if isinstance(module, TrainedTranslator):
            module.loaded = True  # its weights, which count nothing here
        if type(module).forward in WITHOUT_COUNT:
            module.forward = _unchanged  # shapes and the way of gradients stay, most of the time of counting goes
    return model


def _unchanged(x: Tensor) -> Tensor:
    return x


@contextmanager
def _counting() -> Iterator[_Counter]:
    from torch.fx.experimental import _config

    patched = _config.patch(meta_nonzero_assume_all_nonzero=True)  # type: ignore[attr-defined]  # made when imported
    with patched, plain_attention(), _no_autocast(), _Counter() as counter:
        yield counter


@contextmanager
def _no_autocast() -> Iterator[None]:
    """Without ``torch.autocast``, which does not know the meta device; precision changes no count."""
    own = torch.autocast
    torch.autocast = lambda *_, **__: nullcontext()  # type: ignore[assignment,misc]
    try:
        yield
    finally:
        torch.autocast = own  # type: ignore[misc]


class _Counter(TorchDispatchMode):
    """Counts convolutions and matrix products with PyTorch's own formulas, those of its ``FlopCounterMode``, which
    takes every other operation apart as well, and twice as long.

    What code reads of a tensor without values is zero: numbers, and copies on the CPU.
    """

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in READS and args[0].is_meta:
            if func is torch.ops.aten._local_scalar_dense.default:
                return torch.zeros((), dtype=args[0].dtype).item()
            if torch.device(kwargs.get("device") or META).type == "cpu":
                return torch.zeros(args[0].shape, dtype=kwargs.get("dtype") or args[0].dtype)
        out = func(*args, **kwargs)
        if (formula := flop_registry.get(func.overloadpacket)) is not None:
            self.flops += formula(*args, **kwargs, out_val=out)
        return out


class _Backward:
    """An optimizer wrapper, or several, that computes gradients and takes no step."""

    def __getitem__(self, name: str) -> _Backward:
        return self

    @contextmanager
    def optim_context(self, _: object) -> Iterator[None]:
        yield

    def update_params(self, loss: Tensor, *_: object, **__: object) -> None:
        loss.backward()


def _without_values(shape: Shape | Mapping[str, Shape], size: int) -> dict[str, Any]:
    """As ``random_batch``, on the meta device."""
    from mmaction.structures import ActionDataSample

    def clips(one: Shape) -> list[Tensor]:
        return [torch.empty((1, *one), dtype=torch.uint8, device=META) for _ in range(size)]

    inputs = {m: clips(s) for m, s in shape.items()} if isinstance(shape, Mapping) else clips(shape)
    return {"inputs": inputs, "data_samples": [ActionDataSample() for _ in range(size)]}
