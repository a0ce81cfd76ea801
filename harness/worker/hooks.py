"""Hooks of the worker: the run's log, NaN stop, exact resume, stop on request."""

from __future__ import annotations

import json
import math
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_gather_object, is_main_process
from mmengine.hooks import Hook

from harness.ledger.files import atomic_replace, write_text_atomically
from harness.ledger.lock import RunLock
from harness.ledger.record import Epoch
from harness.ledger.run_dir import PROGRESS, RESUME
from harness.system.disk import require_room
from harness.worker.resume import keep_previous
from harness.worker.signals import STOP, Stopped, stop_between_steps
from mtcd_plugin.engine.hooks.stage_checkpoint_hook import unknown_training
from mtcd_plugin.engine.model_wrapper import unwrapped


class NanLossHook(Hook):
    """Stops a training whose loss is no longer finite, and names the step where it happened."""

    def read_step(self, runner, batch_idx: int, numbers: dict[str, float]) -> None:
        for name, value in numbers.items():
            if "loss" in name and not math.isfinite(value):
                raise FloatingPointError(f"{name} is {value} in epoch {runner.epoch + 1}, iteration {batch_idx + 1}")


class AtomicCheckpointHook(Hook):
    """Saves the state after every epoch, whole or not at all:
    MMEngine's hook removes the old file before it has the new one.

    Raises DiskFull before the training, or before a save, for which there is no room; LockLost where another harness
    has taken the run over.
    """

    def __init__(self, folder: Path, lock: RunLock) -> None:
        self.folder = folder
        self.lock = lock

    def before_train(self, runner) -> None:
        require_room(self.folder, runner.model, files=3)

    def after_train_epoch(self, runner) -> None:
        if not is_main_process():
            return
        require_room(self.folder, runner.model, files=1)
        with atomic_replace(self.folder / RESUME, check=self._make_way) as file:
            runner.save_checkpoint(str(file.parent), file.name, by_epoch=True)

    def _make_way(self) -> None:
        self.lock.check()
        keep_previous(self.folder)


