"""Which run of a ledger a name means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadUsage
from harness.ledger.ancestry import dependency_closure, synthetic_data
from harness.ledger.record import RunRecord
from harness.ledger.redo_advice import redo_advice
from harness.ledger.store import load_heads, read_record
from harness.suite.run_names import runs_called


@dataclass(frozen=True)
class NamedRun:
    """A run that is done. ``synthetic``: names of the synthetic data sets that it or a stage before it learned from."""

    folder: Path
    record: RunRecord
    synthetic: tuple[str, ...]


def named_run(work_dir: Path, name: str) -> NamedRun:
    """The valid run that is called so: as its folder is, or by its job or cell where that has one run.

    Raises:
        BadUsage: no such run, a cell of several runs, or a run that failed or is not valid, or whose stages are not
            although it has their weights.
    """
    heads, rejected = load_heads(work_dir)
    keys = runs_called(work_dir, name, heads, rejected)
    keys = [key for key in keys if heads[key][1].status == "done"] or keys
    if len(keys) > 1:
        several = sorted(heads[key][0].name for key in keys)
        raise BadUsage(f"{name} has {len(keys)} runs; choose from {', '.join(several)}")
    folder, head = heads[keys[0]]
    if head.status != "done":
        raise BadUsage(f"{folder.name}: the run failed ({head.failure}); choose one that is done")
    record = read_record(folder)
    records, known = {keys[0]: record}, 0
    while len(records) > known:  # its stages, and theirs
        known = len(records)
        below = [key for key in dependency_closure(keys[0], records) if key in heads and key not in records]
        records |= {key: read_record(heads[key][0]) for key in below}
    if not record.checkpoint_sha256:  # it predicts with the weights of its stages
        for stage, key in record.identity.parents.items():
            if key not in records:
                raise BadUsage(f"{folder.name}: its {stage} is no valid run any more; {redo_advice(folder)}")
    return NamedRun(folder, record, synthetic_data(keys[0], records) or ())
