"""How many clips a config trains on, tests and renders: those at hand, or as many as are published."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.data.clips import dataset_clips
from harness.data.registry import clips_of_config, of_config
from harness.measure.cards import published
from harness.measure.parts import WHOLE_CLIP
from harness.plan.loaders import dataset_configs

SPLITS = {"train": ("train",), "test": ("test",), "all": ("train", "test")}


@dataclass(frozen=True)
class Amount:
    """Clips of a split and their frames, at least and probably."""

    clips: int
    frames: tuple[int, int]


class NotKnown(ValueError):
    """Nothing says how much data a config reads."""


def amount_of(dataset: dict[str, Any]) -> Amount:
    """Of a dataset config: counted where its data are, else published.

    Raises:
        NotKnown: neither is known, one line. FileNotFoundError, ValueError: data that cannot be read.
    """
    if clips_of_config(dataset) is not None and Path(str(dataset.get("data_root", ""))).is_dir():
        clips = dataset_clips(dataset)[1]
        frames = sum(max(s.end - s.start for s in c.streams.values()) for c in clips)
        return Amount(len(clips), (frames, frames))
    known = of_config(dataset)
    if known is None or known.name not in published():
        what = known.title if known else f"dataset class {dataset.get('type')}"
        raise NotKnown(f"{what}: no number of clips is published; give the folder that has it with --data-root")
    about = published()[known.name]
    clips_there = sum(getattr(about, split) for split in SPLITS[dataset.get("split", "train")])
    clips_there *= 2 if dataset.get("lighting") == "both" else 1
    return Amount(clips_there, (clips_there * about.frames[0], clips_there * about.frames[1]))


def trained_samples(config: dict[str, Any]) -> int:
    """Clips (or images) that all training steps of a run see together, 0 for what trains nothing.

    Raises: as ``amount_of``.
    """
    train, loader = config.get("train_cfg"), config.get("train_dataloader") or {}
    if not train:
        return 0
    size = loader.get("batch_size", 1)
    if train.get("max_iters"):
        return int(train["max_iters"]) * size
    if batches := loader.get("sampler", {}).get("batches"):
        return int(train["max_epochs"]) * batches * size
    clips = amount_of(loader["dataset"]).clips
    if limit := loader.get("num_batch_per_epoch"):
        clips = min(clips, limit * size)
    return int(train["max_epochs"]) * clips


def predicted_clips(config: dict[str, Any]) -> float:
    """Clips that a run tests or renders; where it takes clips whole, in units of ``WHOLE_CLIP`` frames.

    Raises: as ``amount_of``.
    """
    loader = config.get("test_dataloader")
    if not loader or config.get("test_cfg") is None:
        return 0.0
    found = amount_of(loader["dataset"])
    whole = any(t.get("clip_len", 1) is None for t in loader["dataset"].get("pipeline", ()))
    return math.ceil(found.frames[1] / WHOLE_CLIP) if whole else float(found.clips)


def sources(configs: Iterable[dict[str, Any]]) -> list[str]:
    """Where the numbers of clips are from, one line for each data set whose numbers are published ones."""
    found: dict[str, str] = {}
    for config in configs:
        for dataset in dataset_configs(config).values():
            known = of_config(dataset)
            there = Path(str(dataset.get("data_root", ""))).is_dir()
            if known is not None and known.name in published() and not there:
                found[known.title] = published()[known.name].source
    return [f"{title} is not here; its clips as published: {source}" for title, source in found.items()]
