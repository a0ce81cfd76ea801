"""Cost and speed of model entries, apart from data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from mmaction.registry import MODELS

from harness.errors import BadUsage
from harness.measure.memory import PeakMemory
from harness.measure.parts import import_named, shapes
from harness.measure.timing import latency, throughput
from harness.network.cost import count_cost
from harness.plan.resolve import resolve
from harness.suite import Entry
from harness.system.environment import hardware


def bench_entries(entries: Iterable[Entry], profile: str, device: str = "auto") -> list[dict[str, Any]]:
    """One row per entry: params, flops (multiply-adds of a view), latency at batch 1,
    throughput at batch 8, peak memory.
    """
    from mmengine.registry import init_default_scope

    import mtcd_plugin.register  # noqa: F401

    init_default_scope("mmaction")

    where = device_of(device)
    return [_bench(e, profile, where) for e in entries]


def device_of(name: str) -> torch.device:
    """The device that ``cpu``, ``cuda``, ``cuda:1`` or ``auto`` (a GPU where there is one) stands for.

    Raises:
        BadUsage: another name, or a GPU that is not here.
    """
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name in ("auto", "cpu"):
        return torch.device("cuda" if gpus and name == "auto" else "cpu")
    choices = ["auto", "cpu", *(["cuda"] if gpus else []), *(f"cuda:{i}" for i in range(gpus))]
    if name not in choices:
        here = "" if gpus or not name.startswith("cuda") else ": PyTorch finds no GPU here"
        raise BadUsage(f"--device {name}{here}; choose from {', '.join(choices)}")
    return torch.device(name)


def _bench(entry: Entry, profile: str, device: torch.device) -> dict[str, Any]:
    config = resolve(entry.config, profile).config
    import_named(config)
    shape = shapes(config, "test", entry.test_modality)
    model = MODELS.build(config["model"]).to(device)
    cost = count_cost(model, shape)
    with PeakMemory(device) as memory:
        one = latency(model, shape, repeats=5, warmup=1)
        many = throughput(model, shape, batch_size=8, repeats=3, warmup=1)
    return {
        "model": entry.name,
        "profile": profile,
        "input_shape": {m: list(s) for m, s in shape.items()} if isinstance(shape, dict) else list(shape),
        "params": cost.params,
        "flops": cost.flops,
        "latency_ms": 1000 * one.median,
        "latency_p95_ms": 1000 * one.p95,
        "clips_per_s": many.clips_per_second,
        "peak_mib": memory.bytes / 2**20,
        "device": str(device),
        "threads": torch.get_num_threads(),
        "hardware": hardware(),
    }
