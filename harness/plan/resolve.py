"""What a config says at a profile: the config, the profile's merges and the variant's overrides as one dict.

A profile is two merges of the same form, in this order: ``_base_/profiles/<profile>.py`` (the same for every config),
then the config's own ``profiles[<profile>]``. Both hold config keys, merged as MMEngine merges a config into its base,
and ``transforms`` (type -> arguments), which go to every transform of that type. Dotted overrides come last; one such
as ``data.mgr_dark.one_in`` is an argument of that data set wherever the config or a stage that it depends on reads it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import PACKAGED_CONFIGS
from harness.errors import unknown_name
from harness.ledger.identity import HARDWARE_KEYS
from harness.plan.config_file import SCALE, own_content, plain, read_config
from harness.plan.fields import check_fields
from harness.plan.top_level import check_dicts, check_section, refuse_a_seed, without_effect
from harness.plan.values import check_values
from harness.suite.dotted import ABSENT, DATA, get_dotted

if TYPE_CHECKING:
    from harness.suite import Entry

TRANSFORMS = "transforms"
OF_A_TRAINING = ("train_dataloader", "optim_wrapper", "param_scheduler", "train_cfg")


@dataclass(frozen=True)
class Overridden:
    """A key that a config file sets and that has another value at a profile,
    which does not come from the file itself.
    """

    key: str
    own: Any
    value: Any  # at the profile; ``ABSENT`` where it has none

    def __str__(self) -> str:
        return f"{self.key} = {_shown(self.own)} ({'absent' if self.value is ABSENT else _shown(self.value)})"


@dataclass(frozen=True)
class Resolved:
    """A config at a profile. ``config`` is plain dicts and lists, without ``profiles`` and ``parents``."""

    config: dict[str, Any] = field(hash=False)
    parents: dict[str, dict[str, Any]] = field(hash=False)  # stage -> dict(config=..., inject_at=[...], ...)
    files: tuple[Path, ...]  # every config file that was read
    overridden: tuple[Overridden, ...] = field(default=(), hash=False)
    without_effect: str = ""  # a note on top-level keys that nothing reads

    def remark(self, profile: str) -> str:
        """One line on what the config says in vain at a profile, "" for nothing."""
        said = [self.without_effect] if self.without_effect else []
        if self.overridden:
            head = self.overridden[0].key.split(".")[0]
            said.append(
                f"profile {profile} overrides what the config says: "
                f"{', '.join(map(str, self.overridden))}; for a value "
                f"of its own at this profile: profiles = dict({profile}=dict({head}=...))"
            )
        rate = get_dotted(self.config, "optim_wrapper.optimizer.lr")
        for scheduler in self.config.get("param_scheduler") or ():
            one_cycle = isinstance(scheduler, dict) and scheduler.get("type") == "OneCycleLR"
            if one_cycle and rate not in (ABSENT, scheduler.get("eta_max")):
                said.append(
                    f"lr = {rate} has no effect: OneCycleLR sets the rate, up to eta_max = {scheduler.get('eta_max')}"
                )
        return "; ".join(said)


def resolve(config_path: str | os.PathLike[str], profile: str, overrides: dict[str, Any] | None = None) -> Resolved:
    """Read a config and merge a profile and dotted overrides into it.

    Args:
        config_path: a text-style MMEngine config.
        profile: name of a file in the ``_base_/profiles`` folder above the config, else of the packaged configs.
        overrides: dotted key -> value, e.g. ``{"model.alpha": 0.0}``; list positions are numbers. A last part
            that is new is allowed (it may be an argument left at its default), an unknown parent is not. Those that
            begin with ``data.`` are passed on to the parents.

    Raises:
        FileNotFoundError: no such config.
        ValueError: a file that does not parse, an unknown profile, a profile that does not fit the config, a key that
            neither loaders nor training loop take, or an override whose parent does not exist.
    """
    path = Path(os.path.abspath(config_path))  # without "..", as MMEngine names what it reads
    config, files = read_config(path)
    chosen, known, profile_files = _read_profile(path, profile)
    own = config.pop("profiles", None)
    if own is not None and not isinstance(own, dict):
        raise ValueError(f"{path}: profiles = {own!r}; write profiles = dict({profile}=dict(...))")
    own = own or {}
    if own.get(profile) is not None and not isinstance(own[profile], dict):
        raise ValueError(f"{path}: profiles.{profile} = {own[profile]!r}; write profiles = dict({profile}=dict(...))")
    if unknown := sorted(set(own) - known):
        raise ValueError(f"{path}: profiles: {unknown_name('profile', unknown[0], sorted(known))}")
    refuse_a_seed(path, config, "")
    check_dicts(path, config)
    unread = without_effect(config, files)
    before = plain(config)
    config = _merged_section(config, {k: v for k, v in chosen.items() if _applies(config, k)})
    if own.get(profile):
        where = f"profiles.{profile}"
        refuse_a_seed(path, own[profile], f"{where}.")
        check_section(own[profile], [TRANSFORMS], f"{path}: {where}")
        try:
            config = _merged_section(config, own[profile], f"{path}: {where}")
        except (TypeError, KeyError) as e:
            raise ValueError(f"{path}: profiles.{profile} does not fit the config: {e}") from None
    overridden = tuple(_overridden(files, profile, before, config))
    given = overrides or {}
    for key, value in given.items():
        if not key.startswith(DATA):
            _check_parent(config, key, path)
            config = _merged(config, {key: value})

    result = plain(config)
    check_fields(path, result)
    check_values(path, result)
    parents = result.pop("parents", None) or {}
    _give_to_data(result, parents, {k: v for k, v in given.items() if k.startswith(DATA)})
    return Resolved(result, parents, tuple(dict.fromkeys((*files, *profile_files))), overridden, unread)


def stands_alone(entry: Entry, profile: str) -> bool:
    """Whether an entry is a method's own network that needs no other run: it trains and classifies, and its config
    names no ``parents``. Raises as ``resolve`` does.
    """
    whole = entry.role.result and {"trains", "classifies"} <= set(entry.role.does)
    return whole and not resolve(entry.config, profile).parents


def _give_to_data(config: dict[str, Any], parents: dict[str, dict[str, Any]], given: dict[str, Any]) -> None:
    """Set arguments of data sets (``data.SET.ARGUMENT`` -> value) where the config reads them, and pass them on."""
    for loader in [config.get(f"{split}_dataloader") or {} for split in ("train", "val", "test")] if given else ():
        dataset = loader.get("dataset") or {}
        own = f"{DATA}{Path(str(dataset.get('data_root', ''))).name}."
        dataset.update({key.removeprefix(own): value for key, value in given.items() if key.startswith(own)})
    for declared in parents.values():
        if given:
            declared["overrides"] = {**(declared.get("overrides") or {}), **given}


def _read_profile(path: Path, profile: str) -> tuple[dict[str, Any], set[str], tuple[Path, ...]]:
    """The profile's content, the names of all profiles, and the files read."""
    for folder in (*path.parents, PACKAGED_CONFIGS):
        profiles = folder / "_base_" / "profiles"
        if profiles.is_dir():
            break
    known = {p.stem for p in profiles.glob("*.py")}
    if profile not in known:
        raise ValueError(f"{path}: {unknown_name('profile', profile, sorted(known))}")
    content, files = read_config(profiles / f"{profile}.py")
    if unknown := sorted(set(content) - {TRANSFORMS, *SCALE}):
        raise ValueError(
            f"{files[0]}: unknown key '{unknown[0]}'; a profile may hold {', '.join((TRANSFORMS, *SCALE))}"
        )
    return content, known, files


