"""The stages that a config depends on: what its ``parents`` declare, and what a fusion of their predictions needs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import unknown_name
from harness.ledger.identity import canonical_json
from harness.ledger.record import DataInfo
from harness.plan.config_file import named_config
from harness.plan.jobs import Job
from harness.plan.reads import read_modalities
from harness.plan.resolve import Resolved, resolve
from harness.suite import Entry
from harness.suite.modalities import TITLES

KEYS = ("config", "inject_at", "output", "seed", "overrides")
PREDICTIONS = "predictions"
OUTPUTS = {"checkpoint": "trains", "store": "renders", PREDICTIONS: "classifies"}  # what a stage leaves that does so


@dataclass(frozen=True)
class Parent:
    """A declared parent. ``output``: of ``OUTPUTS``, or "" for the weights or the store that its stage leaves."""

    entry: Entry
    variant: str
    overrides: dict[str, Any] = field(hash=False)
    seed: int | None
    inject_at: tuple[str, ...]
    output: str = ""


def read_parent(entry: Entry, stage: str, declared: Mapping[str, Any], by_path: Mapping[Path, Entry]) -> Parent:
    """A parent as a config declares it.

    Raises:
        ValueError: an unknown key, a config that no metafile lists, or an output that its stage does not leave.
    """
    where = f"{entry.config}: parents.{stage}"
    if set(declared) - set(KEYS) or "config" not in declared or "inject_at" not in declared:
        raise ValueError(f"{where} takes {', '.join(KEYS)}; got {', '.join(sorted(declared))}")
    path = named_config(entry.config, declared["config"]).resolve()
    if path not in by_path:
        raise ValueError(f"{where}.config {declared['config']} is not listed in a metafile.yml; add it there")
    found, output = by_path[path], declared.get("output", "")
    if output and output not in OUTPUTS:
        raise ValueError(f"{where}: {unknown_name('output', output, OUTPUTS)}")
    if output and OUTPUTS[output] not in found.role.does:
        left = ", ".join(o for o, does in OUTPUTS.items() if does in found.role.does)
        raise ValueError(f"{where}: output {output}: a {found.stage} ({found.name}) leaves {left}; choose from these")
    overrides = dict(declared.get("overrides") or {})
    inject_at = declared["inject_at"]
    return Parent(
        entry=found,
        variant=f"as-{hashlib.sha256(canonical_json(overrides).encode()).hexdigest()[:6]}" if overrides else "",
        overrides=overrides,
        seed=declared.get("seed"),
        inject_at=tuple([inject_at] if isinstance(inject_at, str) else inject_at),
        output=output,
    )


def is_fusion(parents: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a config of these declared parents sees nothing but what they predicted."""
    return bool(parents) and all(p.get("output") == PREDICTIONS for p in parents.values())


def fused_modalities(
    entry: Entry, resolved: Resolved, profile: str, by_path: Mapping[Path, Entry]
) -> tuple[str, ...] | None:
    """What the members of a fusion read at test time; None for what is no fusion, or where one does not say it."""
    if not is_fusion(resolved.parents):
        return None
    found: set[str] = set()
    for stage, declared in resolved.parents.items():
        member = read_parent(entry, stage, declared, by_path)
        own = resolve(member.entry.config, profile, member.overrides)
        read = fused_modalities(member.entry, own, profile, by_path) or read_modalities(own.config, "test")
        if read is None:
            return None
        found.update(read)
    return tuple(m for m in TITLES if m in found)


def check_members(
    entry: Entry,
    config: Mapping[str, Any],
    data: DataInfo | None,
    prints: Mapping[str, str],
    members: Mapping[str, Job],
) -> None:
    """Raise ValueError where a member of a fusion is tested on other clips than the fusion.

    Args:
        config, data, prints: of the fusion; as its job has them.
        members: stage -> the job whose predictions are read.
    """
    for stage, member in members.items():
        if data is None or member.data is None:
            continue  # a data set that the harness does not know: the job looks at the clips when it starts
        if member.identity.data.get("test_labels") != prints.get("test_labels"):
            raise ValueError(
                f"{entry.config}: parents.{stage} ({member.cell.model}) is tested on "
                f"{_clips(member.config, member.data)}, {entry.name} on {_clips(config, data)}; "
                "test both on the same clips"
            )


def _clips(config: Mapping[str, Any], data: DataInfo) -> str:
    dataset = config["test_dataloader"]["dataset"]
    chosen = ", ".join(f"{key} {dataset[key]}" for key in ("split", "lighting", "lists") if dataset.get(key))
    return f"{data.test_clips} clips of {data.name} ({chosen})"
