"""What an entry declares about itself, held against its config."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mmengine.model import BaseModel

from harness.fingerprint.code import code_fingerprint, imported_modules
from harness.ledger.record import NOT_TRACKED
from harness.measure.parts import ParentWeights, batch, import_named
from harness.network.clips import random_batch
from harness.network.registered import check_registered
from harness.plan.outputs import check_outputs
from harness.plan.parents import fused_modalities, read_parent
from harness.plan.reads import check_reads
from harness.plan.resolve import resolve
from harness.plan.twins import Known, twins
from harness.suite import Entry

PROFILES = ("smoke", "demo", "paper")


class CheckFailed(Exception):
    """A check that failed; the message is what to change."""


@dataclass
class EntryUnderCheck:
    """The entry that is being checked, and what earlier checks made of it."""

    entry: Entry
    weights: ParentWeights
    signatures: Known = field(default_factory=dict)  # found while others were checked
    init: dict[str, str] = field(default_factory=dict)  # profile -> pretrained or scratch
    config: dict[str, Any] = field(default_factory=dict)  # at the smoke profile; empty until it is resolved
    parents: dict[str, dict[str, Any]] = field(default_factory=dict)  # as it declares them there
    model: BaseModel = field(init=False)  # set by the check that builds it
    notes: list[str] = field(default_factory=list)  # of the last check

    @property
    def built(self) -> bool:
        return hasattr(self, "model")

    def batch(self, split: str, size: int, make: Callable = random_batch) -> dict:
        """Clips of a split as the entry's loader would give them."""
        return batch(self.config, split, self.entry.test_modality, size, make)


def metafile_is_complete(s: EntryUnderCheck) -> None:
    where = s.entry.config.parent / "metafile.yml"
    if not s.entry.paper.get("Title"):
        raise CheckFailed(
            f"give Collections[].Paper.Title in {where}; a method without a paper says 'unpublished' there"
        )
    for name, example in (("Architecture", "[I3D, ResNet-50]"), ("Family", "3D CNN"), ("Pretrained", "none")):
        if not s.entry.metadata.get(name):
            raise CheckFailed(f"give Metadata.{name} in {where}, e.g. {name}: {example}")


def resolves(s: EntryUnderCheck) -> None:
    found = {p: resolve(s.entry.config, p) for p in PROFILES}
    for profile, resolved in found.items():
        check_outputs(s.entry, resolved.config, profile)
    s.parents = found["smoke"].parents
    for stage, parent in s.parents.items():
        read_parent(s.entry, stage, parent, s.weights.by_path)
    s.config = found["smoke"].config


def looks_around(s: EntryUnderCheck) -> None:
    """Notes what a user should know of an entry that is none the less sound, one line each."""
    found = [resolve(s.entry.config, p).remark(p) for p in PROFILES]
    same: dict[str, list[str]] = {}
    for profile in PROFILES:
        for other in twins(s.entry, s.weights.entries, profile, s.signatures):
            same.setdefault(other, []).append(profile)
    for other, profiles in same.items():
        where = "every profile" if len(profiles) == len(PROFILES) else f"profile {' and '.join(profiles)}"
        found.append(f"the same run as {other} at {where}: nothing in which they differ counts there")
    found += _names_of_another(s)
    untracked = [t for t, sha in code_fingerprint(s.config, imported_modules(s.config)).items() if sha == NOT_TRACKED]
    if untracked:
        found.append(f"code not tracked: {', '.join(untracked)}; a change of it does not make a run stale")
    s.notes = [note for note in found if note]


def _names_of_another(s: EntryUnderCheck) -> list[str]:
    """A note where the metafile still says of a network what it says of another method's, with another backbone."""
    fields = [f for f in ("Architecture", "Family") if s.entry.metadata.get(f)]
    own = _backbone(s.entry)
    for other in s.weights.entries:
        if other.method == s.entry.method or (other.dataset, other.stage) != (s.entry.dataset, s.entry.stage):
            continue
        if all(other.metadata.get(f) == s.entry.metadata[f] for f in fields) and fields:
            theirs = _backbone(other)
        elif s.entry.start and other.start == s.entry.start:
            fields, theirs = [], _backbone(other)
        else:
            continue
        if theirs and own != theirs:
            said = [*fields, *(["Starting Weights"] if s.entry.start and other.start == s.entry.start else [])]
            where = s.entry.config.parent / "metafile.yml"
            return [
                f"{', '.join(said)} in {where}: those of {other.method}, whose network is {theirs}; this one's is {own}"
            ]
    return []


def _backbone(entry: Entry) -> str:
    """The type of an entry's backbone, or of its model where that has none; "" where its config cannot be read."""
    try:
        model = resolve(entry.config, PROFILES[0]).config["model"]
    except (ValueError, OSError):
        return ""
    return str((model.get("backbone") or model).get("type"))


def head_hint(error: str, s: EntryUnderCheck) -> str:
    """What to change where PyTorch says that the class layer takes more or fewer channels than it gets; else ""."""
    found = re.search(r"mat1 and mat2 shapes cannot be multiplied \(\d+x(\d+) and (\d+)x(\d+)\)", error)
    head = s.config.get("model", {}).get("cls_head") or {}
    if found is None or (head.get("in_channels"), head.get("num_classes")) != (int(found[2]), int(found[3])):
        return ""
    return (
        f"the network gives {found[1]} channels and the class layer takes {found[2]}; "
        f"set model.cls_head.in_channels={found[1]} in {s.entry.config.name}, or of its profile smoke"
    )


def imports_are_there(s: EntryUnderCheck) -> None:
    import_named(s.config)


def names_registered_classes(s: EntryUnderCheck) -> None:
    """Also of what no check builds: pipelines, data sets, hooks, evaluators."""
    for profile in PROFILES:
        try:
            check_registered(resolve(s.entry.config, profile).config)
        except ValueError as e:
            raise CheckFailed(f"{s.entry.config} at profile {profile}: {e}") from None


def reads_what_it_declares(s: EntryUnderCheck) -> None:
    for profile in PROFILES:
        try:
            resolved = resolve(s.entry.config, profile)
            fused = fused_modalities(s.entry, resolved, profile, s.weights.by_path)
            check_reads(s.entry, resolved.config, fused=fused)
        except ValueError as e:
            raise CheckFailed(f"at profile {profile}: {e}") from None
