"""What cannot be used in a job's folder is moved aside before the job runs again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.ledger.layout import misplaced
from harness.ledger.run_dir import LOCK
from harness.ledger.tidy import set_aside
from harness.plan.run_state import Found


def repair(folder: Path, found: Found) -> Iterator[str]:
    """Move a record that is not valid, and what lies in the place of a file, aside; one line for each.

    Args:
        found: what ``look_up`` says of the folder, whose lock the caller holds.
    """
    if found.problem:
        set_aside(folder, found.problem)
        yield f"{found.problem}; it is run again"
    for name, what in misplaced(folder).items():
        if name != LOCK:
            set_aside(folder, what, name)
            yield f"{folder / name}: {what}; it is moved aside"
