"""MMEngine's Runner of a job: built with the worker's hooks, trained, looked at for what it cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmengine.utils import import_modules_from_strings
from torch import nn

from harness.ledger.lock import RunLock
from harness.ledger.record import Cost, RunRecord
from harness.ledger.run_dir import SCRATCH
from harness.network.cost import count_cost
from harness.worker.accumulation import accumulate_gradients
from harness.worker.compiled import CompileHook
from harness.worker.config import runner_config, writes_store
from harness.worker.device_accuracy import count_on_device
from harness.worker.distributed import GatherInFolderHook, check_model
from harness.worker.gather_hook import GatherHook
from harness.worker.hooks import AtomicCheckpointHook, ExactResumeHook, NanLossHook, RunLogHook
from harness.worker.late_visualizer import LateVisualizer  # noqa: F401  registers it
from harness.worker.loading import LoaderRoomHook
from harness.worker.precision import chosen_precision, set_precision, use_channels_last
from harness.worker.render_threads import RenderThreadsHook
from harness.worker.resident import ResidentStores
from harness.worker.spec import JobSpec
from harness.worker.start import watch_start
from harness.worker.step_numbers import StepNumbersHook  # noqa: F401  registers it

SHORT_SECONDS = 20.0  # of a training: what it got of the processor says nothing


class JobRunner(Runner):
    """MMEngine's Runner; the weights of its model lie as they are computed fastest, before it is wrapped."""

    def build_model(self, model: nn.Module | dict) -> nn.Module:
        built = super().build_model(model)
        use_channels_last(built)
        return built


def make_runner(folder: Path, spec: JobSpec, on_gpu: bool) -> tuple[Runner, RunLogHook]:
    """MMEngine's Runner for a job, with the worker's hooks."""
    cfg = Config(runner_config(folder, spec, on_gpu), format_python_code=False)
    import_modules_from_strings(**cfg.get("custom_imports") or {"imports": []})
    runner = JobRunner.from_cfg(cfg)
    set_precision(runner, chosen_precision(spec.precision, on_gpu, cfg), on_gpu)
    if on_gpu:
        count_on_device(runner.model)
    if spec.accumulate > 1:
        accumulate_gradients(runner.model, spec.accumulate)
    if spec.processes > 1:
        check_model(runner.model)
        runner.register_hook(GatherInFolderHook(folder / SCRATCH))
    lock = RunLock(folder, spec.claim)
    log = RunLogHook(folder, cfg.train_cfg.get("max_epochs") if cfg.get("train_cfg") else None, lock)
    runner.register_hook(log, priority="BELOW_NORMAL")
    device = f"cuda:{torch.cuda.current_device()}" if on_gpu else "cpu"  # in a group each process has its own
    stores = ResidentStores(spec.resident, device, retried=spec.accumulate > 1)
    runner.register_hook(GatherHook(stores), priority="VERY_LOW")
    runner.register_hook(LoaderRoomHook(spec.loading == "thread"), priority="LOWEST")
    if spec.kind == "render" and writes_store(cfg) and not on_gpu:
        runner.register_hook(RenderThreadsHook(one_by_one=spec.accumulate > 1), priority="LOWEST")
    if spec.kind == "train":
        watch_start(runner)
        if spec.compile:
            runner.register_hook(CompileHook(), priority="LOWEST")
        runner.register_hook(NanLossHook(), priority="HIGH")
        runner.register_hook(ExactResumeHook(), priority="HIGHEST")
        runner.register_hook(AtomicCheckpointHook(folder, lock), priority="VERY_LOW")
    return runner, log


def train(runner: Runner, log: RunLogHook) -> float:
    """Train to the last epoch; returns the seconds that all attempts together took."""
    started, used = time.perf_counter(), time.process_time()
    runner.train()
    seconds, used = time.perf_counter() - started, time.process_time() - used
    if (line := starved(seconds, used, torch.cuda.is_available())) is not None:
        print(line, flush=True)
    return log.trained_before + seconds


def starved(seconds: float, used: float, on_gpu: bool) -> str | None:
    """A line where a training on the CPU got less than half a core, None where all is well.

    Args:
        seconds: that it took. used: seconds of the processor that it got.
    """
    if on_gpu or seconds < SHORT_SECONDS or used >= seconds / 2:
        return None
    return (
        f"this job got {used:.0f} s of processor time in {seconds:.0f} s: the machine is busy; fewer jobs at a time "
        "(--jobs) or a quieter machine would not slow it down"
    )


def record_cost(record: RunRecord, network: nn.Module, runner: Runner) -> None:
    """Write parameters and multiply-adds of predicting one test clip into a record."""
    shape = clip_shape(runner)
    record.cost.params, record.cost.flops = count_cost(network, shape)
    record.cost.input_shape = list(shape if isinstance(shape, tuple) else next(iter(shape.values())))


def record_fused_cost(record: RunRecord, members: Sequence[Cost]) -> None:
    """Write what predicting a clip takes with all members of a fusion: the sum, or None where one is not known."""
    for part in ("params", "flops"):
        known = [getattr(cost, part) for cost in members]
        setattr(record.cost, part, None if None in known else sum(known))
    shapes = {tuple(cost.input_shape) for cost in members}
    record.cost.input_shape = list(shapes.pop()) if len(shapes) == 1 else []  # RGB and depth have other shapes


def clip_shape(runner: Runner) -> tuple[int, ...] | dict[str, tuple[int, ...]]:
    """(C, T, H, W) of one test clip, by modality where there are several."""
    inputs = runner.test_dataloader.dataset[0]["inputs"]
    if isinstance(inputs, dict):
        return {m: tuple(x.shape[1:]) for m, x in inputs.items()}
    return tuple(inputs.shape[1:])
