"""What a run depends on: its stages, their stages, and whether any of them saw synthetic data."""

from __future__ import annotations

from collections.abc import Mapping

from harness.ledger.record import RunRecord


def dependency_closure(key: str, records: Mapping[str, RunRecord]) -> list[str]:
    """Keys of all runs that a run depends on, each once, nearest first; also of those that are not in ``records``."""
    found: dict[str, None] = {}
    todo = [key]
    while todo:
        record = records.get(todo.pop(0))
        for parent in record.identity.parents.values() if record is not None else ():
            if parent not in found and parent != key:
                found[parent] = None
                todo.append(parent)
    return list(found)


def synthetic_data(key: str, records: Mapping[str, RunRecord]) -> tuple[str, ...] | None:
    """Names of the synthetic data sets that a run or any of its ancestors trained or tested on, its own first.

    None where neither the run nor any ancestor has recorded its data.
    """
    own = (records[k].data for k in (key, *dependency_closure(key, records)) if k in records)
    said = [data for data in own if data is not None]
    return tuple(dict.fromkeys(d.name for d in said if d.synthetic)) if said else None