def _applies(config: dict[str, Any], key: str) -> bool:
    """Whether a key of a profile's file is for this config: a rendering (``train_cfg=None``) trains nothing."""
    if key in OF_A_TRAINING and config.get("train_cfg") is None:
        return False
    return not key.endswith("_dataloader") or config.get(key) is not None


def _merged_section(config: dict[str, Any], section: dict[str, Any], where: str = "") -> dict[str, Any]:
    """A config with a section of profiles merged into it.

    Args:
        where: whose section it is, where a transform that no pipeline has is an error: it would change nothing.
    """
    arguments = section.get(TRANSFORMS) or {}
    config = _merged(config, _for(config, {k: v for k, v in section.items() if k != TRANSFORMS}))
    found = [transform for _, transform in _transforms(config)]
    types = {str(t["type"]) for t in found}
    if where and (unknown := [t for t in arguments if t not in types]):
        raise ValueError(f"{where}.transforms: {unknown_name('transform', unknown[0], sorted(types))}")
    for transform in found:
        transform.update(plain(arguments.get(transform["type"], {})))
    return config


def _for(config: Any, section: dict[str, Any]) -> dict[str, Any]:
    """A section without ``_delete_`` where there is nothing to delete: MMEngine would leave it as an argument."""
    out: dict[str, Any] = {}
    for key, value in section.items():
        if isinstance(value, dict):
            there = isinstance(config, dict) and key in config
            kept = _for(config[key] if there and not value.get("_delete_") else {}, value)
            value = kept if there else {k: v for k, v in kept.items() if k != "_delete_"}
        out[key] = value
    return out


