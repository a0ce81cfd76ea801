"""How long a job will take, from one training step and one prediction on random clips; data loading is left out."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable
from typing import Any

import torch

from harness.data.clips import dataset_clips
from harness.data.registry import clips_of_config
from harness.measure.parts import (
    WHOLE_CLIP,
    batch,
    build,
    import_named,
    optimizer_of,
    quietly,
    untrained_checkpoint,
)
from harness.network.clips import evaluating, predict
from harness.plan.jobs import Job, fill_parents
from harness.plan.parents import PREDICTIONS

CLIPS = 2  # in a probed batch; the time of a step is taken to grow with its clips


def probe(keys: list[str], jobs: dict[str, Job], threads: int = 1) -> dict[str, float]:
    """Seconds that each of these jobs should take on a device of this machine, or on ``threads`` cores of its CPU.

    Jobs of one model and profile are measured once; how they weigh their losses hardly matters.

    Args:
        jobs: all planned jobs, parents included: their networks are built, untrained, where a child needs them.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    measured: dict[str, float] = {}
    with quietly(threads), tempfile.TemporaryDirectory(prefix="harness-probe-") as folder:
        for key in keys:
            model = jobs[key].cell.model
            if model not in measured:
                measured[model] = _seconds(jobs[key], jobs, folder, device)
    return {key: measured[jobs[key].cell.model] for key in keys}


def _seconds(job: Job, jobs: dict[str, Job], folder: str, device: torch.device) -> float:
    if PREDICTIONS in job.outputs.values():
        return 0.0  # it reads what others predicted
    config = fill_parents(job, {s: _output(jobs[k], folder) for s, k in job.parents.items()})
    import_named(config)
    model = build(config).to(device)
    seconds = 0.0
    if config.get("train_cfg"):
        clips = batch(config, "train", job.cell.test_modality, CLIPS)
        optimizer = optimizer_of(config, model)
        one = _second(lambda: model.train().train_step(clips, optimizer), device)
        seconds += one / CLIPS * steps(config, job) * config["train_dataloader"]["batch_size"]
    if config.get("test_cfg") is not None and config.get("test_dataloader"):
        clips = batch(config, "test", job.cell.test_modality, CLIPS)
        with evaluating(model):
            one = _second(lambda: predict(model, clips), device)
        seconds += one / CLIPS * tested(config, job)
    return seconds


def _output(parent: Job, folder: str) -> str:
    return untrained_checkpoint(parent.config, folder) if parent.kind == "train" else ""


def _second(run: Callable[[], Any], device: torch.device) -> float:
    """Seconds of the second call; the first one pays for what is built when first used."""
    run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    began = time.perf_counter()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began


def steps(config: dict[str, Any], job: Job) -> int:
    """Training steps of a whole run."""
    train, loader = config["train_cfg"], config["train_dataloader"]
    if train.get("max_iters"):
        return int(train["max_iters"])
    per_epoch = loader.get("num_batch_per_epoch") or loader.get("sampler", {}).get("batches")
    if not per_epoch:
        per_epoch = math.ceil((job.data.train_clips if job.data else 0) / loader["batch_size"])
    return int(train["max_epochs"]) * per_epoch


def tested(config: dict[str, Any], job: Job) -> float:
    """Test clips of a run; where clips are taken whole, in units of the probed clip's length."""
    dataset = config["test_dataloader"]["dataset"]
    if clips_of_config(dataset) is None:
        return float(job.data.test_clips if job.data else 0)
    clips = dataset_clips(dataset)[1]
    if any(t.get("clip_len", 1) is None for t in dataset.get("pipeline", ())):
        frames = sum(max(s.end - s.start for s in c.streams.values()) for c in clips)
        return frames / WHOLE_CLIP
    return float(len(clips))
