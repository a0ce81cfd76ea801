"""A job of several runs that train side by side in one process: the students of a sweep."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from harness.ledger.files import sha256_of
from harness.ledger.lock import RunLock
from harness.ledger.record import RunRecord
from harness.ledger.run_dir import CHECKPOINT, POINTS, PREDICTIONS, RESUME
from harness.worker.compiled import record_compiled
from harness.worker.gather_hook import loading_of
from harness.worker.hooks import training_notes
from harness.worker.loading import loading_notes
from harness.worker.record import peak_memory, publish_weights, score_predictions
from harness.worker.runner import make_runner, record_cost, train
from harness.worker.spec import JobSpec, Member
from harness.worker.start import record_start
from mtcd_plugin.sweep import point_checkpoints


@dataclass(frozen=True)
class _Together:
    """What a group of runs took in all; each run is charged an equal share of the seconds."""

    runs: int
    train_seconds: float
    test_seconds: float
    data_time_share: float | None
    peak_memory_bytes: int


def run_side_by_side(folder: Path, spec: JobSpec, own: RunRecord, on_gpu: bool) -> list[tuple[Path, RunRecord]]:
    """Train and test a group of runs in one process; each gets weights, predictions and a record of its own.

    Args:
        own: record of the first run; those of the others are copies of it with what is their own.

    Returns:
        Folder and record of each run, in the order of ``spec.members``.
    """
    print(f"{', '.join(m.name for m in spec.members)}: training side by side", flush=True)
    runner, log = make_runner(folder, spec, on_gpu)
    seconds = train(runner, log)
    record_start(runner, own)
    full = torch.load(folder / RESUME, map_location="cpu", weights_only=True)
    started = time.perf_counter()
    runner.test()
    tested = time.perf_counter() - started
    record_compiled(runner, own)
    own.notes += loading_notes(runner)
    own.hardware["loading"] = loading_of(runner)
    network = runner.model.points[0]  # all students are alike
    network.data_preprocessor = runner.model.data_preprocessor
    record_cost(own, network, runner)
    together = _Together(len(spec.members), seconds, tested, log.data_time_share(), peak_memory(on_gpu))
    own.notes += training_notes(runner)
    done = []
    for i, (member, checkpoint) in enumerate(zip(spec.members, point_checkpoints(full), strict=True)):
        record = own if i == 0 else own.model_copy(deep=True)
        _finish(member, record, checkpoint, folder / POINTS / str(i) / PREDICTIONS, together)
        record.epochs = log.of_point(i)
        done.append((Path(member.directory), record))
    return done


def _finish(
    member: Member, record: RunRecord, checkpoint: dict[str, Any], predictions: Path, together: _Together
) -> None:
    """Put weights and predictions of one run of the group into its folder, and fill its record."""
    place = Path(member.directory)
    record.key, record.cell, record.identity = member.key, member.cell, member.identity
    record.command, record.attempts = member.command, member.attempts
    record.cost.train_seconds = together.train_seconds / together.runs
    record.cost.test_seconds = together.test_seconds / together.runs
    record.cost.total_seconds = (together.train_seconds + together.test_seconds) / together.runs
    record.cost.data_time_share = together.data_time_share
    record.cost.peak_memory_bytes = together.peak_memory_bytes
    check = RunLock(place, member.claim).check
    publish_weights(checkpoint, place / CHECKPOINT, member.key, member.cell, check)
    record.checkpoint_sha256 = sha256_of(place / CHECKPOINT)
    check()
    os.replace(predictions, place / PREDICTIONS)
    score_predictions(place, record)
