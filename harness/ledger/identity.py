"""What makes two runs the same run (docs/architecture.md, rule 2).

The key is the sha256 of the canonical JSON of an ``Identity``: the resolved config without paths and hardware settings,
the fingerprints of the clips, the keys of the parent stages, the source of all modules that its classes come from, the
seed, and ``IDENTITY_VERSION``. Equal key = same run, whichever table asks and wherever the data lies.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from harness.ledger.record import Identity

IDENTITY_VERSION = 2

# What MMEngine's Runner reads and a result depends on. Everything else in a config file is a helper variable.
RUNNER_KEYS = (
    "model",
    "load_from",
    "train_dataloader",
    "train_cfg",
    "optim_wrapper",
    "param_scheduler",
    "auto_scale_lr",
    "custom_hooks",
    "val_dataloader",
    "val_cfg",
    "val_evaluator",
    "test_dataloader",
    "test_cfg",
    "test_evaluator",
    "data_preprocessor",
    "model_wrapper_cfg",
    "find_unused_parameters",
    "efficient_conv_bn_eval",
    "runner_type",
    "deterministic",
)
# Where things lie and what they run on: never part of a result.
PATH_KEYS = frozenset(
    {
        "data_root",
        "data_prefix",
        "clip_store",
        "output_dir",
        "out_file",
        "work_dir",
        "quarantine",
    }
)
HARDWARE_KEYS = frozenset(
    {
        "num_workers",
        "persistent_workers",
        "pin_memory",
        "prefetch_factor",
        "multiprocessing_context",
        "worker_init_fn",
        "timeout",
    }
)


def canonical(value: Any, where: str = "config") -> Any:
    """A value as plain JSON types with tuples as lists. Raises ValueError for what JSON cannot hold exactly."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{where}: {value} is not a finite number")
        return value
    if isinstance(value, Mapping):
        return {str(k): canonical(v, f"{where}.{k}") for k, v in value.items()}
    if isinstance(value, Sequence):
        return [canonical(v, f"{where}.{i}") for i, v in enumerate(value)]
    if isinstance(value, PurePath):
        return str(value)
    raise ValueError(
        f"{where}: a {type(value).__name__} cannot be part of a run's identity; use numbers, strings, lists and dicts"
    )


def canonical_json(value: Any) -> str:
    return json.dumps(canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def identity_config(config: Mapping[str, Any], profile: str) -> dict[str, Any]:
    """The part of a resolved config that a result depends on, without paths and hardware settings.

    Files of weights must have been replaced by their content's sha256 before, see ``plan.start``.
    """
    kept = {k: config[k] for k in RUNNER_KEYS if config.get(k) is not None}
    if not kept.get("auto_scale_lr", {}).get("enable"):
        kept.pop("auto_scale_lr", None)  # MMEngine scales nothing then
    return {"profile": profile, **canonical(_strip(kept))}


def _strip(value: Any) -> Any:
    if isinstance(value, Mapping):
        out = {}
        for k, v in value.items():
            if k in PATH_KEYS or k in HARDWARE_KEYS:
                continue
            out[k] = sorted(v) if k == "stores" and isinstance(v, Mapping) else _strip(v)
        return out
    if isinstance(value, (list, tuple)):
        return [_strip(v) for v in value]
    return value


def run_key(identity: Identity) -> str:
    """sha256 hex of an identity."""
    return hashlib.sha256(canonical_json(identity.model_dump()).encode()).hexdigest()


def key_maker(
    config: Mapping[str, Any], data: Mapping[str, str], code: Mapping[str, str]
) -> Callable[[Mapping[str, str], int], str]:
    """``run_key`` for identities that differ in parents and seed alone: ``maker(parents, seed)``.

    The text before the parents (keys are sorted: code, config, data) is hashed once for all of them.
    """
    head = f'{{"code":{canonical_json(code)},"config":{canonical_json(config)},"data":{canonical_json(data)},"parents":'
    begun = hashlib.sha256(head.encode())

    def make(parents: Mapping[str, str], seed: int) -> str:
        digest = begun.copy()
        digest.update(
            f'{canonical_json(parents)},"seed":{canonical_json(seed)},"version":{IDENTITY_VERSION}}}'.encode()
        )
        return digest.hexdigest()

    return make


def differences(old: Identity, new: Identity) -> list[str]:
    """Which components differ, one line each, with old and new value: the answer to ``status --why``."""
    lines = []
    if old.version != new.version:
        lines.append(f"identity version: {old.version} -> {new.version}")
    a, b = _flat(old.config), _flat(new.config)
    for key in sorted(a.keys() | b.keys()):
        if a.get(key, ABSENT) != b.get(key, ABSENT):
            lines.append(f"config {key}: {_show(a, key)} -> {_show(b, key)}")
    for name in ("data", "parents", "code"):
        x, y = getattr(old, name), getattr(new, name)
        for key in sorted(x.keys() | y.keys()):
            if x.get(key) != y.get(key):
                lines.append(f"{name} {key}: {str(x.get(key, 'absent'))[:12]} -> {str(y.get(key, 'absent'))[:12]}")
    if old.seed != new.seed:
        lines.append(f"seed: {old.seed} -> {new.seed}")
    return lines


ABSENT = object()


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    items: Iterable[tuple[Any, Any]]
    if isinstance(value, Mapping) and value:
        items = value.items()
    elif isinstance(value, list) and value:
        items = enumerate(value)
    else:
        return {prefix: value}
    out: dict[str, Any] = {}
    for k, v in items:
        out.update(_flat(v, f"{prefix}.{k}" if prefix else str(k)))
    return out


def _show(flat: dict[str, Any], key: str) -> str:
    return json.dumps(flat[key]) if key in flat else "absent"
