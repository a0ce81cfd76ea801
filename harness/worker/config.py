"""From a job's config to the one that MMEngine's Runner gets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.ledger.run_dir import PREDICTIONS, RESUME, SCRATCH, STORE
from harness.worker.spec import JobSpec


def runner_config(folder: Path, spec: JobSpec, on_gpu: bool) -> dict[str, Any]:
    """The config that the Runner gets: the job's config with this run's folders, seed and device settings."""
    config = dict(spec.config)
    config["work_dir"] = str(folder / SCRATCH)
    config["experiment_name"] = spec.key[:16]
    config["launcher"] = "none"
    config["randomness"] = {**config.get("randomness", {}), "seed": spec.cell.seed}
    config["visualizer"] = {"type": "LateVisualizer"}
    hooks = config.get("default_hooks", {})
    every = hooks.get("logger", {}).get("interval", 10) if on_gpu else 1
    numbers = {"type": "StepNumbersHook", "every": every}
    config["default_hooks"] = {**hooks, "runtime_info": numbers, "checkpoint": None}  # AtomicCheckpointHook instead
    resumable = spec.kind == "train" and (folder / RESUME).is_file()
    config["resume"] = resumable
    config["load_from"] = str(folder / RESUME) if resumable else config.get("load_from")
    workers = spec.workers
    for split in ("train", "val", "test"):
        loader = config.get(f"{split}_dataloader")
        if loader:
            loader = {
                **loader,
                "num_workers": workers,
                "persistent_workers": workers > 0,
                "pin_memory": on_gpu,
            }
            if workers == 0:
                loader.pop("prefetch_factor", None)
            dataset = dict(loader["dataset"])
            if "clip_store" in dataset or spec.clip_store:
                dataset["clip_store"] = spec.clip_store
            config[f"{split}_dataloader"] = {**loader, "dataset": dataset}
    if spec.accumulate > 1 and config.get("test_dataloader"):  # training is divided within its steps
        loader = config["test_dataloader"]
        batch = max(1, loader.get("batch_size", 1) // spec.accumulate)
        config["test_dataloader"] = {**loader, "batch_size": batch}
    if spec.processes > 1:
        config.update(group_config(config, spec.processes, on_gpu))
    if config.get("test_evaluator"):
        config["test_evaluator"] = [_place_output(e, folder) for e in _evaluators(config)]
    return config


def writes_store(config: Mapping[str, Any]) -> bool:
    """Whether the test of a config writes a store of clips."""
    return any("output_dir" in e for e in _evaluators(config))


def _evaluators(config: Mapping[str, Any]) -> list[Any]:
    found = config.get("test_evaluator") or []
    return list(found) if isinstance(found, (list, tuple)) else [found]


def group_config(config: dict[str, Any], processes: int, on_gpu: bool) -> dict[str, Any]:
    """What changes in a Runner's config for a group of processes.

    Raises:
        ValueError: the batch cannot be divided evenly.
    """
    loader = config["train_dataloader"]
    if loader["batch_size"] % processes:
        raise ValueError(f"a batch of {loader['batch_size']} cannot be divided by {processes} processes")
    wrapper = {
        "type": "MMDistributedDataParallel",
        "broadcast_buffers": False,
        "find_unused_parameters": config.get("find_unused_parameters", True),
    }
    changes = {
        "launcher": "pytorch",
        "train_dataloader": {**loader, "batch_size": loader["batch_size"] // processes},
        "model_wrapper_cfg": wrapper if on_gpu else {**wrapper, "device_ids": None},
    }
    if on_gpu:
        changes["sync_bn"] = "torch"
    return changes


def _place_output(evaluator: dict[str, Any], folder: Path) -> dict[str, Any]:
    if evaluator.get("type") == "ClipPredictions":
        return {**evaluator, "out_file": str(folder / SCRATCH / PREDICTIONS)}  # until the lock was looked at
    if "output_dir" in evaluator:
        return {**evaluator, "output_dir": str(folder / STORE)}
    return evaluator
