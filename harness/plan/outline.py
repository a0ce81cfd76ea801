"""The jobs of a suite as its configs declare them, without data and without weights: for what they will cost."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.ledger.identity import canonical_json, identity_config
from harness.plan.parents import PREDICTIONS, read_parent
from harness.plan.resolve import resolve
from harness.suite import Cell, Entry
from harness.suite.cells import cell_id


@dataclass(frozen=True)
class OutlinedJob:
    """A job without what data and weights add to it.

    Attributes:
        name: as the plan has it. key: tells it from other jobs of this outline, and is no run's. config: resolved.
        parents: keys of its stages. fuses: it reads what others predicted, and runs no network. tables: ids of those
            that ask for it, its children's too.
    """

    name: str
    key: str
    entry: Entry
    seed: int
    config: dict[str, Any] = field(hash=False, repr=False)
    parents: tuple[str, ...] = ()
    fuses: bool = False
    tables: tuple[str, ...] = ()


def outline(cells: Iterable[Cell], entries: dict[str, Entry], profile: str) -> dict[str, OutlinedJob]:
    """The jobs that cells depend on by key, each once, stages before what depends on them.

    Jobs of equal configs, stages and seed are one, as in a plan.

    Raises:
        ValueError, FileNotFoundError: a config cannot be read, or names a stage that is not there.
    """
    by_path = {e.config.resolve(): e for e in entries.values()}
    found: dict[str, OutlinedJob] = {}
    keys: dict[tuple[Path, str, int], str] = {}

    def visit(entry: Entry, variant: str, overrides: dict[str, Any], seed: int) -> str:
        asked = (entry.config, canonical_json(overrides), seed)
        if asked in keys:
            return keys[asked]
        resolved = resolve(entry.config, profile, overrides)
        declared = [read_parent(entry, stage, p, by_path) for stage, p in resolved.parents.items()]
        parents = tuple(visit(p.entry, p.variant, p.overrides, seed if p.seed is None else p.seed) for p in declared)
        start = [s.model_dump() for s in entry.starts_at(profile)] if resolved.config.get("train_cfg") else []
        told = [identity_config(resolved.config, profile), parents, start, seed, _places(resolved.config)]
        key = keys[asked] = hashlib.sha256(canonical_json(told).encode()).hexdigest()
        fuses = any(p.output == PREDICTIONS for p in declared)
        name = f"{cell_id(entry.name, variant)}-s{seed}"
        found.setdefault(key, OutlinedJob(name, key, entry, seed, resolved.config, parents, fuses))
        return key

    for cell in cells:
        _use(found, visit(cell.entry, cell.variant, cell.overrides, cell.seed), cell.used_by)
    return found


def _places(config: dict[str, Any]) -> list[str]:
    """The folders of a config's data sets, which stand for the clips that a plan would know by content."""
    loaders = [config.get(f"{split}_dataloader") or {} for split in ("train", "test")]
    return [str((loader.get("dataset") or {}).get("data_root", "")) for loader in loaders]


def _use(found: dict[str, OutlinedJob], key: str, tables: tuple[str, ...]) -> None:
    """Note that tables ask for a job and all its stages."""
    job = found[key]
    both = tuple(dict.fromkeys((*job.tables, *tables)))
    if both != job.tables:
        found[key] = replace(job, tables=both)
        for parent in job.parents:
            _use(found, parent, tables)
