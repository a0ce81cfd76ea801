"""Which synthetic sets, and which parts of them, cells read: known from their configs before any data is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.data.names import at_light, misspelt, one_spelling
from harness.data.registry import ClipDataSet, clips_of_config, data_set
from harness.errors import BadUsage
from harness.ledger.identity import canonical_json
from harness.plan.loaders import dataset_configs
from harness.plan.parents import Parent, read_parent
from harness.plan.resolve import resolve
from harness.suite import Cell, Entry

ToMake = dict[str, tuple[str, ...] | None]  # data set -> the parts that are wanted, None for all


def sets_to_make(
    cells: Sequence[Cell], entries: Mapping[str, Entry], profile: str, named: Iterable[str] | None = None
) -> ToMake:
    """The synthetic sets that cells need, and the parts of each; a set that can be made in parts is not there where
    none is read.

    Args:
        named: sets to choose from; None for those that are made where none is named, and for those of other light.
    """
    from harness.data.synthesize.build import made_unasked

    names = named if named is not None else [*made_unasked(), *dict.fromkeys(name for c in cells for name in c.folders)]
    read = parts_read(cells, entries, profile)
    found: ToMake = {}
    for name in names:
        if not _in_parts(name):
            found[name] = None
        elif name in read:
            found[name] = read[name]
    return found


def _in_parts(name: str) -> bool:
    if name != one_spelling(name):
        raise BadUsage(misspelt(name))
    base, light = at_light(name)
    about = data_set(base)
    return light == 1 and isinstance(about, ClipDataSet) and about.parts is not None


def parts_read(cells: Iterable[Cell], entries: Mapping[str, Entry], profile: str) -> dict[str, tuple[str, ...]]:
    """Folder of a data set -> the parts that cells read, and the stages that they depend on.

    What a config that cannot be read depends on is left out: its cells are planned in vain.
    """
    by_path = {e.config.resolve(): e for e in entries.values()}
    found: dict[str, dict[str, None]] = {}
    seen: set[tuple[Path, str]] = set()
    waiting = [(c.entry, c.overrides) for c in cells]
    while waiting:
        entry, overrides = waiting.pop()
        if (asked := (entry.config, canonical_json(overrides))) in seen:
            continue
        seen.add(asked)
        try:
            read, parents = _reads(entry, overrides, profile, by_path)
        except Exception:  # noqa: BLE001  the plan says of each such cell what is wrong with its config
            read, parents = [], []
        for name, parts in read:
            found.setdefault(name, {}).update(dict.fromkeys(parts))
        waiting += [(p.entry, p.overrides) for p in parents]
    return {name: tuple(sorted(parts)) for name, parts in found.items()}


def _reads(
    entry: Entry, overrides: dict[str, Any], profile: str, by_path: Mapping[Path, Entry]
) -> tuple[list[tuple[str, tuple[str, ...]]], list[Parent]]:
    """Folder and parts of what a config's own loaders read, and the stages that it depends on."""
    resolved = resolve(entry.config, profile, overrides)
    read = []
    for dataset in dataset_configs(resolved.config).values():
        about = clips_of_config(dataset)
        if about is not None and about.parts is not None:
            read.append((Path(dataset["data_root"]).name, about.parts.of_config(dataset)))
    return read, [read_parent(entry, stage, p, by_path) for stage, p in resolved.parents.items()]
