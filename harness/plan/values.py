"""Values of a resolved config that no training could have: found when it is planned, not hours later on a node."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.data.registry import clips_of_config
from harness.errors import unknown_name
from harness.fingerprint.dependencies import optimizer_arguments

LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")
DICTS = ("model", *LOADERS, "train_cfg", "optim_wrapper", "default_hooks", "parents")
# Split -> the parts of a data set's clips that it has.
PARTS = {
    "train": {"fit", "holdout"},
    "fit": {"fit"},
    "holdout": {"holdout"},
    "test": {"test"},
    "all": {"fit", "holdout", "test"},
}


def check_values(path: Path, config: Mapping[str, Any]) -> None:
    """Raise ValueError for a value of another kind than its key takes, a number that is not valid there, and a test of
    clips that are trained on.

    What a class takes as its arguments it checks itself when a job builds it (``models check``).
    """
    for key in DICTS:
        given = config.get(key, {})
        if not isinstance(given, dict) and (given is not None or key == "model"):
            raise _wrong(path, key, given, f"dict(...), as in {key} = dict(type=...)")
    for key in LOADERS:
        _check_loader(path, key, config.get(key) or {})
    for key in ("max_epochs", "max_iters"):
        _check_count(path, f"train_cfg.{key}", (config.get("train_cfg") or {}).get(key, 1))
    for key, optimizer in _optimizers("optim_wrapper", config.get("optim_wrapper") or {}):
        _check_optimizer(path, key, optimizer)
    for stage, parent in (config.get("parents") or {}).items():
        if not isinstance(parent, dict):
            raise _wrong(path, f"parents.{stage}", parent, "dict(config=..., inject_at=[...])")
    schedule = config.get("param_scheduler")
    for scheduler in schedule if isinstance(schedule, (list, tuple)) else [schedule] if schedule is not None else []:
        _check_scheduler(path, scheduler)
    _check_splits(path, config)


def _check_loader(path: Path, key: str, loader: dict[str, Any]) -> None:
    _check_count(path, f"{key}.batch_size", loader.get("batch_size", 1))
    if not isinstance(loader.get("dataset", {}), dict):
        raise _wrong(path, f"{key}.dataset", loader["dataset"], "dict(type=...)")


def _check_optimizer(path: Path, key: str, optimizer: Any) -> None:
    if not isinstance(optimizer, dict):
        raise _wrong(path, key, optimizer, "dict(type=..., lr=...)")
    kind = str(optimizer.get("type", ""))
    known = optimizer_arguments(kind)
    for name in optimizer if known else ():
        if name not in ("type", "_scope_", *known):
            raise ValueError(f"{path}: {key}: {unknown_name(f'argument of {kind}', name, known)}")
    rate = optimizer.get("lr", 0.0)
    if not _is_number(rate) or not 0 <= rate < math.inf:
        raise _wrong(path, f"{key}.lr", rate, "a number from 0 on, without quotes")


def _check_scheduler(path: Path, scheduler: Any) -> None:
    if not isinstance(scheduler, dict):
        raise _wrong(path, "param_scheduler", scheduler, "a list of dict(type=...)")
    where = f"param_scheduler of {scheduler.get('type', 'no type')}"
    milestones = scheduler.get("milestones", [])
    if not isinstance(milestones, (list, tuple)) or not all(_is_number(m) for m in milestones):
        raise _wrong(path, f"{where}: milestones", milestones, "a list of epochs, such as [20, 40]")
    for key in ("gamma", "eta_max", "eta_min", "factor", "power", "begin", "end", "total_steps", "T_max"):
        if (given := scheduler.get(key)) is not None and not _is_number(given):
            raise _wrong(path, f"{where}: {key}", given, "a number, without quotes")


def _check_splits(path: Path, config: Mapping[str, Any]) -> None:
    """A network that is trained on the clips that it is tested on has no result."""
    train, test = ((config.get(key) or {}).get("dataset") or {} for key in ("train_dataloader", "test_dataloader"))
    if config.get("train_cfg") is None or not isinstance(train, dict) or not isinstance(test, dict):
        return
    if clips_of_config(train) is None or clips_of_config(train) != clips_of_config(test):
        return
    trained, tested = train.get("split", "train"), test.get("split", "train")
    if PARTS.get(trained, set()) & PARTS.get(tested, set()):
        raise ValueError(
            f"{path}: test_dataloader reads split {tested}, and train_dataloader split {trained}, which has clips of "
            "it; correct the dataset's `split`: train and test, or fit and holdout for a search on training subjects"
        )


def _optimizers(key: str, wrapper: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The optimizers of a wrapper, and of those that it holds by name (a generator's, a discriminator's)."""
    for name, content in wrapper.items():
        if name == "optimizer":
            yield f"{key}.{name}", content
        elif isinstance(content, dict):
            yield from _optimizers(f"{key}.{name}", content)


def _check_count(path: Path, key: str, given: Any) -> None:
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise _wrong(path, key, given, "a whole number from 1 on")


def _is_number(given: Any) -> bool:
    return isinstance(given, (int, float)) and not isinstance(given, bool)


def _wrong(path: Path, key: str, given: Any, wanted: str) -> ValueError:
    return ValueError(f"{path}: {key} = {given!r}; it must be {wanted}")
