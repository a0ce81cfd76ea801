"""How long a training waits for its data."""

from __future__ import annotations

import time
from pathlib import Path

from harness.bench.clip_sources import build_stores, our_dataset
from harness.suite import load_suite

BATCH = 4
WARM_UP = 2  # steps


def measure_data_time(configs: Path, data: Path, store: Path, steps: int) -> dict[str, float]:
    """Share of the time of a short training that is spent waiting for data: from video, from the raw store clip by
    clip, and from the raw store by whole batches.

    I3D and its inputs as in profile ``demo``, batches of four, loaded in the training's own process.
    """
    from harness.worker.gather import ClipGather
    from harness.worker.gather_loader import GatherLoader

    build_stores(data, store, "raw", ("rgb",), size=64)
    video, stored = (our_dataset(data, folder, size=64, crop=56, frames=16) for folder in ("", store))
    stored.set_epoch(0, 0)
    loaders = {
        "video": loader_of(video, steps),
        "store": loader_of(stored, steps),
        "gathered": GatherLoader(loader_of(stored, steps), ClipGather(stored)),
    }
    return {f"data_time_share_{name}": training_share(configs, loader) for name, loader in loaders.items()}


def loader_of(dataset, steps: int):
    """Random clips for some steps, and for those that warm up."""
    from mmengine.dataset import pseudo_collate
    from torch.utils.data import DataLoader, RandomSampler

    draws = RandomSampler(dataset, replacement=True, num_samples=(steps + WARM_UP) * BATCH)
    return DataLoader(dataset, BATCH, sampler=draws, collate_fn=pseudo_collate)


def training_share(configs: Path, loader) -> float:
    """data_time / time of the optimiser steps after those that warm up."""
    import torch
    from mmaction.registry import MODELS
    from mmengine.optim import build_optim_wrapper

    from harness.plan.resolve import resolve

    config = resolve(load_suite(configs)[1]["i3d_r50_mgr-dark-rgb"].config, "demo").config
    torch.manual_seed(0)
    model = MODELS.build(config["model"]).train()
    optim = build_optim_wrapper(model, config["optim_wrapper"])
    waiting = whole = 0.0
    before = time.perf_counter()
    for number, data in enumerate(loader):
        loaded = time.perf_counter()
        model.train_step(data, optim)
        end = time.perf_counter()
        if number >= WARM_UP:
            waiting, whole = waiting + loaded - before, whole + end - before
        before = end
    return waiting / whole
