"""The data sets of a config's loaders: which there are, where they lie, and how much of one an epoch takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.data.names import at_light
from harness.data.registry import of_config
from harness.ledger.record import DataInfo
from harness.plan.jobs import Settings


def dataset_configs(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The dataset config of each split's loader, by ``train`` | ``val`` | ``test``."""
    found = {}
    for split in ("train", "val", "test"):
        loader = config.get(f"{split}_dataloader")
        if loader and loader.get("dataset"):
            found[split] = loader["dataset"]
    return found


def place_data(config: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Point every dataset below the data root:
    its folder keeps its own name (``data/mgr_dark`` -> ``<root>/mgr_dark``).
    """
    config = dict(config)
    for split, dataset in dataset_configs(config).items():
        moved = dict(dataset)
        if "data_root" in moved:
            folder = Path(moved["data_root"]).name
            moved["data_root"] = str(settings.data_root / folder)
            if (name := at_light(folder)[0]) in settings.quarantine:
                moved["quarantine"] = str(settings.quarantine[name])
        config[f"{split}_dataloader"] = {**config[f"{split}_dataloader"], "dataset": moved}
    return config


def missing_data(config: Mapping[str, Any]) -> list[Path]:
    """The folders of a placed config's data sets that hold none."""
    found: dict[Path, None] = {}
    for dataset in dataset_configs(config).values():
        known, root = of_config(dataset), dataset.get("data_root")
        if known is not None and root and not (Path(root) / known.marker).exists():
            found[Path(root)] = None
    return list(found)


def whole_epochs(config: dict[str, Any], data: DataInfo | None) -> tuple[dict[str, Any], str]:
    """The config without a limit of batches that its training split does not reach, since MMEngine would read past the
    end of the split; and a note where that is so."""
    loader = config.get("train_dataloader") or {}
    limit = loader.get("num_batch_per_epoch")
    if data is None or not limit or limit * loader.get("batch_size", 1) <= data.train_clips:
        return config, ""
    kept = {k: v for k, v in loader.items() if k != "num_batch_per_epoch"}
    note = f"num_batch_per_epoch = {limit} does not apply: fewer clips to train on ({data.train_clips})"
    return {**config, "train_dataloader": kept}, note


def lone_clip(config: Mapping[str, Any], data: DataInfo | None) -> str:
    """A note where the last batch of each epoch has a single clip, "" where it has none.

    The config's limit of batches must be one that its training split reaches (``whole_epochs``).
    """
    loader = config.get("train_dataloader") or {}
    size = loader.get("batch_size", 1)
    dealt = (loader.get("sampler") or {}).get("type") == "DefaultSampler" and not loader.get("drop_last")
    if data is None or not dealt or loader.get("num_batch_per_epoch") or size == 1 or data.train_clips % size != 1:
        return ""
    return (
        f"the last batch of an epoch has one clip ({data.train_clips} in batches of {size}): a batch norm takes its "
        "variance from that alone, and fails where it has one value a channel; train_dataloader.drop_last=True leaves "
        "it out"
    )