class ExactResumeHook(Hook):
    """Keeps the state of every random generator in the checkpoint, so that a resumed run equals an undisturbed one."""

    def __init__(self) -> None:
        self._state: dict[str, Any] | None = None

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        checkpoint["random_state"] = {
            "python": [random.getstate()[0], list(random.getstate()[1]), random.getstate()[2]],
            "numpy": [x.tolist() if isinstance(x, np.ndarray) else x for x in np.random.get_state()],
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        self._state = checkpoint.get("random_state")

    def before_train_epoch(self, runner) -> None:
        if self._state is None:
            return
        state, self._state = self._state, None
        version, internal, gauss = state["python"]
        random.setstate((version, tuple(internal), gauss))
        name, keys, *rest = state["numpy"]
        np.random.set_state((name, np.asarray(keys, dtype=np.uint32), *rest))
        torch.set_rng_state(state["torch"])
        if state["cuda"]:
            torch.cuda.set_rng_state_all(state["cuda"])


class RunLogHook(Hook):
    """Collects one ``Epoch`` per epoch, writes the heartbeat, turns SIGTERM into a clean stop, and raises LockLost
    where another harness has taken the run over.

    The epochs are kept in the checkpoint, so that a resumed run knows those before it.
    """

    def __init__(self, folder: Path, max_epochs: int | None, lock: RunLock) -> None:
        self.folder = folder
        self.lock = lock
        self.max_epochs = max_epochs
        self.epochs: list[Epoch] = []
        self.means: list[dict[str, float]] = []  # of every logged number, by epoch
        self.trained_before = 0.0
        self._beat = 0.0
        self._train_started = time.perf_counter()
        stop_between_steps()

    def before_train(self, runner) -> None:
        self._train_started = time.perf_counter()

    def before_train_epoch(self, runner) -> None:
        self._sums: dict[str, float] = {}
        self._count = 0
        self._data = 0.0
        self._start = self._mark = time.perf_counter()

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        self._data += time.perf_counter() - self._mark

    def read_step(self, runner, batch_idx: int, numbers: dict[str, float]) -> None:
        for name, value in numbers.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(np.float32(value))
        self._count += 1

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs: dict | None = None) -> None:
        self._step(runner, "train", batch_idx)
        self._mark = time.perf_counter()

    def after_test_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        self._step(runner, "test", batch_idx)

    def _step(self, runner, phase: str, batch_idx: int) -> None:
        if STOP.is_set():
            raise Stopped
        if is_main_process() and time.monotonic() - self._beat > 1.0:
            self._beat = time.monotonic()
            stands = {
                "phase": phase,
                "epoch": len(self.epochs),
                "max_epochs": self.max_epochs or 0,
                "iteration": batch_idx + 1,
                **(self._so_far() if phase == "train" else {}),
            }
            write_text_atomically(self.folder / PROGRESS, json.dumps(stands) + "\n", sync=False)
            self.lock.check()

    def _so_far(self) -> dict[str, float]:
        """Mean loss and training accuracy of this epoch until now, where they are numbers; of runs that train side by
        side those of the first.
        """
        first = "point0/"
        means = {k: v / max(self._count, 1) for k, v in self._sums.items()}
        own = {k[len(first) :]: v for k, v in means.items() if k.startswith(first)} or means
        found = {"loss": _loss(own), "train_top1": own.get("top1_acc")}
        return {k: v for k, v in found.items() if v is not None and math.isfinite(v)}

    def after_train_epoch(self, runner) -> None:
        shares = all_gather_object({k: v / max(self._count, 1) for k, v in self._sums.items()})
        means = {k: sum(share[k] for share in shares) / len(shares) for k in shares[0]}
        self.means.append(means)
        losses = {k: v for k, v in means.items() if "loss" in k and k != "loss"}
        lr = runner.optim_wrapper.get_lr()
        rate = next(iter(lr.values()))
        self.epochs.append(
            Epoch(
                epoch=runner.epoch + 1,
                loss=_loss(means),
                losses=losses,
                train_top1=means.get("top1_acc"),
                lr=float(rate[0] if isinstance(rate, list) else next(iter(rate.values()))[0]),
                seconds=time.perf_counter() - self._start,
                data_seconds=self._data,
            )
        )

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        checkpoint["harness_means"] = list(self.means)
        checkpoint["harness_epochs"] = [e.model_dump() for e in self.epochs]
        checkpoint["harness_seconds"] = self.trained_before + time.perf_counter() - self._train_started

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        self.epochs = [Epoch(**e) for e in checkpoint.get("harness_epochs", [])]
        self.means = list(checkpoint.get("harness_means", []))
        self.trained_before = float(checkpoint.get("harness_seconds", 0.0))

    def of_point(self, number: int) -> list[Epoch]:
        """The epochs of one of several runs that train side by side (``point<i>/`` in their logged names)."""
        prefix = f"point{number}/"
        found = []
        for epoch, means in zip(self.epochs, self.means, strict=True):
            own = {k[len(prefix) :]: v for k, v in means.items() if k.startswith(prefix)}
            losses = {k: v for k, v in own.items() if "loss" in k and k != "loss"}
            found.append(
                epoch.model_copy(update={"loss": _loss(own), "losses": losses, "train_top1": own.get("top1_acc")})
            )
        return found

    def data_time_share(self) -> float | None:
        total = sum(e.seconds or 0.0 for e in self.epochs)
        return sum(e.data_seconds or 0.0 for e in self.epochs) / total if total > 0 else None


def _loss(means: dict[str, float]) -> float:
    """The loss among logged numbers: their sum where they are losses alone."""
    return means.get("loss", sum(v for k, v in means.items() if "loss" in k))


def training_notes(runner) -> list[str]:
    """What a reader must know about how the network of a Runner was trained, one line each."""
    model = unwrapped(runner.model)
    found = [
        unknown_training(role)
        for role, meta in getattr(model, "checkpoint_meta", {}).items()
        if not meta.get("train_subjects")
    ]
    shares = all_gather_object(sorted(getattr(model, "undistilled", ())))
    undistilled = sorted({clip for share in shares for clip in share})
    if undistilled:
        few = ", ".join(undistilled[:3])
        found.append(
            f"{len(undistilled)} training clips have no teacher modality; trained without distillation (first: {few})"
        )
    return found
