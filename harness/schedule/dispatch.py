"""From a planned job and the outputs of its parents to what the worker is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BadUsage
from harness.ledger.run_dir import CHECKPOINT, POINTS, STORE
from harness.ledger.store import runs_dir
from harness.plan.jobs import Job, fill_parents
from harness.plan.run_state import folder_of
from harness.schedule.grouping import points
from harness.system.environment import commit
from harness.worker.spec import JobSpec, Member
from mtcd_plugin.sweep import stack_sweep

if TYPE_CHECKING:
    from harness.schedule.scheduler import Options


def make_spec(
    group: list[Job],
    folder: Path,
    options: Options,
    attempts: dict[str, int],
    accumulate: int,
    loading: str,
    claims: dict[str, int],
) -> JobSpec:
    """What the worker is told for one job, or for several that train side by side (the first leads).

    Args:
        folder: of the leading job. attempts: by key, this one included. accumulate: parts of every batch.
        loading: how clips are loaded, see JobSpec.
        claims: numbers of the claims on the jobs' folders, by key.

    Raises:
        FileNotFoundError: the output of a parent is gone.
    """
    job = group[0]
    outputs = {stage: str(parent_output(job, stage, options.work_dir)) for stage in job.parents}
    config = fill_parents(job, outputs)
    notes = list(job.notes)
    members = []
    processes = devices_of(job, options.processes)
    if accumulate > 1:
        notes.append(
            f"after running out of memory: micro-batch divided by {accumulate}, gradients accumulated to the config's "
            "batch (batch normalisation sees a micro-batch at a time)"
        )
    if processes > 1:
        notes.append(f"trained by {processes} processes that share each batch of the config")
    elif options.processes > 1 and job.kind == "train":
        notes.append("trained by one process: its sampler draws whole batches that cannot be shared")
    if len(group) > 1:
        config = stack_sweep(config, points(group), str(folder / POINTS))
        notes.append(
            f"trained side by side with {len(group) - 1} more; each is charged an equal share of the job's time"
        )
        members = [
            Member(
                directory=str(folder_of(j, options.work_dir)),
                key=j.key,
                name=j.name,
                cell=j.cell,
                identity=j.identity,
                command=options.command.replace("{job}", j.name),
                attempts=attempts[j.key],
                claim=claims[j.key],
            )
            for j in group
        ]
    return JobSpec(
        key=job.key,
        name=job.name,
        kind=job.kind,
        cell=job.cell,
        identity=job.identity,
        data=job.data,
        config=config,
        clip_store=options.clip_store,
        workers=options.workers,
        loading=loading,
        accumulate=accumulate,
        processes=processes,
        pretrained=list(job.pretrained),
        commit=commit(),
        command=options.command.replace("{job}", job.name),
        attempts=attempts[job.key],
        claim=claims[job.key],
        notes=notes,
        members=members,
    )


def parent_output(job: Job, stage: str, work_dir: Path) -> Path:
    key = job.parents[stage]
    matches = list(runs_dir(work_dir).glob(f"*-{key[:12]}"))
    for folder in matches:
        for name in (STORE, CHECKPOINT):
            if (folder / name).exists():
                return folder / name
    raise FileNotFoundError(
        f"{work_dir}: the output of stage '{stage}' ({key[:12]}) is gone; run again, which makes it anew"
    )


def devices_of(job: Job, wanted: int) -> int:
    """How many processes train a job together: one where it trains nothing, or where its sampler does not deal out
    samples to processes.

    Raises:
        ValueError: the batch cannot be divided evenly.
    """
    if wanted == 1 or job.kind != "train":
        return 1
    loader = job.config.get("train_dataloader") or {}
    if (loader.get("sampler") or {}).get("type") != "DefaultSampler":
        return 1
    if loader["batch_size"] % wanted:
        raise BadUsage(
            f"--gpus-per-job {wanted}: the batch of {job.name} is {loader['batch_size']}, which cannot be divided by it"
        )
    return wanted
