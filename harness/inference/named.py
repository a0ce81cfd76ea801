"""Which run of a ledger a name means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadUsage, unknown_name
from harness.ledger.ancestry import dependency_closure, synthetic_data
from harness.ledger.record import RunRecord
from harness.ledger.redo_advice import redo_advice
from harness.ledger.store import load_heads, read_record
from harness.suite.cells import cell_id


@dataclass(frozen=True)
class NamedRun:
    """A run that is done. ``synthetic``: names of the synthetic data sets that it or a stage before it learned from."""

    folder: Path
    record: RunRecord
    synthetic: tuple[str, ...]


def named_run(work_dir: Path, name: str) -> NamedRun:
    """The valid run that is called so: as its folder is, or by its cell where that has one run.

    Raises:
        BadUsage: no such run, a cell of several runs, or a run that failed or is not valid, or whose stages are not
            although it has their weights.
    """
    heads, rejected = load_heads(work_dir)
    runs = {folder.name: key for key, (folder, _) in heads.items()}
    cells = {key: cell_id(head.model, head.variant) for key, (_, head) in heads.items()}
    keys = [runs[name]] if name in runs else [key for key, cell in cells.items() if cell == name]
    for one in rejected:
        if one.path.name == name or (not keys and re.fullmatch(r"-s\d+-\w{12}", one.path.name.removeprefix(name))):
            raise BadUsage(f"{one.path.name} is no valid run: {one.line}")
    if not keys:
        if not runs:
            raise BadUsage(f"{work_dir} has no valid run; --work-dir names another folder")
        raise BadUsage(
            unknown_name("run or cell", name, sorted({*runs, *cells.values()}), listed_by="python -m harness status")
        )
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
