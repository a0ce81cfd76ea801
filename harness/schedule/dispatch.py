"""From a planned job and the outputs of its parents to what the worker is told."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import uuid4

from harness.errors import BadUsage
from harness.fingerprint.code import sources_of
from harness.ledger.run_dir import CHECKPOINT, POINTS, PREDICTIONS, PROGRESS, RECORD, STORE
from harness.ledger.store import runs_dir
from harness.ledger.submission import forget
from harness.plan.jobs import Job, fill_parents
from harness.plan.run_state import last_attempt
from harness.schedule.grouping import points
from harness.schedule.options import Options
from harness.schedule.task import Task
from harness.system.disk import NEEDED_BYTES, DiskFull
from harness.system.environment import commit
from harness.worker.spec import JobSpec, Member, write_spec
from mtcd_plugin.sweep import stack_sweep

FILES = {"checkpoint": CHECKPOINT, "store": STORE, "predictions": PREDICTIONS}  # of the outputs that parents name


def prepare(group: list[Task], options: Options) -> None:
    """Count an attempt at the jobs of a group, and write what their process is told.

    Raises:
        OSError: there is no room, or the output of a parent is gone.
    """
    lead = group[0]
    _check_disk(lead.folder, options.work_dir)
    for task in group:
        task.count_attempt()
        for told in (RECORD, PROGRESS):  # of an earlier attempt
            (task.folder / told).unlink(missing_ok=True)
        forget(task.folder)
    write_specs(group, options)


def write_specs(group: list[Task], options: Options) -> None:
    """Write what the process of a group is told into the folder of the first, and into those of the others what each
    would be told alone: nothing else says how their networks are built.
    """
    for task in group[1:]:
        write_spec(task.folder, make_spec([task], options))
    write_spec(group[0].folder, make_spec(group, options))


def _check_disk(folder: Path, work_dir: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        raise DiskFull(
            f"{work_dir}: {free >> 20} MiB free, at least {NEEDED_BYTES >> 20} MiB are needed to go on; "
            "free some and run again"
        )


def make_spec(group: list[Task], options: Options) -> JobSpec:
    """What the worker is told for one job, or for several that train side by side (the first leads).

    Raises:
        FileNotFoundError: the output of a parent is gone.
    """
    lead, job = group[0], group[0].job
    outputs = {stage: parent_output(job, stage, options.work_dir) for stage in job.parents}
    config = fill_parents(job, {stage: str(path) for stage, path in outputs.items()})
    if len(group) > 1:
        config = stack_sweep(config, points([t.job for t in group]), str(lead.folder / POINTS))
    last = last_attempt(job, options.work_dir)
    code = {name: sha for task in group for name, sha in task.job.identity.code.items()}
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
        loading=last.loading if last else "processes",  # what found shared memory full would do so again
        resident=options.resident,
        accumulate=lead.accumulate,
        processes=devices_of(job, options.processes),
        precision=options.precision,
        compile=options.compile,
        pretrained=list(job.pretrained),
        fused=[str(outputs[stage].parent) for stage, said in job.outputs.items() if said == "predictions"],
        commit=commit(),
        command=options.command_of(job.name),
        attempts=lead.attempts,
        claim=lead.lock.number,
        submission=uuid4().hex,
        notes=_notes(group, options),
        sources=sources_of(code),
        members=[_member(task, options) for task in group] if len(group) > 1 else [],
    )


def _notes(group: list[Task], options: Options) -> list[str]:
    """What a reader of the record must know about how the job is run, one line each."""
    job, accumulate = group[0].job, group[0].accumulate
    processes = devices_of(job, options.processes)
    notes = list(job.notes)
    if accumulate > 1:
        notes.append(
            f"after running out of memory: micro-batch divided by {accumulate}, gradients accumulated to the config's "
            "batch (batch normalisation sees a micro-batch at a time)"
        )
    last = last_attempt(job, options.work_dir)
    if last is not None and last.precision != options.precision:
        notes.append(f"an earlier attempt was asked for --precision {last.precision}, this one for {options.precision}")
    if processes > 1:
        notes.append(f"trained by {processes} processes that share each batch of the config")
    elif options.processes > 1 and job.kind == "train":
        notes.append("trained by one process: its sampler draws whole batches that cannot be shared")
    if len(group) > 1:
        notes.append(
            f"trained side by side with {len(group) - 1} more; each is charged an equal share of the job's time"
        )
    return notes


def _member(task: Task, options: Options) -> Member:
    job = task.job
    return Member(
        directory=str(task.folder),
        key=job.key,
        name=job.name,
        cell=job.cell,
        identity=job.identity,
        command=options.command_of(job.name),
        attempts=task.attempts,
        claim=task.lock.number,
    )


def parent_output(job: Job, stage: str, work_dir: Path) -> Path:
    """The weights, rendered clips or predictions that a stage of a job has left.

    Raises FileNotFoundError where they are gone.
    """
    key, said = job.parents[stage], job.outputs.get(stage, "")
    names = (FILES[said],) if said else (STORE, CHECKPOINT)
    matches = list(runs_dir(work_dir).glob(f"*-{key[:12]}"))
    for folder in matches:
        for name in names:
            if (folder / name).exists():
                return folder / name
    raise FileNotFoundError(
        f"{work_dir}: the output of stage '{stage}' ({key[:12]}) is gone; run again, which makes it anew"
    )


def devices_of(job: Job, wanted: int) -> int:
    """How many processes train a job together: one where it trains nothing,
    or where its sampler does not deal out samples to processes.

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


def largest_batch(job: Job) -> int:
    """Clips in the largest batch of a job: into how many parts it can be divided."""
    loaders = (job.config.get(f"{split}_dataloader") or {} for split in ("train", "test"))
    return max(int(loader.get("batch_size", 1)) for loader in loaders)
