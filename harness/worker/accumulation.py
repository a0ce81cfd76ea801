"""Training steps in parts: less memory, the gradient of the whole batch.

Each batch of the loader is cut within its step, so that samples, order, schedule and number of steps stay those of the
config. The loss of a part counts by its share of the samples, the optimizer steps once. What looks at a batch as a
whole (batch normalisation, relations between samples) sees a part at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper, OptimWrapperDict


def accumulate_gradients(model: BaseModel, parts: int) -> None:
    """Make ``model.train_step`` cut each batch into ``parts`` (fewer where it has fewer samples)."""
    whole_step = model.train_step

    def train_step(data: Mapping, optim_wrapper: OptimWrapper | OptimWrapperDict) -> dict[str, torch.Tensor]:
        total = len(data["data_samples"])
        count = min(parts, total)
        edges = [round(i * total / count) for i in range(count + 1)]
        logs: dict[str, torch.Tensor] = {}
        for i, (first, end) in enumerate(zip(edges, edges[1:], strict=False)):
            share = (end - first) / total
            with accumulating(optim_wrapper, share, last=i == count - 1):
                log = whole_step(_rows(data, first, end), optim_wrapper=optim_wrapper)
            for name, value in log.items():
                logs[name] = logs.get(name, 0.0) + share * torch.as_tensor(value).detach()
        return logs

    model.train_step = train_step


@contextmanager
def accumulating(optim_wrapper: OptimWrapper | OptimWrapperDict, share: float, last: bool) -> Iterator[None]:
    """Within it a loss counts ``share`` of itself, and only the last part steps (as the wrapper itself would)."""
    wrappers = list(optim_wrapper.values()) if isinstance(optim_wrapper, OptimWrapperDict) else [optim_wrapper]
    counts = [w._inner_count for w in wrappers]
    for wrapper in wrappers:
        wrapper.scale_loss = lambda loss, own=wrapper.scale_loss: share * own(loss)
        if not last:
            wrapper.should_update = wrapper.should_sync = lambda: False
    try:
        yield
    finally:
        for wrapper, count in zip(wrappers, counts, strict=True):
            del wrapper.scale_loss
            if not last:
                del wrapper.should_update, wrapper.should_sync
                wrapper._inner_count = count  # all parts are one step


def _rows(data: Any, first: int, end: int) -> Any:
    """Samples ``first`` to ``end`` of a batch of nested dicts of lists and tensors."""
    if isinstance(data, Mapping):
        return {name: _rows(value, first, end) for name, value in data.items()}
    return data[first:end]
