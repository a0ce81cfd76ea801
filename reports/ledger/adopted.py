"""Numbers of runs that were adopted: declared equivalent to the present config and code, with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.ledger.ancestry import dependency_closure
from harness.ledger.record import RunRecord
from harness.suite.cells import cell_id
from reports.format import count

MARK = "†"
NAMED = 4  # cells that a note names; the others are counted


def adopted_runs(key: str, records: Mapping[str, RunRecord]) -> tuple[RunRecord, ...]:
    """Which of a run and the stages that it depends on were adopted, the run first."""
    own = (records[k] for k in (key, *dependency_closure(key, records)) if k in records)
    return tuple(r for r in own if r.adopted_from)


def reason(record: RunRecord) -> str:
    """Why a run was adopted, in one line; "" for a run of its own."""
    return " ".join(record.adopted.split())


def reasons_text(adopted: Iterable[RunRecord]) -> str:
    """Each reason with the runs that it was given for; "" for none."""
    by_reason: dict[str, dict[str, list[int]]] = {}
    for r in {r.key: r for r in adopted}.values():
        seeds = by_reason.setdefault(reason(r), {}).setdefault(cell_id(r.cell.model, r.cell.variant), [])
        seeds.append(r.cell.seed)
    return "; ".join(f"“{why}” ({_cells(cells)})" for why, cells in by_reason.items())


def _cells(cells: Mapping[str, list[int]]) -> str:
    named = [f"{cell} s{', s'.join(map(str, sorted(set(seeds))))}" for cell, seeds in cells.items()]
    more = [f"{count(len(named) - NAMED, 'more cell')}, see the runs page"] if len(named) > NAMED else []
    return "; ".join(named[:NAMED] + more)


def adopted_note(adopted: Iterable[RunRecord]) -> str:
    """The foot note that ``MARK`` refers to; "" where nothing was adopted."""
    why = reasons_text(adopted)
    return why and (
        f"{MARK} made with adopted runs, its own or those of its stages: their config, code or data were others, and "
        f"were declared equivalent instead of running anew. Reasons given: {why}."
    )
