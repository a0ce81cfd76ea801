"""What runs of a ledger are called on the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from harness.errors import BadUsage, unknown_name
from harness.ledger.store import Rejected
from harness.suite.cells import cell_id


class OfCell(Protocol):
    """What says of which cell a run is: a record's ``cell``, or a head."""

    @property
    def model(self) -> str: ...
    @property
    def variant(self) -> str: ...
    @property
    def seed(self) -> int: ...


def runs_called(
    work_dir: Path, name: str, runs: Mapping[str, tuple[Path, OfCell]], rejected: Iterable[Rejected]
) -> list[str]:
    """Keys of the valid runs that are called so, by the names of their folders: as its folder and page are, as its job
    is (all its runs), or by its cell (all its seeds).

    Args:
        runs: the valid ones, key -> folder and cell. rejected: the others.

    Raises:
        BadUsage: none is; it says so where such a run is not valid.
    """
    names = {key: _names(folder, cell) for key, (folder, cell) in runs.items()}
    found = next(filter(None, ([key for key, own in names.items() if own[kind] == name] for kind in range(3))), [])
    for one in rejected:
        if one.path.name == name or (not found and re.fullmatch(r"(-s\d+)?-\w{12}", one.path.name.removeprefix(name))):
            raise BadUsage(f"{one.path.name} is no valid run: {one.line}")
    if not found:
        if not runs:
            raise BadUsage(f"{work_dir} has no valid run; --work-dir names another folder")
        known = sorted({n for own in names.values() for n in own})
        raise BadUsage(unknown_name("run, job or cell", name, known, listed_by="python -m harness status"))
    return sorted(found, key=lambda key: runs[key][0].name)


def _names(folder: Path, cell: OfCell) -> tuple[str, str, str]:
    """Of a run, of its job, and of its cell."""
    own = cell_id(cell.model, cell.variant)
    return folder.name, f"{own}-s{cell.seed}", own
