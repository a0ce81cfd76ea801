"""What a config says at a profile: the config, the profile's merges and the variant's overrides as one dict.

A profile is two merges, in this order: ``_base_/profiles/<profile>.py`` (the same for every config), then the
config's own ``profiles[<profile>]`` (its width, depth, input size). Dotted overrides come last.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.plan.config_file import plain, read_config

PROFILE_KEYS = ("transforms", "overrides", "optim_wrapper", "param_scheduler", "train_cfg")


@dataclass(frozen=True)
class Resolved:
    """A config at a profile. ``config`` is plain dicts and lists, without ``profiles`` and ``parents``."""

    config: dict[str, Any] = field(hash=False)
    parents: dict[str, dict[str, Any]] = field(hash=False)  # stage -> dict(config=..., into=[...], ...)
    files: tuple[Path, ...]  # every config file that was read


def resolve(
    config_path: str | os.PathLike, profile: str, overrides: dict[str, Any] | None = None
) -> Resolved:
    """Read a config and merge a profile and dotted overrides into it.

    Args:
        config_path: a text-style MMEngine config.
        profile: name of a file in the ``_base_/profiles`` folder next to or above the config's folder.
        overrides: dotted key -> value, e.g. ``{"model.alpha": 0.0}``; list positions are numbers. A last part
            that is new is allowed (it may be an argument left at its default), an unknown parent is not.

    Raises:
        FileNotFoundError: no such config.
        ValueError: a file that does not parse, an unknown profile, a profile that does not fit the config, or
            an override whose parent does not exist.
    """
    path = Path(config_path).absolute()
    config, files = read_config(path)
    chosen, known, profile_files = _read_profile(path, profile)
    own = config.pop("profiles", None) or {}
    if unknown := sorted(set(own) - known):
        raise ValueError(
            f"{path}: profiles.{unknown[0]} is no profile; choose from {', '.join(sorted(known))}"
        )

    config = _apply_profile(config, chosen)
    if own.get(profile):
        try:
            config = _merged(config, own[profile])
        except (TypeError, KeyError) as e:
            raise ValueError(f"{path}: profiles.{profile} does not fit the config: {e}") from None
    for key, value in (overrides or {}).items():
        _check_parent(config, key, path)
        config = _merged(config, {key: value})

    result = plain(config)
    parents = result.pop("parents", None) or {}
    return Resolved(result, parents, tuple(dict.fromkeys((*files, *profile_files))))


def _read_profile(path: Path, profile: str) -> tuple[dict[str, Any], set[str], tuple[Path, ...]]:
    """The profile's content, the names of all profiles, and the files read."""
    for folder in path.parents:
        profiles = folder / "_base_" / "profiles"
        if profiles.is_dir():
            break
    else:
        raise ValueError(f"{path}: no _base_/profiles folder in the folders above it")
    known = {p.stem for p in profiles.glob("*.py")}
    if profile not in known:
        raise ValueError(f"{path}: unknown profile '{profile}'; choose from {', '.join(sorted(known))}")
    content, files = read_config(profiles / f"{profile}.py")
    if unknown := sorted(set(content) - set(PROFILE_KEYS)):
        raise ValueError(
            f"{files[0]}: unknown key '{unknown[0]}'; a profile may hold {', '.join(PROFILE_KEYS)}"
        )
    return content, known, files


def _apply_profile(config: dict[str, Any], profile: dict[str, Any]) -> dict[str, Any]:
    """A config merged with a profile file, but for what a rendering (``train_cfg=None``) does not have."""
    for arguments in _transforms(config):
        arguments.update(plain(profile.get("transforms", {}).get(arguments["type"], {})))
    overrides = profile.get("overrides", {})
    config = _merged(config, {k: v for k, v in overrides.items() if config.get(k.split(".")[0]) is not None})
    if config.get("train_cfg") is not None:
        config |= {k: profile[k] for k in ("optim_wrapper", "param_scheduler", "train_cfg") if k in profile}
    return config


def _merged(config: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """As MMEngine's ``Config.merge_from_dict``, whose merge this is, without making a ``Config`` of all that stays as it is."""
    from mmengine.config import Config

    nested: dict[str, Any] = {}
    for key, value in options.items():
        node = nested
        *parents, last = key.split(".")
        for part in parents:
            node = node.setdefault(part, {})
        node[last] = plain(value)
    return Config._merge_a_into_b(nested, config, allow_list_keys=True)


def _transforms(node: Any) -> list[Any]:
    """Every transform config of every pipeline below ``node``."""
    found = []
    if isinstance(node, (list, tuple)):
        for child in node:
            found += _transforms(child)
    elif hasattr(node, "items"):
        for key, child in node.items():
            if key == "pipeline" and isinstance(child, (list, tuple)):
                found += [t for t in child if hasattr(t, "get") and "type" in t]
            found += _transforms(child)
    return found


def _check_parent(config: dict[str, Any], key: str, path: Path) -> None:
    """Raise ValueError unless the place that a dotted key names exists up to its last part."""
    node: Any = config
    parts = key.split(".")
    for depth, part in enumerate(parts):
        at = ".".join(parts[:depth])
        where = f" in '{at}'" if at else " at the top level"
        last = depth == len(parts) - 1
        if isinstance(node, dict):
            if part in node:
                node = node[part]
            elif not (last and depth):
                choices = ", ".join(sorted(node))
                raise ValueError(f"{path}: override '{key}': no '{part}'{where}; choose from {choices}")
        elif isinstance(node, (list, tuple)):
            if not (part.isdigit() and int(part) < len(node)):
                raise ValueError(
                    f"{path}: override '{key}': '{at}' is a list; choose a position from 0 to {len(node) - 1}"
                )
            node = node[int(part)]
        else:
            raise ValueError(f"{path}: override '{key}': '{at}' is {node!r} and has no part '{part}'")
