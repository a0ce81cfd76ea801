"""Run a finished job anew: the run that is there is kept aside, and compared with the new one.

What is set aside says by its name where it stands, and each step is one rename, so that whatever ends a harness, the
next one that runs the job (``waiting``) has the run of before in its place again, or the new one.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness import PACKAGED_CONFIGS
from harness.errors import one_line
from harness.ledger.lock import RunLock
from harness.ledger.percent import top1_text
from harness.ledger.record import RunRecord
from harness.ledger.run_dir import LOCK, RECORD, SUBMITTED
from harness.ledger.store import read_record
from harness.plan.jobs import Job, Settings
from harness.plan.run_state import folder_of, look_up
from harness.plan.workspace import Workspace, synthetic_root

log = logging.getLogger(__name__)

REPLACED = "replaced"  # in the work dir, beside runs/: no ledger reads it
WAITS, MOVING = ".waiting", ".moving"  # ends of names there: no new run is done yet; a part still lies in the ledger
THIS_JOB = "--cell '{job}' --force"  # at the end of a command that redoes a job
HELD = ".held"  # beside both: the lock of the harness that set it aside


@dataclass(frozen=True)
class Replaced:
    """A run that was set aside, and where it lies now. ``lock``: held until it is settled where the run stands."""

    record: RunRecord
    folder: Path
    lock: RunLock

    @property
    def kept(self) -> Path:
        """Where it lies for good."""
        return self.folder.with_name(self.folder.name.removesuffix(WAITS))


def set_aside(job: Job, work_dir: Path, others: Iterable[Job] = ()) -> Replaced | None:
    """Move a job's run out of the ledger, all its files; None where it has no valid record.

    Args:
        others: the jobs of the plan, some of which may read what it left.

    Raises:
        ValueError: somebody is running it, or a job that reads it. OSError: it cannot be moved.
    """
    folder = folder_of(job, work_dir)
    record = look_up(job, work_dir).record
    if record is None:
        return None
    for other in others:
        if job.key in other.parents.values() and (holder := RunLock(folder_of(other, work_dir)).holder()):
            raise ValueError(f"{other.name}, which reads {job.name}, is being run by {holder}; wait for it, or stop it")
    lock = RunLock(folder)
    if not lock.acquire():
        raise ValueError(f"{job.name} is being run by {lock.holder() or 'another harness'}; wait for it, or stop it")
    try:
        place = _new_place(folder, work_dir)
        held = _lock_of(place)
        if not held.acquire():
            raise ValueError(f"{job.name} is being set aside by {held.holder() or 'another harness'}")
        moving = _named(place, MOVING)
        moving.mkdir()
        try:
            for name in sorted(_files(folder), key=lambda n: n != RECORD):  # the record first: what is left is no run
                os.rename(folder / name, moving / name)
        except BaseException:
            _move_back(moving, folder)
            _settled(held)
            raise
        os.rename(moving, _named(place, WAITS))
    finally:
        lock.release()
    return Replaced(record, _named(place, WAITS), held)


def put_back(old: Replaced, job: Job, work_dir: Path) -> Path | None:
    """Move a run that was set aside back into the ledger, where no new one is done; None if it is not there again.

    Nothing is moved while somebody runs the job, or a cluster has it.

    Returns:
        Where what the new one left lies now, beside the ledger.
    """
    folder = folder_of(job, work_dir)
    lock = RunLock(folder)
    if os.path.lexists(folder / SUBMITTED) or not lock.acquire():
        return None
    try:
        if look_up(job, work_dir).done:
            return None
        left = _clear(folder, old.kept, _files(folder))
        moving = _named(old.kept, MOVING)
        os.rename(old.folder, moving)
        _move_back(moving, folder)
    finally:
        lock.release()
    _settled(old.lock)
    return left


def waiting(jobs: Mapping[str, Job], work_dir: Path) -> dict[str, Replaced]:
    """Settle what harnesses that are gone set aside: such a run stands again where no new one is done.

    Returns:
        By key those of which that is not known yet: a cluster has the new run, or it is done.
    """
    names = unsettled(work_dir)
    found: dict[str, Replaced] = {}
    for key, job in jobs.items() if names else ():
        for place in names.get(folder_of(job, work_dir).name, ()):
            held = _lock_of(place.with_suffix(""))
            try:
                if not held.acquire():  # by a harness that is at it
                    continue
                if place.suffix == MOVING:
                    _finish_moving(job, folder_of(job, work_dir), place, held)
                elif (old := _put_back_or_not(place, held, job, work_dir)) is not None:
                    found.setdefault(key, old)
            except (OSError, ValueError) as e:
                log.warning("%s: set aside earlier, and left there: %s", place, one_line(e))
    return found


def _put_back_or_not(place: Path, held: RunLock, job: Job, work_dir: Path) -> Replaced | None:
    """A run that waits; None where it stands in the ledger again."""
    old = Replaced(read_record(place), place, held)
    left = put_back(old, job, work_dir) if old.record.status == "done" else None
    if left is None:
        return old
    line = "%s: running it anew was cut short; the run from before stands again, the rest is in %s"
    log.info(line, job.name, left)
    return None


def _finish_moving(job: Job, folder: Path, place: Path, held: RunLock) -> None:
    """Bring the parts of a run together again in the ledger, unless somebody runs the job or has run it."""
    lock = RunLock(folder)
    if os.path.lexists(folder / SUBMITTED) or not lock.acquire():
        held.release()
        return
    try:
        if (folder / RECORD).exists() and (place / RECORD).exists():  # a new run, whatever became of it
            os.rename(place, place.with_suffix(""))
        else:
            _move_back(place, folder)
            log.info("%s: setting its run aside was cut short; it stands again", job.name)
    finally:
        lock.release()
    _settled(held)


def unsettled(work_dir: Path) -> dict[str, list[Path]]:
    """Name of a run's folder -> what of it waits or was being moved, the last that was set aside first."""
    root = Path(work_dir) / REPLACED
    found: dict[str, list[Path]] = {}
    for place in sorted(root.iterdir(), key=_number, reverse=True) if root.is_dir() else ():
        if place.suffix in (WAITS, MOVING):
            found.setdefault(place.name.rsplit(".", 2)[0], []).append(place)
    return found


