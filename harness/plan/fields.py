"""Keys of a config's loaders and training loop: one that is misspelt would end the run when it starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import unknown_name

# What MMEngine's ``Runner.build_dataloader`` reads, and hands on to PyTorch's ``DataLoader``.
LOADER = (
    *("batch_size", "num_workers", "dataset", "sampler", "batch_sampler", "collate_fn", "drop_last", "pin_memory"),
    *("persistent_workers", "prefetch_factor", "num_batch_per_epoch", "worker_init_fn", "shuffle", "timeout"),
    *("multiprocessing_context", "generator", "pin_memory_device", "in_order"),
)
LOOPS = {
    "EpochBasedTrainLoop": ("max_epochs", "val_begin", "val_interval", "dynamic_intervals"),
    "IterBasedTrainLoop": ("max_iters", "val_begin", "val_interval", "dynamic_intervals"),
}
OF_A_LOOP = ("type", "by_epoch", "dataloader")


def check_fields(path: Path, config: Mapping[str, Any]) -> None:
    """Raise ValueError for a key that neither the loaders nor the training loop of a resolved config take.

    A loop of another class takes what it likes.
    """
    for section in ("train_dataloader", "val_dataloader", "test_dataloader"):
        _check(path, section, config.get(section), LOADER)
    loop = config.get("train_cfg")
    by_epoch = loop.get("by_epoch", True) if isinstance(loop, dict) else True
    usual = "EpochBasedTrainLoop" if by_epoch else "IterBasedTrainLoop"
    kind = loop.get("type", usual) if isinstance(loop, dict) else None
    if isinstance(kind, str) and (known := LOOPS.get(kind)):
        _check(path, "train_cfg", loop, (*known, *OF_A_LOOP))


def _check(path: Path, section: str, content: Any, known: tuple[str, ...]) -> None:
    if isinstance(content, dict) and (unknown := [key for key in content if key not in known]):
        raise ValueError(f"{path}: {section}: {unknown_name('key', unknown[0], known)}")
