"""What to know about a run before its predictions are believed, one line each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.data.registry import clip_data_sets
from harness.fingerprint.code import changed
from harness.ledger.planfile import read_plan
from harness.ledger.record import RunRecord
from harness.ledger.run_dir import PLAN
from harness.suite.cells import cell_id


def remarks(work_dir: Path, record: RunRecord) -> Iterator[str]:
    """Whether the run is stale, as far as its code and the last plan tell without planning anew, and whether its test
    saw less of a file than a whole video is.
    """
    cell = cell_id(record.cell.model, record.cell.variant)
    why = f"`status --why {cell}-s{record.cell.seed}` says what differs"
    try:
        name = changed(record.identity.code)
    except ValueError:  # a package that is gone; building the network says so
        name = ""
    if name:
        yield f"this run is stale: {name} has changed since; {why}"
    elif _planned_otherwise(work_dir, record, cell):
        yield f"this run is older than the last plan, which asks for another one of {cell}; {why}"
    if windows := _windows(record.cell.dataset):
        yield (
            f"the test of this run saw of each file the frames that {windows} name; a whole file of that set has other "
            "scores"
        )


def _windows(dataset: str) -> str:
    return next((d.windows for d in clip_data_sets() if d.name == dataset), "")


def _planned_otherwise(work_dir: Path, record: RunRecord, cell: str) -> bool:
    try:
        plan = read_plan(work_dir / PLAN)
    except (OSError, ValueError):  # none, or one that cannot be trusted
        return False
    keys = {c.key for c in plan.cells if (c.id, c.seed) == (cell, record.cell.seed)}
    return plan.profile == record.cell.profile and bool(keys - {""}) and record.key not in keys
