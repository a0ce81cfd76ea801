"""Training steps of a method with its loading: as stock MMAction2 does them, and as the harness does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from mmengine.dataset import pseudo_collate
from mmengine.model import BaseModel
from torch.utils.data import DataLoader, Dataset, RandomSampler

from harness.measure.cards import card_of
from harness.measure.counted import operations_of
from harness.measure.memory import PeakMemory
from harness.measure.parts import build, optimizer_of, quietly
from harness.measure.timing import wait_for_device
from harness.system.precision import Precision
from harness.worker.gather import ClipGather, NotGathered
from harness.worker.gather_loader import GatherLoader
from harness.worker.precision import chosen_precision, use_channels_last
from mtcd_plugin.models.data_preprocessors.clip_data_preprocessor import ClipDataPreprocessor

STOCK, OURS = "stock", "ours"
WARM = 2  # steps that do not count: the loader starts, kernels are chosen


@dataclass(frozen=True)
class StepSizes:
    """``steps`` that count at most, ``seconds`` after which no further one begins, loader ``workers``; ``clips`` of a
    batch, None for the config's own.
    """

    steps: int = 10
    seconds: float = 5.0
    workers: int = 4
    clips: int | None = None


def measure_method(
    config: dict[str, Any], how: str, dataset: Dataset, device: torch.device, sizes: StepSizes
) -> dict[str, Any]:
    """Steps of one network: seconds, clips per second, share of the time that waits for data, share of the card's peak.

    ``stock``: float32 as PyTorch has it by default, weights as they are made. ``ours``: precision ``auto``, channels
    last. A batch that does not fit is halved, and said. Untrained weights: they change no step's work.

    Raises:
        ValueError: not even a single clip fits.
    """
    clips = sizes.clips or config["train_dataloader"]["batch_size"]
    whole = clips
    while True:
        try:
            found = _steps(config, how, dataset, device, sizes, clips)
            break
        except torch.OutOfMemoryError:
            if device.type == "cuda":
                torch.cuda.empty_cache()
            if clips == 1:
                raise ValueError(f"{how}: a step of one clip does not fit into the memory of {device}") from None
            clips //= 2
    return found | ({"halved_from": whole} if clips < whole else {})


def _steps(
    config: dict[str, Any], how: str, dataset: Dataset, device: torch.device, sizes: StepSizes, clips: int
) -> dict[str, Any]:
    precision = chosen_precision("auto", device.type == "cuda", config) if how == OURS else Precision.FP32
    with quietly(torch.get_num_threads()), _tf32(how), PeakMemory(device) as memory:
        model = build(config).to(device).train()
        if how == OURS:
            use_channels_last(model)
        wrapper = optimizer_of(config, model)
        loader = _loader(dataset, model, how, clips, sizes, device)
        half = torch.autocast(device.type, torch.bfloat16) if precision is Precision.BF16 else nullcontext()
        waited, computed = [], []
        began = before = time.perf_counter()
        for number, data in enumerate(loader):
            loaded = time.perf_counter()
            with half:
                model.train_step(data, wrapper)
            wait_for_device(device)
            end = time.perf_counter()
            if number >= WARM:
                waited.append(loaded - before)
                computed.append(end - loaded)
            before = end
            if len(computed) >= min(2, sizes.steps) and end - began > sizes.seconds:
                break
    return _summary(config, device, precision, clips, waited, computed) | {"peak_gib": memory.bytes / 2**30}


def _loader(
    dataset: Any, model: BaseModel, how: str, clips: int, sizes: StepSizes, device: torch.device
) -> DataLoader | GatherLoader:
    """As a worker loads a raw store (whole batches, where the network takes them so), or by processes."""
    draws = RandomSampler(dataset, replacement=True, num_samples=(sizes.steps + WARM) * clips)
    loader: DataLoader = DataLoader(dataset, clips, sampler=draws, num_workers=sizes.workers, collate_fn=pseudo_collate)
    if how == STOCK or not isinstance(model.data_preprocessor, ClipDataPreprocessor):
        return loader
    dataset.set_epoch(0, 0)
    try:
        return GatherLoader(loader, ClipGather(dataset), pin=device.type == "cuda")
    except NotGathered:
        return loader


def _summary(
    config: dict[str, Any],
    device: torch.device,
    precision: Precision,
    clips: int,
    waited: list[float],
    computed: list[float],
) -> dict[str, Any]:
    step = median(computed)
    found = {
        "precision": str(precision),
        "batch": clips,
        "steps": len(computed),
        "step_s": step,
        "clips_per_s": clips * len(computed) / (sum(waited) + sum(computed)),
        "data_share": sum(waited) / (sum(waited) + sum(computed)),
    }
    card = card_of(torch.cuda.get_device_name(device)) if device.type == "cuda" else None
    flops = 2 * operations_of(config, "rgb").training * clips / step
    return found | {"flops_per_s": flops, "share_of_peak": flops / card.peak(str(precision)) if card else None}


@contextmanager
def _tf32(how: str) -> Iterator[None]:
    """PyTorch's defaults for ``stock``; for ``ours`` what the worker sets for bfloat16."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = how == OURS, True
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before
