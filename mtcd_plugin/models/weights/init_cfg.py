"""``init_cfg`` and ``pretrained`` with the same meaning in every registered network.

``init_cfg=dict(type='Pretrained', checkpoint=..., prefix=...)`` is refused by MMAction2's recognizers, C3D and
TimeSformer and ignored by ResNet3d; ``pretrained=`` of the backbones wants another kind of file in each, and loads
nothing where no name fits. Once :func:`install` has been called, MMEngine's registries of models build a network
without them, and its ``init_weights`` ends with :func:`load_weights`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from mmaction.models.recognizers.base import BaseRecognizer
from mmaction.registry import MODELS, WEIGHT_INITIALIZERS
from mmengine.model import BaseModule
from mmengine.model.weight_init import PretrainedInit, update_init_info
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from mtcd_plugin.models.arguments import accepted_arguments, unknown_arguments
from mtcd_plugin.models.weights.starting_weights import LoadReport, load_weights, read_checkpoint
from mtcd_plugin.models.weights.weight_names import NOT_WEIGHTS, not_finite, shape_of

PRETRAINED_KEYS = {"type", "checkpoint", "prefix", "map_location"}
READS_INIT_CFG = "reads_init_cfg"  # attribute of a class that hands its starting weights on itself


def install() -> None:
    """Make the registries of models and MMEngine's reading of checkpoints use one loader. Any number of times."""
    for registry in (MMENGINE_MODELS, MODELS):
        if not (isinstance(registry.build_func, partial) and registry.build_func.func is build):
            registry.build_func = partial(build, registry.build_func)
    CheckpointLoader.register_scheme(("", "file://", "http://", "https://"), _read, force=True)


def _read(filename: str, map_location: Any = None) -> dict[str, Any]:
    return read_checkpoint(filename, "checkpoint", map_location)


def build(original: Callable, cfg: Any, *args: Any, registry: Any, **kwargs: Any) -> Any:
    """Build a module as MMEngine does,
    with its starting weights taken out of the config and loaded by ``init_weights``.

    Raises:
        TypeError: an argument that the class does not have; MMAction2's classes hand it on to where it is an
            AssertionError without a word.
    """
    if not isinstance(cfg, dict):
        return original(cfg, *args, registry=registry, **kwargs)
    cfg, given = take_out(cfg, registry)
    try:
        module = original(cfg, *args, registry=registry, **kwargs)
    except (TypeError, AssertionError) as e:
        if message := unknown_arguments(_class_of(cfg, registry), cfg):
            raise TypeError(message) from e
        raise
    if given:
        module.start_given = given
    if isinstance(module, BaseRecognizer):
        module.register_load_state_dict_pre_hook(refuse_partial)
    others = () if getattr(module, READS_INIT_CFG, False) else tuple(_kinds(cfg.get("init_cfg")))
    if given or others:
        module.init_weights = partial(initialise, module, others)
    return module


def take_out(cfg: dict, registry: Any) -> tuple[dict, list[dict]]:
    """A module's config without starting weights, and those, in the order in which they are loaded.

    Raises:
        ValueError: an argument that the initializer ``Pretrained`` does not have.
    """
    init_cfg, pretrained = cfg.get("init_cfg"), cfg.get("pretrained")
    listed = as_list(init_cfg)
    given = [i for i in listed if _is_pretrained(i)]
    if not given and not (isinstance(pretrained, str) and pretrained):
        return cfg, []
    kind = _class_of(cfg, registry)
    if getattr(kind, READS_INIT_CFG, False):
        return cfg, []
    given = [_checked(i) for i in given]
    cfg = dict(cfg)
    if others := [i for i in listed if not _is_pretrained(i)]:
        cfg["init_cfg"] = others
    else:
        cfg.pop("init_cfg", None)
    if isinstance(pretrained, str) and pretrained and _is_mmaction_backbone(kind):
        given.insert(0, {"checkpoint": cfg.pop("pretrained")})
    if given and _is_mmaction_backbone(kind):
        takes = accepted_arguments(kind)
        for flag, off in (("pretrained2d", False), ("pretrained_type", None)):  # the loader sees which kind a file is
            if flag in takes:
                cfg[flag] = off
    return cfg, given


def initialise(module: nn.Module, others: tuple[str, ...]) -> None:
    """A module's own initialisation, then its starting weights.

    Raises:
        ValueError: other entries of ``init_cfg`` that the module's class ignores; or see :func:`load_weights`.
    """
    own = getattr(type(module), "init_weights", None)
    if own is not None:
        own(module)
    if others and isinstance(module, BaseModule) and not module.is_init:
        raise ValueError(
            f"{type(module).__name__} ignores init_cfg: {', '.join(others)} would have no effect; leave it out"
        )
    load_given(module)


