"""Jobs: the DAG of runs that answers the cells, each run once whichever cell asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.ledger.record import CellInfo, DataInfo, Identity, StartingWeights
from harness.plan.start import Absent
from harness.suite.dotted import set_dotted


@dataclass(frozen=True)
class Settings:
    """What a plan depends on beside the suite."""

    configs: Path
    profile: str
    data_root: Path
    quarantine: dict[str, Path] = field(default_factory=dict, hash=False)
    init: str = "scratch"  # or "pretrained": from the weights that the metafiles list


@dataclass(frozen=True)
class Job:
    """A planned run: a config with its place in the DAG. ``config`` has data paths, but no parent's output yet."""

    key: str
    name: str  # readable, for folders and logs
    kind: str  # train | render
    cell: CellInfo
    identity: Identity
    data: DataInfo | None
    config: dict[str, Any] = field(hash=False, compare=False)
    parents: dict[str, str] = field(default_factory=dict, hash=False)  # stage -> key
    inject_at: dict[str, tuple[str, ...]] = field(
        default_factory=dict, hash=False
    )  # stage -> dotted keys that get its output
    outputs: dict[str, str] = field(default_factory=dict, hash=False)  # stage -> which output, where it is said
    notes: tuple[str, ...] = ()  # what its reader has to know, one line each
    pretrained: tuple[StartingWeights, ...] = field(default=(), hash=False)
    classifies: bool = True  # the role of its stage: it has predictions
    renders: bool = False  # it has a store of clips


@dataclass(frozen=True)
class Plan:
    """All jobs by key, parents before children, and for each cell its key or the reason why it has none.

    missing: of cells without a key, what they and their stages need that is not there, whatever the reason says: files
    of weights, and folders of data sets.
    """

    jobs: dict[str, Job]
    keys: dict[tuple[str, int], str]
    errors: dict[tuple[str, int], str]
    missing: dict[tuple[str, int], tuple[Absent | Path, ...]] = field(default_factory=dict)


def fill_parents(job: Job, outputs: dict[str, str]) -> dict[str, Any]:
    """The job's config with its parents' outputs (stage -> path) in their places."""
    config = job.config
    for stage, keys in job.inject_at.items():
        for key in keys:
            config = set_dotted(config, key, outputs[stage])
    return config


def dependency_closure(jobs: dict[str, Job], keys: Iterable[str]) -> dict[str, Job]:
    """The jobs of these keys and all they depend on, parents first."""
    found: dict[str, Job] = {}

    def visit(key: str) -> None:
        if key not in found:
            for parent in jobs[key].parents.values():
                visit(parent)
            found[key] = jobs[key]

    for key in keys:
        visit(key)
    return found
