"""Which runs of a ledger represent a cell: over all its seeds, runs of one version of config, code and data."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from harness.ledger.identity import canonical_json
from harness.ledger.record import RunRecord
from harness.suite import Cell
from harness.suite.dotted import ABSENT, get_dotted

State = Literal["current", "older", "unknown"]


@dataclass(frozen=True)
class Choice:
    """The runs that represent a cell.

    Attributes:
        runs: by seed, done or failed; all of one version, so that their mean is one of equals.
        state: "current": what the last plan asks for; "older": its config, code or data have changed since; "unknown":
            no plan of this profile has the cell.
        left_out: further runs of the cell that did not start as its profile does, where the chosen ones did.
    """

    runs: dict[int, RunRecord]
    state: State
    left_out: tuple[RunRecord, ...] = ()


def versions(records: Mapping[str, RunRecord]) -> dict[str, str]:
    """Key -> a hash of config, data and code, the stages' included: equal for runs that differ in their seeds alone."""
    known: dict[str, str] = {}
    large: dict[int, str] = {}  # of a config or code, by its identity in memory: runs share them

    def digest(part: dict[str, Any]) -> str:
        if id(part) not in large:
            large[id(part)] = hashlib.sha256(canonical_json(part).encode()).hexdigest()
        return large[id(part)]

    def of(key: str) -> str:
        if key not in records:
            return key
        if key not in known:
            known[key] = key  # a record that is edited to be its own ancestor ends here
            i = records[key].identity
            parents = {stage: of(parent) for stage, parent in i.parents.items()}
            rest = i.model_dump(exclude={"seed", "parents", "config", "code"})
            said = canonical_json([rest, digest(i.config), digest(i.code), parents])
            known[key] = hashlib.sha256(said.encode()).hexdigest()
        return known[key]

    for key in records:
        of(key)
    return known


def choose(
    records: Iterable[RunRecord], planned: set[str], version: Mapping[str, str], other_start: Container[str] = ()
) -> Choice:
    """The newest version that has a run which is done; one that started as its profile does before any other, and
    then what the plan asks for.

    Args:
        records: valid runs of one cell at one profile, at least one. planned: keys that the last plan has for this
            cell, whatever the seed. version: see ``versions``. other_start: keys, see ``other_starts``.
    """
    groups: dict[str, list[RunRecord]] = {}
    for r in records:
        groups.setdefault(version[r.key], []).append(r)

    def rank(v: str) -> tuple:
        done = [r.finished for r in groups[v] if r.status == "done"]
        asked = any(r.key in planned for r in groups[v])
        first = min(r.cell.seed for r in groups[v])
        usual = all(r.key not in other_start for r in groups[v])
        return bool(done), usual, asked, max(done, default=""), len(done), -first, v

    best = max(groups, key=rank)
    runs: dict[int, RunRecord] = {}
    for r in sorted(groups[best], key=lambda r: (r.status == "done", r.finished, r.key)):
        runs[r.cell.seed] = r
    unusual = tuple(r for v in groups if v != best for r in groups[v] if r.key in other_start)
    left_out = () if any(r.key in other_start for r in groups[best]) else unusual
    planned = planned - {r.key for r in left_out}
    state: State = "current" if any(r.key in planned for r in groups[best]) else "older" if planned else "unknown"
    return Choice(runs, state, left_out)


def answering(cell: Cell, records: Iterable[RunRecord]) -> list[RunRecord]:
    """Runs of other variants of a cell's model in which its overrides change nothing, or that have them too: they are
    its runs as well, as a sweep's default point is that of the config as it stands, and as a stage is that of a row.
    Told from the resolved configs, which have no ``parents``, and from the overrides; no plan is needed.

    Args:
        records: of the cell's model.
    """
    own = [r for r in records if r.cell.variant != cell.variant]
    plain = [r.identity.config for r in own if not r.cell.overrides]

    def same(r: RunRecord) -> bool:
        left = {k: v for k, v in cell.overrides.items() if r.cell.overrides.get(k, ABSENT) != v}
        if any(get_dotted(r.identity.config, k) != v for k, v in left.items()):
            return False
        undone = [k for k in r.cell.overrides if k not in cell.overrides]
        return all(any(get_dotted(r.identity.config, k) == get_dotted(c, k) != ABSENT for c in plain) for k in undone)

    return [r for r in own if same(r)]
