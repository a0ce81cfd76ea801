"""``job.json``: everything the worker needs for one job, written by the harness, read by the job's process."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from harness.ledger.files import read_file, write_text_atomically
from harness.ledger.record import CellInfo, DataInfo, Identity, StartingWeights, Strict
from harness.ledger.run_dir import SPEC

LARGEST_SPEC = 64 << 20  # bytes
EXIT_STOPPED = 3  # of a job's process: stopped on request at its last checkpoint; no record
EXIT_DISK_FULL = 4  # the same for a full disk
EXIT_LOCK_LOST = 6  # another harness took the job over; nothing more was written
DISK_FULL_LINE = "disk full:"  # begins the line of its log that says what is needed


class Member(Strict):
    """One of several runs that train side by side in a job."""

    directory: str
    key: str
    name: str
    cell: CellInfo
    identity: Identity
    command: str
    attempts: int
    claim: int  # number of the claim on its folder (harness.ledger.lock)


class JobSpec(Strict):
    key: str
    name: str
    kind: Literal["train", "render"]
    cell: CellInfo
    identity: Identity
    data: DataInfo | None
    config: dict[str, Any]  # with data paths and the parents' outputs in place
    clip_store: str = ""  # folder of clip stores, "" decodes straight from video
    workers: int = 0  # data-loading processes
    loading: Literal["processes", "thread"] = "processes"  # thread: where shared memory was too small for processes
    accumulate: int = 1  # the micro-batch is the config's batch divided by this
    processes: int = 1  # that train together, each with an equal share of the batch
    pretrained: list[StartingWeights] = []
    commit: str = ""
    command: str = ""
    attempts: int = 1
    claim: int = 0  # number of the claim on its folder (harness.ledger.lock)
    notes: list[str] = []
    members: list[Member] = []  # runs side by side, this job's own first; empty for a job that runs alone


def write_spec(directory: Path, spec: JobSpec) -> None:
    write_text_atomically(Path(directory) / SPEC, spec.model_dump_json(indent=1) + "\n")


def read_spec(directory: Path) -> JobSpec:
    return JobSpec.model_validate_json(read_file(Path(directory) / SPEC, LARGEST_SPEC))