def _overridden(
    files: tuple[Path, ...], profile: str, before: dict[str, Any], after: dict[str, Any]
) -> Iterator[Overridden]:
    """What the files outside of ``_base_`` say and the profile changes, unless such a file's own profile says so."""
    said: dict[str, Any] = {}
    for file in reversed(files):
        if "_base_" in file.parts:
            continue
        content = own_content(file)
        section = (content.pop("profiles", None) or {}).get(profile) or {}
        content.pop("parents", None)
        said |= dict(_leaves(content))
        chosen = [key for key, _ in _leaves({k: v for k, v in section.items() if k != TRANSFORMS}, pipelines=False)]
        for key, transform in _transforms(before):
            chosen += [f"{key}.{a}" for a in (section.get(TRANSFORMS) or {}).get(transform.get("type"), {})]
        said = {k: v for k, v in said.items() if not any(k == c or k.startswith(c + ".") for c in chosen)}
    for key, own in said.items():
        value = get_dotted(after, key)
        if get_dotted(before, key) == own != value and key.split(".")[-1] not in HARDWARE_KEYS:
            yield Overridden(key, own, value)


def _leaves(node: Any, path: str = "", pipelines: bool = True) -> Iterator[tuple[str, Any]]:
    """Dotted keys and values of nested dicts; the arguments of a pipeline's transforms one by one."""
    if isinstance(node, dict) and node:
        for key, value in node.items():
            if key != "_delete_":
                yield from _leaves(value, f"{path}.{key}" if path else str(key), pipelines)
    elif pipelines and path.endswith("pipeline") and isinstance(node, (list, tuple)):
        for i, value in enumerate(node):
            yield from _leaves(value, f"{path}.{i}", pipelines)
    else:
        yield path, node


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _merged(config: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """As MMEngine's ``Config.merge_from_dict``, whose merge this is,
    without making a ``Config`` of all that stays as it is.
    """
    from mmengine.config import Config

    nested: dict[str, Any] = {}
    for key, value in options.items():
        node = nested
        *parents, last = key.split(".")
        for part in parents:
            node = node.setdefault(part, {})
        node[last] = plain(value)
    merged: dict[str, Any] = Config._merge_a_into_b(nested, config, allow_list_keys=True)
    return merged


def _transforms(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every transform config of every pipeline below ``node``, with its dotted key."""
    if isinstance(node, (list, tuple)):
        for i, child in enumerate(node):
            yield from _transforms(child, f"{path}.{i}")
    elif isinstance(node, dict):
        for key, child in node.items():
            where = f"{path}.{key}" if path else str(key)
            if key == "pipeline" and isinstance(child, (list, tuple)):
                for i, transform in enumerate(child):
                    if isinstance(transform, dict) and "type" in transform:
                        yield f"{where}.{i}", transform
            yield from _transforms(child, where)


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
                raise ValueError(f"{path}: override '{key}'{where}: {unknown_name('key', part, sorted(node))}")
        elif isinstance(node, (list, tuple)):
            if not (part.isdigit() and int(part) < len(node)):
                raise ValueError(
                    f"{path}: override '{key}': '{at}' is a list; choose a position from 0 to {len(node) - 1}"
                )
            node = node[int(part)]
        else:
            raise ValueError(f"{path}: override '{key}': '{at}' is {node!r} and has no part '{part}'")
