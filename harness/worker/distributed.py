"""One job trained by several processes: torchrun's launcher, MMEngine's distributed data parallel model.

Each process takes an equal share of every batch of the config, so that the gradient is that of the whole batch. Data
are dealt out by MMEngine's DefaultSampler: where the training clips cannot be divided evenly, the last batch of an
epoch is filled up with clips from its beginning. Test clips are dealt out likewise; those that fill up are dropped when
predictions are gathered. Batch normalisation takes its statistics over the whole batch on GPUs (SyncBN); on the CPU,
for which torch has none, over each process's share, so that results with it differ from those of one process.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from mmengine.dist import init_dist
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from torch import nn

from harness.ledger.run_dir import RECORD, SCRATCH
from harness.system.parent_exit import on_parent_exit
from harness.worker.signals import EXIT_DISK_FULL, EXIT_LOCK_LOST, EXIT_PEER_LOST, EXIT_STOPPED
from harness.worker.spec import JobSpec
from mtcd_plugin.engine.model_wrapper import unwrapped

GONE = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "NCCL")


class GatherInFolderHook(Hook):
    """Processes hand their predictions over in folders of the run (MMEngine's default is the current directory)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def before_test(self, runner) -> None:
        for i, metric in enumerate(runner.test_loop.evaluator.metrics):
            metric.collect_dir = str(self.folder / f"gather-{i}")


def train_together(
    entry: Callable[[str, int, bool], None], folder: Path, spec: JobSpec, threads: int, on_gpu: bool
) -> int:
    """Start the processes of a job and wait for them. Returns the job's exit code.

    Args:
        entry: a module's function, which each process calls with the folder, its threads and ``on_gpu``.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    launch = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=spec.processes,
        run_id=spec.key[:16],
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        local_addr="localhost",
        max_restarts=0,
        monitor_interval=0.2,
        start_method="spawn",
        logs_specs=DefaultLogsSpecs(log_dir=str(folder / SCRATCH / "elastic")),
    )
    try:
        elastic_launch(launch, entry)(str(folder), max(1, threads // spec.processes), on_gpu)
        return 0
    except SignalException:
        return EXIT_STOPPED
    except ChildFailedError as e:
        codes = {failure.exitcode for failure in e.failures.values()}
    if (folder / RECORD).is_file():
        return 0
    for code in (EXIT_STOPPED, EXIT_LOCK_LOST, EXIT_DISK_FULL):
        if code in codes:
            return code
    if min(codes) < 0 or EXIT_PEER_LOST in codes:  # one was killed: so is the job
        os.kill(os.getpid(), signal.SIGKILL)
    return max(codes)


def lost_peer(e: BaseException) -> bool:
    """Whether an error says that another process of the group is gone; whatever happened, happened there."""
    return isinstance(e, torch.distributed.DistError) or any(words in str(e) for words in GONE)


def join_group(on_gpu: bool) -> None:
    """Make this process one of its group; the launcher has set RANK, LOCAL_RANK, WORLD_SIZE and the address."""
    on_parent_exit(lambda: os._exit(1))
    if on_gpu:
        init_dist("pytorch", backend="nccl")
    else:
        torch.distributed.init_process_group("gloo")


def leave_group(code: int) -> None:
    """End this process's part in its group. ``code``: what it exits with; with 0 it waits for the others."""
    if code:
        sys.stdout.flush()
        os._exit(code)  # not to wait for the others, who may be waiting for this one
    torch.distributed.destroy_process_group()


def check_model(model: nn.Module) -> None:
    """Raises ValueError for a model whose step a distributed wrapper would pass over."""
    inner = unwrapped(model)
    if isinstance(inner, BaseModel) and type(inner).train_step is not BaseModel.train_step:
        raise ValueError(
            f"model.type {type(inner).__name__} has a training step of its own, which several processes cannot share; "
            "run it without --gpus-per-job"
        )