def _number(place: Path) -> int:
    found = re.search(r"\.(\d+)\.\w+$", place.name)
    return int(found[1]) if found else 0


def _new_place(folder: Path, work_dir: Path) -> Path:
    """The first place for a run of this folder whose number nothing has, in whatever state."""
    root, number = Path(work_dir) / REPLACED, 1
    there = os.listdir(root) if root.is_dir() else []
    while any(n == (own := f"{folder.name}.{number}") or n.startswith(f"{own}.") for n in there):
        number += 1
    return root / f"{folder.name}.{number}"


def _named(place: Path, state: str) -> Path:
    return place.with_name(place.name + state)


def _lock_of(place: Path) -> RunLock:
    return RunLock(_named(place, HELD))


def _settled(held: RunLock) -> None:
    held.release()
    shutil.rmtree(held.folder, ignore_errors=True)


def _files(folder: Path) -> list[str]:
    return [e for e in sorted(os.listdir(folder)) if e != LOCK]


def _clear(folder: Path, place: Path, names: Iterable[str]) -> Path:
    """Move what a new run left beside ``place``; returns where to."""
    number = 1
    while os.path.lexists(left := _named(place, f".unfinished{f'-{number}' if number > 1 else ''}")):
        number += 1
    left.mkdir()
    for name in names:
        os.rename(folder / name, left / name)
    return left


def _move_back(place: Path, folder: Path) -> None:
    """The record last: then it is a run."""
    if both := [n for n in os.listdir(place) if os.path.lexists(folder / n)]:  # written there since
        _clear(folder, place.with_suffix(""), both)
    for name in sorted(os.listdir(place), key=lambda n: n == RECORD):
        os.rename(place / name, folder / name)
    place.rmdir()


def compared(old: Replaced, job: Job, work_dir: Path) -> str:
    """How the new run compares with the one that was set aside, in one line. Where none is done, the one from before is
    put back."""
    if (new := look_up(job, work_dir).record) is None or new.status != "done":
        if old.record.status != "done":
            return f"no new run is done; the one before had failed, and is in {_keep(old)}"
        if (left := put_back(old, job, work_dir)) is not None:
            return (
                "no new run is done; the one from before stands again, what the new one left is in "
                f"{REPLACED}/{left.name}"
            )
        old.lock.release()  # the next harness that runs the job settles it
        return f"the new run is not done yet; the one from before is in {old.folder}"
    _keep(old)
    if old.record.status != "done":
        return "done; the one before had failed"
    if new.metrics is None or old.record.metrics is None:
        same = new.checkpoint_sha256 == old.record.checkpoint_sha256 and new.measurements == old.record.measurements
        return "equal to the one before" if same else "not equal to the one before in its weights or measurements"
    if new.predictions_sha256 == old.record.predictions_sha256:
        return f"top-1 {top1_text(new)}, predictions equal to the last digit to those before"
    return f"top-1 {top1_text(new)}, {top1_text(old.record)} before: predictions differ"


def _keep(old: Replaced) -> Path:
    """Give a run that was replaced its place for good."""
    os.rename(old.folder, old.kept)
    _settled(old.lock)
    return old.kept


def redo_command(
    ws: Workspace,
    gpus_per_job: int = 1,
    precision: str = "auto",
    compiled: bool = False,
    first: str = "python -m harness run",
) -> str:
    """The command that redoes a job, whose name takes the place of ``{job}``; the user's own places are DIR and FILE.

    It works in a fresh clone, where the built-in synthetic data is made first, and where the job is done already.

    Args:
        first: the command itself, with what it asks for beside the options that all share.
    """
    s = ws.settings
    parts = [first, f"--profile {s.profile}", f"--seeds {ws.seeds}"]
    if ws.tables and ws.tables != ws.benchmark.usual:
        parts.append(f"--tables {','.join(ws.tables)}")
    parts += places_of(s)
    parts += [f"--quarantine {name}=FILE" for name in sorted(s.quarantine)]
    if s.init != ws.benchmark.init.get(s.profile, "scratch"):
        parts.append(f"--init {s.init}")
    if gpus_per_job > 1:
        parts.append(f"--gpus-per-job {gpus_per_job}")
    if precision != "auto":
        parts.append(f"--precision {precision}")
    if compiled:
        parts.append("--compile")
    return " ".join([*parts, THIS_JOB])


def places_of(s: Settings) -> list[str]:
    """The options that name the user's own data and configs, where there are such."""
    own_data = s.profile == "paper" or s.data_root != synthetic_root(s.profile)
    own_configs = s.configs.resolve() != PACKAGED_CONFIGS
    return ["--data-root DIR"] * own_data + ["--configs DIR"] * own_configs