def load_given(module: nn.Module) -> None:
    """Load the starting weights that a module's own config names.

    Raises:
        FileNotFoundError, ConnectionError, ValueError: see :func:`load_weights`.
    """
    for weights in getattr(module, "start_given", ()):
        StartingWeights(weights["checkpoint"], weights.get("prefix"))(module)


@WEIGHT_INITIALIZERS.register_module("Pretrained")
class StartingWeights:
    """MMEngine's ``Pretrained`` for modules that name their starting weights in code.

    Args:
        checkpoint, prefix: see :func:`load_weights`. map_location: as MMEngine's, without effect: weights are copied.
    """

    def __init__(self, checkpoint: str, prefix: str | None = None, map_location: str = "cpu") -> None:
        self.checkpoint, self.prefix = checkpoint, prefix

    def __call__(self, module: nn.Module) -> None:
        report = load_weights(module, self.checkpoint, self.prefix or "", type(module).__name__)
        module.start_reports = [*getattr(module, "start_reports", ()), report]  # type: ignore[assignment]  # a plain attribute
        if hasattr(module, "_params_init_info"):
            update_init_info(module, init_info=f"starting weights from {report.file}")


def start_reports(model: nn.Module) -> list[LoadReport]:
    """What was loaded into a model and the modules in it, with each module's place."""
    found = []
    for where, module in model.named_modules():
        for report in getattr(module, "start_reports", ()):
            report.where = where
            found.append(report)
    return found


def refuse_partial(
    module: nn.Module, state_dict: dict[str, Tensor], prefix: str, _metadata: Any, strict: bool, *_: Any
) -> None:
    """Load-state hook of recognizers: all of a checkpoint or none of it.

    MMEngine's ``load_checkpoint`` (``tools/test.py``, ``init_recognizer``) logs what does not fit and goes on with
    random weights. A training takes what fits: it loads a state that was completed before, see :func:`state_from`.

    Raises:
        ValueError: a weight that is missing, unexpected, of another shape, NaN or infinite.
    """
    if prefix or not strict:
        return
    if line := first_difference(module.state_dict(), state_dict):
        raise ValueError(
            f"the checkpoint is not of this {type(module).__name__}: {line}; "
            "test it with the config that it was trained with"
        )
    if line := not_finite(module.state_dict(), state_dict):
        raise ValueError(f"the checkpoint cannot be used: {line}; its training diverged")


def first_difference(own: dict[str, Tensor], given: dict[str, Tensor]) -> str:
    """What keeps a state from being that of a network, "" for nothing."""
    missing = [n for n in own if n not in given and not NOT_WEIGHTS.search(n)]
    unexpected = [n for n in given if n not in own and not NOT_WEIGHTS.search(n)]
    if missing or unexpected:
        parts = [f"it lacks {len(missing)} of {len(own)} weights, first '{missing[0]}'"] if missing else []
        parts += [f"it has {len(unexpected)} more, first '{unexpected[0]}'"] if unexpected else []
        return " and ".join(parts)
    for name, value in own.items():
        if name in given and given[name].shape != value.shape:
            return f"{name} is {shape_of(given[name])} there and {shape_of(value)} here"
    return ""


def as_list(init_cfg: Any) -> list:
    """The entries of an ``init_cfg``: one dict, several, or none."""
    return list(init_cfg) if isinstance(init_cfg, (list, tuple)) else [init_cfg] if init_cfg else []


def _is_pretrained(init: Any) -> bool:
    if not isinstance(init, dict):
        return False
    kind = init.get("type")
    return kind is PretrainedInit or (
        isinstance(kind, str) and kind.rpartition(".")[2] in ("Pretrained", "PretrainedInit")
    )


def _checked(init: dict) -> dict:
    if unknown := sorted(set(init) - PRETRAINED_KEYS):
        raise ValueError(f"init_cfg: 'Pretrained' takes checkpoint and prefix, not {unknown[0]}")
    if not isinstance(init.get("checkpoint"), str) or not init["checkpoint"]:
        raise ValueError("init_cfg: 'Pretrained' needs checkpoint=<path, file:// or http(s):// address>")
    return dict(init)


def _kinds(init_cfg: Any) -> list[str]:
    return [str(i.get("type")) for i in as_list(init_cfg) if isinstance(i, dict)]


def _class_of(cfg: dict, registry: Any) -> Any:
    kind = cfg.get("type")
    if not isinstance(kind, str):
        return kind
    with registry.switch_scope_and_registry(cfg.get("_scope_")) as scoped:
        return scoped.get(kind)


def _is_mmaction_backbone(kind: Any) -> bool:
    return inspect.isclass(kind) and any(c.__module__.startswith("mmaction.models.backbones") for c in kind.__mro__)
