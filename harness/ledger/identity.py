"""What makes two runs the same run (docs/architecture.md, rule 2).

The key is the sha256 of the canonical JSON of an ``Identity``: the resolved config without paths and hardware settings,
the fingerprints of the clips, the keys of the parent stages, the definitions that its classes are made of, the
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

IDENTITY_VERSION = 3  # 2: code was one hash a module

SCOPE = "mmaction"  # the registries that names of types are looked up in
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
    "sync_bn",
    "compile",
    "activation_checkpointing",
)
# Of ``default_hooks``: what writes, logs and counts, and what every training has.
USUAL_HOOKS = frozenset(
    {
        *("RuntimeInfoHook", "IterTimerHook", "LoggerHook", "ParamSchedulerHook", "CheckpointHook"),
        *("DistSamplerSeedHook", "SyncBuffersHook", "VisualizationHook", "ClassCountHook", "EpochSeedHook"),
        *("PlainCheckpointHook", "TrainingStateHook", "StartingWeightsHook", "ClipVisualizationHook"),
        *("StageCheckpointHook", "SingleTeacherCheckpointHook"),
    }
)
TRAINS_WITH = ("ParamSchedulerHook", "DistSamplerSeedHook", "EpochSeedHook")  # without it, it is another training
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
        "spans",
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
    if config.get("train_cfg") and (hooks := _unusual_hooks(config.get("default_hooks") or {})):
        kept["default_hooks"] = hooks
    if config.get("default_scope", SCOPE) != SCOPE:
        kept["default_scope"] = config["default_scope"]
    return {"profile": profile, **canonical(_strip(kept))}


def _unusual_hooks(hooks: Mapping[str, Any]) -> dict[str, Any]:
    """Of ``default_hooks`` what makes another training: hooks of other types than the usual ones, by name, and the type
    of each usual one that the Runner goes without, as None."""
    of_mmengine = {"param_scheduler": {"type": "ParamSchedulerHook"}, "sampler_seed": {"type": "DistSamplerSeedHook"}}
    own = {name: hook for name, hook in (of_mmengine | {**hooks}).items() if isinstance(hook, Mapping)}
    types = {name: str(hook.get("type")).removeprefix("mmengine.") for name, hook in own.items()}
    found = {name: own[name] for name, kind in types.items() if kind not in USUAL_HOOKS}
    return found | {kind: None for kind in TRAINS_WITH if kind not in types.values()}


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
    return [line for lines in differing(old, new).values() for line in lines]


def differing(old: Identity, new: Identity) -> dict[str, list[str]]:
    """What differs, by component: ``version``, ``config``, ``data``, ``parents``, ``code``, ``seed``.

    Where the versions differ, code is not compared: it is fingerprinted in another way.
    """
    found: dict[str, list[str]] = {}
    if old.version != new.version:
        found["version"] = [
            f"rule for keys: {old.version} -> {new.version} "
            "(the older rule hashed code differently, so code cannot be compared)"
        ]
    a, b = _flat(old.config), _flat(new.config)
    found["config"] = [
        f"config {key}: {_show(a, key)} -> {_show(b, key)}"
        for key in sorted(a.keys() | b.keys())
        if a.get(key, ABSENT) != b.get(key, ABSENT)
    ]
    for name, x, y in (("data", old.data, new.data), ("parents", old.parents, new.parents)):
        found[name] = [f"{name} {key}: {_short(x, key)} -> {_short(y, key)}" for key in _unequal(x, y)]
    if old.version == new.version:
        found["code"] = _code_lines(old.code, new.code)
    found["seed"] = [f"seed: {old.seed} -> {new.seed}"] if old.seed != new.seed else []
    return {name: lines for name, lines in found.items() if lines}


def _code_lines(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """The definitions that changed themselves; where none did, those that refer to others than before."""
    names = _unequal(old, new)
    own = {name: [code.get(name, "").partition(":")[0] for code in (old, new)] for name in names}
    lines = [f"code {n}: {_short(old, n)} -> {_short(new, n)}" for n in names if own[n][0] != own[n][1]]
    return lines or [f"code {n}: refers to another definition than before" for n in names]


def _unequal(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return [key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)]


def _short(values: Mapping[str, str], key: str) -> str:
    return values.get(key, "absent")[:12]


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
