"""How fast a network predicts, apart from reading its data."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from mmengine.model import BaseModel

from harness.network.clips import Shape, evaluating, predict, random_batch


@dataclass(frozen=True)
class Timing:
    """Seconds per batch over ``repeats`` timed predictions, after warm-up, and how they were taken."""

    batch_size: int
    repeats: int
    median: float
    p95: float
    device: str
    threads: int

    @property
    def clips_per_second(self) -> float:
        return self.batch_size / self.median


def latency(model: BaseModel, input_shape: Shape | Mapping[str, Shape], repeats: int = 30, warmup: int = 5) -> Timing:
    """Time from a clip in memory (uint8) to its scores, one clip at a time; see :func:`throughput`."""
    return throughput(model, input_shape, batch_size=1, repeats=repeats, warmup=warmup)


def throughput(
    model: BaseModel,
    input_shape: Shape | Mapping[str, Shape],
    batch_size: int = 16,
    repeats: int = 10,
    warmup: int = 2,
) -> Timing:
    """Time of predicting whole batches, on the device and with the threads the model runs with.

    Normalisation by the data preprocessor and, on a GPU, the copy to the device are part of it; decoding is not.

    Raises:
        ValueError: fewer than one repeat, or a shape that is not ``(C, T, H, W)``.
    """
    if repeats < 1:
        raise ValueError(f"repeats={repeats}: at least 1 is needed")
    device = next(model.parameters()).device
    batch = random_batch(input_shape, batch_size)
    seconds = []
    with evaluating(model):
        for i in range(warmup + repeats):
            wait_for_device(device)
            started = time.perf_counter()
            predict(model, batch)
            wait_for_device(device)
            if i >= warmup:
                seconds.append(time.perf_counter() - started)
    seconds.sort()
    return Timing(
        batch_size=batch_size,
        repeats=repeats,
        median=_quantile(seconds, 0.5),
        p95=_quantile(seconds, 0.95),
        device=str(device),
        threads=torch.get_num_threads(),
    )


def wait_for_device(device: torch.device) -> None:
    """Kernels run asynchronously on a GPU: wait until they are done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _quantile(ordered: list[float], q: float) -> float:
    """The q-quantile of sorted numbers, interpolated linearly."""
    at = q * (len(ordered) - 1)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])
