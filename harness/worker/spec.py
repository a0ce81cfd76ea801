"""``job.json``: everything the worker needs for one job, written by the harness, read by the job's process."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from harness.ledger.files import read_file, write_text_atomically
from harness.ledger.lock import RunLock
from harness.ledger.record import CellInfo, DataInfo, Identity, StartingWeights, Strict
from harness.ledger.run_dir import SPEC

LARGEST_SPEC = 64 << 20  # bytes


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
    resident: Literal["auto", "on", "off"] = "auto"  # whether clip stores are held in the memory of the device
    accumulate: int = 1  # the micro-batch is the config's batch divided by this
    processes: int = 1  # that train together, each with an equal share of the batch
    precision: Literal["auto", "fp32", "tf32", "bf16"] = "fp32"  # auto: what suits the device
    compile: bool = False  # backbones, by torch.compile
    pretrained: list[StartingWeights] = []
    fused: list[str] = []  # folders of the runs whose predictions it fuses
    commit: str = ""
    command: str = ""
    attempts: int = 1
    claim: int = 0  # number of the claim on its folder (harness.ledger.lock)
    submission: str = ""  # a token: of several workers that are started on this file, one runs
    notes: list[str] = []
    sources: dict[
        str, str
    ] = {}  # sha256 of all source files, as they were planned, of the packages in ``identity.code``
    members: list[Member] = []  # runs side by side, this job's own first; empty for a job that runs alone


def write_spec(directory: Path, spec: JobSpec) -> None:
    write_text_atomically(Path(directory) / SPEC, spec.model_dump_json(indent=1) + "\n")


def read_spec(directory: Path) -> JobSpec:
    """Read ``job.json``. Raises ValueError, one line, where it is damaged, OSError where it cannot be read."""
    path = Path(directory) / SPEC
    try:
        return JobSpec.model_validate_json(read_file(path, LARGEST_SPEC))
    except ValidationError as e:
        first = e.errors(include_url=False)[0]
        said = ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"])))
        raise ValueError(f"{path}: is damaged ({said})") from None


def locks_of(folder: Path, spec: JobSpec) -> dict[Path, RunLock]:
    """The locks that the harness holds for a job: on its folder, and on those of the runs that train beside it."""
    members = {Path(m.directory): RunLock(Path(m.directory), m.claim) for m in spec.members}
    return {folder: RunLock(folder, spec.claim)} | members
