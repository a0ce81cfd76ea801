"""Adopt: declare an old run equivalent to what the plan now asks for, with a reason that the pages show."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadUsage, first_of
from harness.ledger.files import kind_of
from harness.ledger.identity import differing
from harness.ledger.lock import RunLock
from harness.ledger.planfile import PlanFile, write_plan
from harness.ledger.record import RunRecord
from harness.ledger.run_dir import LOCK, PASSING, PLAN, RECORD, SPEC, SUBMITTED
from harness.ledger.store import load_heads, read_record, write_record
from harness.plan.jobs import Job
from harness.plan.run_state import folder_of, look_up
from harness.plan.status import JobState
from harness.worker.spec import read_spec, write_spec

COMPONENTS = ("code", "config", "data", "parents", "version")  # of an identity, in which a run may differ from its job
NOT_COPIED = (RECORD, LOCK, SPEC, SUBMITTED, *PASSING)  # the adopted run has a record of its own
USUAL = ("code", "version")  # what a change of the source alone makes different


@dataclass(frozen=True)
class Adoption:
    """A stale job, the run that may stand for it, and what differs between them.

    Attributes:
        refused: why it must not, one line; "" where it may.
    """

    job: Job
    other: RunRecord
    differences: tuple[str, ...]
    refused: str = ""


def adoptions(states: Iterable[JobState], work_dir: Path, components: Iterable[str] = USUAL) -> list[Adoption]:
    """What adopting all stale jobs would do; changes nothing.

    A stage that is adopted as well is no difference in parents.

    Args:
        states: of all jobs, parents first. components: in which a run may differ, of ``COMPONENTS``.
    """
    allowed = set(components)
    records, _ = load_heads(work_dir)
    stands_for = {key: record.adopted_from for key, (_, record) in records.items() if record.adopted_from}
    found = []
    for state in states:
        if state.other is None:
            continue
        other = read_record(state.other)
        unlike = differing(other.identity, state.job.identity)
        if _same_parents(other.identity.parents, state.job.parents, stands_for):
            unlike.pop("parents", None)
        refused = "; ".join(_refusals(unlike, allowed))
        if not refused:
            stands_for[state.job.key] = other.key
        lines = tuple(line for part in unlike.values() for line in part)
        found.append(Adoption(state.job, other, lines, refused))
    return found


def _same_parents(old: Mapping[str, str], new: Mapping[str, str], stands_for: Mapping[str, str]) -> bool:
    """Whether the stages of a job are those of a run, or were adopted from them."""
    return old.keys() == new.keys() and all(k == old[s] or stands_for.get(k) == old[s] for s, k in new.items())


def _refusals(unlike: Mapping[str, list[str]], allowed: set[str]) -> Iterator[str]:
    for component, lines in unlike.items():
        if component not in allowed:
            advice = f"; --component {component} adopts all the same" if component in COMPONENTS else ""
            yield f"{component} differs ({first_of(lines)}){advice}"


def adopt(job: Job, other: RunRecord, work_dir: Path, reason: str) -> Path:
    """Copy a run under the key that the plan asks for; the record says from where and why.

    Raises:
        ValueError: no reason, nothing to adopt, another cell's run, or the job is done already.
    """
    return adopt_all([Adoption(job, other, ())], work_dir, reason)[0]


def adopt_all(wanted: Iterable[Adoption], work_dir: Path, reason: str) -> list[Path]:
    """Adopt the runs that are not refused, in their order; their folders. Raises ValueError as ``adopt`` does."""
    if not reason.strip():
        raise BadUsage("adopt needs --reason: why the old run stands for the new one; the pages show it")
    records, _ = load_heads(work_dir)
    folders = []
    for a in wanted:
        if a.refused:
            continue
        if (a.other.cell.model, a.other.cell.variant, a.other.cell.seed) != (
            a.job.cell.model,
            a.job.cell.variant,
            a.job.cell.seed,
        ):
            raise ValueError(
                f"run {a.other.key[:12]} is of {a.other.cell.model} seed {a.other.cell.seed}, not of {a.job.name}"
            )
        if a.other.key not in records:
            raise ValueError(f"run {a.other.key[:12]} is not valid; `verify` says why")
        folders.append(_copy(a, records[a.other.key][0], work_dir, reason.strip()))
    return folders


def tell_plan(
    before: PlanFile, keys: Mapping[tuple[str, int], str], adopted: Iterable[Adoption], work_dir: Path
) -> None:
    """Let the last plan name adopted runs where it asks for their cells: pages go by the plan, and would show the older
    runs. What it asks for stays as it is.

    Args:
        before: the last plan. keys: those that cells have now, by id and seed. adopted: those that are refused change
            nothing.
    """
    new = {a.job.key for a in adopted if not a.refused}
    told = {cell: key for cell, key in keys.items() if key in new}
    cells = [
        c.model_copy(update={"key": told[c.id, c.seed], "error": ""}) if (c.id, c.seed) in told else c
        for c in before.cells
    ]
    if cells != before.cells:
        write_plan(Path(work_dir) / PLAN, before.model_copy(update={"cells": cells}))


def _check_copyable(source: Path) -> None:
    """Raises ValueError for something in a run's folder that is neither a file nor a folder."""
    for place, folders, files in os.walk(source):
        names = [n for n in (*folders, *files) if n not in NOT_COPIED]
        folders[:] = [n for n in folders if n not in NOT_COPIED]
        for path in (Path(place) / name for name in names):
            if (kind := kind_of(path)) not in ("file", "folder"):
                raise ValueError(f"{path}: is a {kind or 'link to nothing'}, which cannot be adopted; move it away")


def _clear(folder: Path) -> None:
    """Remove all but the lock."""
    for left in folder.iterdir():
        if left.name != LOCK:
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
            else:
                left.unlink()


def _copy(a: Adoption, source: Path, work_dir: Path, reason: str) -> Path:
    _check_copyable(source)
    folder = folder_of(a.job, work_dir)
    lock = RunLock(folder)
    if not lock.acquire():
        holder = lock.holder() or "another harness"
        raise ValueError(f"{a.job.name} is being run by {holder}; there is nothing to adopt")
    try:
        if look_up(a.job, work_dir).record is not None:
            raise ValueError(f"{a.job.name} has a run of its own; there is nothing to adopt")
        _clear(folder)
        try:
            shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*NOT_COPIED))
        except OSError as e:
            _clear(folder)  # no half of a run stays
            if isinstance(e, shutil.Error):  # of several files, as a list
                path, _, why = e.args[0][0]
                raise OSError(f"{path}: cannot be copied: {why}") from e
            raise
        of_job = {"key": a.job.key, "identity": a.job.identity, "cell": a.job.cell}
        if a.other.checkpoint_sha256:
            with suppress(OSError, ValueError):  # damaged, or there is none
                told = read_spec(source)  # which modules register its classes
                write_spec(folder, told.model_copy(update={**of_job, "members": []}))
        adopted = {**of_job, "adopted": reason, "adopted_from": a.other.key}
        write_record(folder, a.other.model_copy(update=adopted), lock.check)
    finally:
        lock.release()
    return folder
