"""Which jobs train side by side in one process: students that differ in nothing but how their losses are weighed.

Side by side they share decoding, augmentation and the forward passes of the networks that teach. Results equal those of
separate runs, so keys, records and folders stay those of separate runs; only the execution differs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from harness.ledger.identity import canonical_json
from harness.ledger.migrate import LeftAlone
from harness.ledger.record import RunRecord
from harness.plan.jobs import Job
from harness.plan.run_state import look_up
from harness.suite.dotted import ABSENT, DATA, get_dotted
from mtcd_plugin.sweep import can_stack, group_size

LIMIT = 12  # jobs in one group


def group_key(job: Job) -> str | None:
    """Equal for jobs that can share a process; None for a job that always runs alone."""
    of_data = {k: v for k, v in job.cell.overrides.items() if k.startswith(DATA)}
    if not can_stack(job.config.get("model", {}), {k: v for k, v in job.cell.overrides.items() if k not in of_data}):
        return None
    cell, identity = job.cell, job.identity
    return canonical_json([cell.model, cell.seed, cell.profile, identity.data, of_data, identity.parents])


def batch_compatible_jobs(
    lead: Job, ready: Iterable[Job], slots: int, room: Callable[[], int] = lambda: LIMIT
) -> list[Job]:
    """The lead and the ready jobs that run with it: an even share of them per slot,
    at most as many as there is room for.

    Args:
        room: how many fit in memory; asked for only where several could run together.
    """
    key = group_key(lead)
    if key is None:
        return [lead]
    others = [j for j in ready if j.key != lead.key and group_key(j) == key]
    share = math.ceil((1 + len(others)) / max(1, slots))
    if share > 1:
        share = min(share, room())
    return [lead, *others[: max(0, share - 1)]]


def room_after(parents: Iterable[Job], work_dir: Path, free_bytes: Callable[[], int | None]) -> int:
    """``room_for`` students of networks that a ledger has; one where the record of a network cannot be read now."""
    try:
        records = [look_up(p, work_dir).record for p in parents if p.classifies]
    except LeftAlone:
        return 1
    return room_for([r for r in records if r is not None], free_bytes())


def room_for(parents: Iterable[RunRecord], free_bytes: int | None) -> int:
    """How many students fit side by side in what is free; ``LIMIT`` where that is not known.

    A student is taken to be as large as the largest of the networks that it learns from, its parents that classify, and
    its step to need what that one's training did.
    """
    known = [p.cost for p in parents if p.cost.params]
    if not known or free_bytes is None:
        return LIMIT
    largest = max(known, key=lambda cost: cost.params or 0)
    return group_size(LIMIT, largest.params or 0, free_bytes, largest.peak_memory_bytes or 0)


def points(jobs: list[Job]) -> list[dict[str, Any]]:
    """Per job the explicit value of every key in which any of them differs from its config."""
    keys = sorted({key for job in jobs for key in job.cell.overrides})
    found = ({key: get_dotted(job.config, key) for key in keys} for job in jobs)
    return [{key: value for key, value in values.items() if value is not ABSENT} for values in found]
