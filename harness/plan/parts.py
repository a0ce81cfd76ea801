"""Which synthetic sets, and which parts of them, cells read: known from their configs before any data is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.data.names import at_light, misspelt, one_spelling
from harness.data.registry import ClipDataSet, data_set, data_sets, of_config
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
    """The synthetic sets that cells read, and the parts of each.

    Args:
        named: sets to choose from; None for those that are made where none is named, and for those of other light.
    """
    from harness.data.synthesize.build import made_unasked

    names = named if named is not None else [*made_unasked(), *dict.fromkeys(name for c in cells for name in c.folders)]
    read = parts_read(cells, entries, profile)
    parts = {name: _in_parts(name) for name in names}
    return {name: read[name] if parts[name] else None for name in names if name in read}


def _in_parts(name: str) -> bool:
    if name != one_spelling(name):
        raise BadUsage(misspelt(name))
    base, light = at_light(name)
    about = data_set(base)
    return light == 1 and isinstance(about, ClipDataSet) and about.parts is not None


def parts_read(cells: Iterable[Cell], entries: Mapping[str, Entry], profile: str) -> dict[str, tuple[str, ...]]:
    """Folder of a data set -> the parts that cells read, and the stages that they depend on; none of a set that is made
    whole alone.

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
    made_whole = [d.name for d in data_sets() if not (isinstance(d, ClipDataSet) and d.parts)]
    read = []
    for dataset in dataset_configs(resolved.config).values():
        about, folder = of_config(dataset), Path(dataset.get("data_root", "")).name
        if isinstance(about, ClipDataSet) and about.parts is not None:
            read.append((folder, about.parts.of_config(dataset)))
        elif folder in made_whole:
            read.append((folder, ()))
    return read, [read_parent(entry, stage, p, by_path) for stage, p in resolved.parents.items()]
