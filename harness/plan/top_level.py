"""Top-level keys of a config: those that something reads, and what is wrong with any other."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import unknown_name
from harness.ledger.identity import RUNNER_KEYS

# What MMEngine's Runner and MMAction2's tools read beside what a result depends on.
OF_MMENGINE = (
    *("default_scope", "custom_imports", "default_hooks", "env_cfg", "log_processor", "log_level", "visualizer"),
    *("vis_backends", "resume", "work_dir", "launcher", "randomness", "experiment_name", "strategy"),
)
OWN = ("profiles", "parents")
KNOWN = (*RUNNER_KEYS, *OF_MMENGINE, *OWN)
NEAR = 0.8  # of difflib: so like a key that is read that it was meant for it


def without_effect(config: Mapping[str, Any], files: Iterable[Path]) -> str:
    """A note on what a config says in vain, "" where there is none: top-level keys that nothing reads and no other line
    of their file uses, and what every run has of its own.

    A helper variable that is set anew beside the file that uses it is one: MMEngine's bases have used it by then.

    Args:
        config: what a config says, with what it inherits. files: those that it was read from.

    Raises:
        ValueError: such a key is ``transforms``, or nearly one that is read.
    """
    unknown = [key for key in config if key not in KNOWN]
    names = {file: _names(file, file.stat().st_mtime_ns) for file in files} if unknown else {}
    of_bases = frozenset[str]().union(*(n.of_bases for n in names.values()))
    vain = []
    for file, found in names.items():
        for key in unknown if ".mim" not in file.parts else ():  # an installed package's file is nobody's to change
            if key in found.set and key not in found.used | of_bases:
                _check_key(file, key)
                vain.append(f"{key} of {file.name}")
    said = [f"nothing reads {', '.join(vain)}: without effect"] if vain else []
    return "; ".join([*said, *_replaced(config)])


def _replaced(config: Mapping[str, Any]) -> list[str]:
    """What MMEngine reads, and every run replaces by its own."""
    said = []
    if (runner := config.get("runner_type", "Runner")) != "Runner":
        said.append(f"runner_type {runner}: without effect, runs have a Runner of their own")
    checkpoint = (config.get("default_hooks") or {}).get("checkpoint") or {}
    if checkpoint.get("save_best"):
        said.append("default_hooks.checkpoint.save_best: without effect, the last epoch is the result")
    return said


def check_section(section: dict[str, Any], more: Iterable[str], where: str) -> None:
    """Raise ValueError for a key of a config's own profile that nothing reads, as nothing does a helper variable."""
    known = {*KNOWN, *more} - {"profiles"}
    if unknown := [k for k in section if k.split(".")[0] not in known]:
        raise ValueError(f"{where}: {unknown_name('key', unknown[0], sorted(known))}")


def refuse_a_seed(path: Path, section: dict[str, Any], where: str) -> None:
    """Raise ValueError for ``randomness``: a run sets its own, so that a config's would change nothing."""
    if any(key.split(".")[0] == "randomness" for key in section):
        raise ValueError(
            f"{path}: {where}randomness is not the config's to say: the seed is the "
            "run's (--seeds N runs seeds 0 to N - 1); "
            "take it out"
        )


def check_dicts(path: Path, config: Mapping[str, Any]) -> None:
    """Raise ValueError for a key that holds a dict in every config and is none here."""
    for key in ("model", "train_dataloader", "test_dataloader", "optim_wrapper", "default_hooks", "parents"):
        if (given := config.get(key)) is not None and not isinstance(given, Mapping):
            raise ValueError(f"{path}: {key} = {given!r}; write {key} = dict(...) with the arguments that differ")


def _check_key(file: Path, key: str) -> None:
    if key == "transforms":
        raise ValueError(
            f"{file}: transforms has no effect outside of profiles; for values at one profile: "
            "profiles = dict(demo=dict(transforms=dict(...))), else change the pipeline of a dataloader"
        )
    if near := get_close_matches(key, KNOWN, n=1, cutoff=NEAR):
        raise ValueError(
            f"{file}: unknown key '{key}' (near: {near[0]}), which nothing reads; correct it or take it out"
        )


class _Names(NamedTuple):
    set: frozenset[str]
    used: frozenset[str]
    of_bases: frozenset[str]  # what is used as ``_base_.name``


@cache
def _names(file: Path, _changed: int) -> _Names:
    """The variables of a config file."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    names = [n for n in nodes if isinstance(n, ast.Name)]
    return _Names(
        frozenset(n.id for n in names if isinstance(n.ctx, ast.Store)),
        frozenset(n.id for n in names if isinstance(n.ctx, ast.Load)),
        frozenset(n.attr for n in nodes if isinstance(n, ast.Attribute) and _is_base(n.value)),
    )


def _is_base(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "_base_"
