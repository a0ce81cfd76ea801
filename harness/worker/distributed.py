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
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import init_dist, is_main_process
from mmengine.hooks import Hook
from mmengine.model import BaseModel, is_model_wrapper
from torch import nn

from harness.ledger.run_dir import RECORD, SCRATCH
from harness.worker.spec import EXIT_DISK_FULL, EXIT_LOCK_LOST, EXIT_STOPPED, JobSpec, read_spec

EXIT_BEREFT = 5  # of a process that lost another one of its group
GONE = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "NCCL")


def is_first() -> bool:
    """Whether this process writes what a group writes once; true where a job has one process."""
    return is_main_process()


def unwrapped(model: nn.Module) -> nn.Module:
    return model.module if is_model_wrapper(model) else model


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


class GatherInFolder(Hook):
    """Processes hand their predictions over in folders of the run (MMEngine's default is the current directory)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def before_test(self, runner) -> None:
        for i, metric in enumerate(runner.test_loop.evaluator.metrics):
            metric.collect_dir = str(self.folder / f"gather-{i}")


def train_together(folder: Path, spec: JobSpec, threads: int, on_gpu: bool) -> int:
    """Start the processes of a job and wait for them. Returns the job's exit code."""
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
        elastic_launch(launch, member_main)(str(folder), max(1, threads // spec.processes), on_gpu)
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
    if min(codes) < 0 or EXIT_BEREFT in codes:  # one was killed: so is the job
        os.kill(os.getpid(), signal.SIGKILL)
    return max(codes)


def lost_another(e: BaseException) -> bool:
    """Whether an error says that another process of the group is gone; whatever happened, happened there."""
    return isinstance(e, torch.distributed.DistError) or any(words in str(e) for words in GONE)


def member_main(directory: str, threads: int, on_gpu: bool) -> None:
    """Entry of one process of a group; the launcher has set RANK, LOCAL_RANK, WORLD_SIZE and the address."""
    from harness.system.parent_exit import when_parent_ends
    from harness.worker import attempt as worker

    worker.listen()
    when_parent_ends(lambda: os._exit(1))
    if on_gpu:
        init_dist("pytorch", backend="nccl")
    else:
        torch.distributed.init_process_group("gloo")
    try:
        code = worker.attempt(Path(directory), read_spec(Path(directory)), threads, on_gpu)
    except worker.Stopped:
        code = EXIT_STOPPED
    except worker.LockLost as e:
        print(e)
        code = EXIT_LOCK_LOST
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
