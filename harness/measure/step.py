"""What distillation costs in a student's training step, beyond the student's own forward and backward."""

from __future__ import annotations

import tempfile
import time
from statistics import median
from typing import Any

import torch

from harness.errors import count
from harness.measure.parts import ParentWeights, batch, build, import_named, optimizer_of, quietly
from harness.measure.timing import wait_for_device
from harness.plan.resolve import resolve
from harness.suite import Entry
from harness.suite.dotted import set_dotted

ALONE = {"model.alpha": 0.0, "model.beta": 0.0}  # the same student with its converter, and nothing that teaches


def measure_student_step(
    entry: Entry,
    entries: dict[str, Entry],
    profile: str,
    device: torch.device | str = "cpu",
    clips: int | None = None,
    threads: int = 1,
    repeats: int = 5,
) -> dict[str, Any]:
    """Time whole training steps (preprocessing, losses, backward, optimizer) with and without distillation, in turn.

    Random clips and untrained networks: neither changes what a step computes. Pseudo-infrared is given, as from its
        store.

    Args:
        entry: a student's. clips: of a batch, by default the config's own batch. repeats: steps of each that count.

    Returns:
        ``student_step_s``: median step of the student alone; ``distilled_step_s``: with teacher and assistant;
        ``beyond_over_student``: median over pairs of what the second takes more, as a share of the first.
    """
    place = torch.device(device)
    with quietly(threads), tempfile.TemporaryDirectory(prefix="harness-step-") as folder:
        resolved = resolve(entry.config, profile)
        config = ParentWeights(entries, folder, profile).fill(entry, resolved)
        import_named(config)
        size = clips or config["train_dataloader"]["batch_size"]
        alone = config
        for key, value in ALONE.items():
            alone = set_dotted(alone, key, value)
        data = batch(config, "train", entry.test_modality, size)
        own = {**data, "inputs": {m: data["inputs"][m] for m in entry.test_modalities}}
        steps = [_step(c, d, place) for c, d in ((alone, own), (config, data))]
        seconds: list[list[float]] = [[], []]
        for i in range(repeats + 1):  # the first pays for what is built when first used
            for each, step in zip(seconds, steps, strict=True):
                taken = _time(step, place)
                if i:
                    each.append(taken)
    pairs = list(zip(*seconds, strict=True))
    return {
        "student_step_s": median(seconds[0]),
        "distilled_step_s": median(seconds[1]),
        "beyond_over_student": median((whole - a) / a for a, whole in pairs),
        "step_clips": size,
        "step_pairs": len(pairs),
        "step_profile": profile,
        "step_device": torch.cuda.get_device_name(place)
        if place.type == "cuda"
        else f"CPU, {count(threads, 'thread')}",
    }


def _step(config: dict[str, Any], data: dict, device: torch.device):
    model = build(config).to(device).train()
    optimizer = optimizer_of(config, model)
    return lambda: model.train_step(data, optimizer)


def _time(step, device: torch.device) -> float:
    wait_for_device(device)
    began = time.perf_counter()
    step()
    wait_for_device(device)
    return time.perf_counter() - began
