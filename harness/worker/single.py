"""A job of one run: trains, tests, and fills its record."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

import torch
from mmengine.dist import is_main_process
from mmengine.runner import Runner

from harness.ledger.files import sha256_of
from harness.ledger.judge import sha256_of_rendered
from harness.ledger.lock import RunLock
from harness.ledger.record import RunRecord
from harness.ledger.run_dir import CHECKPOINT, PREDICTIONS, RENDERED, RESUME, SCRATCH
from harness.ledger.store import read_record
from harness.worker.compiled import record_compiled
from harness.worker.gather_hook import loading_of
from harness.worker.hooks import RunLogHook, training_notes
from harness.worker.loading import loading_notes
from harness.worker.record import peak_memory, publish_weights, score_predictions
from harness.worker.runner import make_runner, record_cost, record_fused_cost, train
from harness.worker.spec import JobSpec
from harness.worker.start import record_start
from mtcd_plugin.engine.model_wrapper import unwrapped


def run_single(folder: Path, spec: JobSpec, record: RunRecord, on_gpu: bool) -> None:
    """Train and test the run of a job; what it left and measured goes into ``folder`` and ``record``."""
    runner, log = make_runner(folder, spec, on_gpu)
    if spec.kind == "train":
        _train(folder, spec, record, runner, log)
    if runner.cfg.get("test_cfg") is not None and runner.cfg.get("test_dataloader") is not None:
        _test(record, runner)
    record_compiled(runner, record)
    if is_main_process():
        _collect(folder, spec, record, runner)
    record.notes += loading_notes(runner)
    record.hardware["loading"] = loading_of(runner)
    record.cost.peak_memory_bytes = peak_memory(on_gpu)
    record.cost.total_seconds = (record.cost.train_seconds or 0.0) + (record.cost.test_seconds or 0.0)


def _train(folder: Path, spec: JobSpec, record: RunRecord, runner: Runner, log: RunLogHook) -> None:
    record.cost.train_seconds = train(runner, log)
    record.epochs = log.epochs
    record.notes += training_notes(runner)
    record_start(runner, record)
    record.cost.data_time_share = log.data_time_share()
    if is_main_process():
        full = torch.load(folder / RESUME, map_location="cpu", weights_only=True)
        publish_weights(full, folder / CHECKPOINT, spec.key, spec.cell, RunLock(folder, spec.claim).check)
        record.checkpoint_sha256 = sha256_of(folder / CHECKPOINT)


def _test(record: RunRecord, runner: Runner) -> None:
    started = time.perf_counter()
    measured = runner.test()
    record.cost.test_seconds = time.perf_counter() - started
    record.measurements = {
        k: float(v)
        for k, v in measured.items()
        if isinstance(v, (int, float)) and not k.startswith("acc/") and math.isfinite(v)
    }
    lost = sorted(k for k, v in measured.items() if isinstance(v, float) and not math.isfinite(v))
    record.notes += [f"measured {k} is not finite and is left out" for k in lost]


def _collect(folder: Path, spec: JobSpec, record: RunRecord, runner: Runner) -> None:
    """Put what the test wrote into place, and score it."""
    if (folder / SCRATCH / PREDICTIONS).is_file():
        RunLock(folder, spec.claim).check()
        os.replace(folder / SCRATCH / PREDICTIONS, folder / PREDICTIONS)
    if (folder / RENDERED[0]).is_dir():
        record.store_sha256 = sha256_of_rendered(folder)
    if (folder / PREDICTIONS).is_file():
        score_predictions(folder, record)
        if spec.fused:
            record_fused_cost(record, [read_record(Path(f)).cost for f in spec.fused])
        else:
            record_cost(record, unwrapped(runner.model), runner)
