"""One attempt at ONE job in its own process: builds the MMEngine Runner, trains, tests, writes the record.

Imported by the fork server, so that torch and MMAction2 are imported once for all jobs of a harness.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import sys
import traceback
from pathlib import Path

import mtcd_plugin.register  # noqa: F401  isort: skip  (its shims come before MMAction2)
import cv2
import torch
import torch._dynamo
from mmengine.dist import is_main_process

from harness.ledger.files import write_text_atomically
from harness.ledger.lock import LockLost, RunLock, kept_alive
from harness.ledger.logs import log_tail, log_to
from harness.ledger.record import Failure, RunRecord
from harness.ledger.run_dir import LOG, POINTS, RECORD, SCRATCH
from harness.ledger.store import read_record, write_record
from harness.ledger.tidy import remove_unfinished
from harness.network.registered import not_registered
from harness.system.disk import is_disk_full, need_line
from harness.worker.code_check import check_code
from harness.worker.distributed import join_group, leave_group, lost_peer, train_together
from harness.worker.loading import SharedMemoryFull, is_shared_memory_full
from harness.worker.record import blank_record, classify, now
from harness.worker.resume import recover_state
from harness.worker.side_by_side import run_side_by_side
from harness.worker.signals import (
    DISK_FULL_LINE,
    EXIT_DISK_FULL,
    EXIT_LOCK_LOST,
    EXIT_PEER_LOST,
    EXIT_STOPPED,
    STARTED_LINE,
    STOP,
    Stopped,
    listen,
)
from harness.worker.single import run_single
from harness.worker.spec import JobSpec, locks_of, read_spec, write_spec
from mtcd_plugin.formats.checkpoint_errors import one_line, without_advice

gc.freeze()  # what is imported stays: MMEngine's datasets collect garbage, which would walk all of it in every job


def main(folder: Path, threads: int, devices: str | None, submission: str = "") -> int:
    """Run the job whose ``job.json`` lies in a run's folder; what it prints goes to the log there.

    Args:
        devices: ids of the job's GPUs as CUDA_VISIBLE_DEVICES has them, None for the CPU.
        submission: token of the job that was submitted, "" for whatever lies in the folder.

    Returns:
        The process's exit code. 0: a record was written (done or failed); EXIT_STOPPED, EXIT_DISK_FULL: none, the next
        attempt goes on from the last checkpoint; EXIT_LOCK_LOST: none, another harness has taken the job over.
    """
    try:
        listen()
        log_to(folder / LOG)
        if devices is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = devices
        return _run_job(folder, threads, devices is not None, submission)
    except Stopped:
        print("stopped on request; the last checkpoint stays", flush=True)
        return EXIT_STOPPED
    except LockLost as e:
        print(e, flush=True)
        return EXIT_LOCK_LOST


def _run_job(folder: Path, threads: int, on_gpu: bool, submission: str) -> int:
    """Prepare the folder, run the job in this process or in a group of them, tidy up. Returns the exit code."""
    try:
        spec = read_spec(folder)
    except (OSError, ValueError) as e:
        print(f"{one_line(e)}; run the harness again, which writes it anew", flush=True)
        return 1
    if submission not in ("", spec.submission):
        raise LockLost(f"{folder}: this job was submitted anew since; nothing is written")
    locks = locks_of(folder, spec)
    locks[folder].join(spec.submission)
    print(f"{STARTED_LINE}{spec.attempts}: {spec.name}, submission {spec.submission}", flush=True)
    with kept_alive(
        locks.values
    ):  # on another host, nobody sees this process: a harness that is gone refreshes nothing
        try:
            return _run_locked(folder, spec, locks, threads, on_gpu)
        finally:
            locks[folder].leave()


def _run_locked(folder: Path, spec: JobSpec, locks: dict[Path, RunLock], threads: int, on_gpu: bool) -> int:
    for lock in locks.values():
        lock.join()  # the job lives on for a moment where the harness is killed now
        remove_unfinished(lock.folder)
    forget_other_training(folder, spec)
    if spec.kind == "train" and (found := recover_state(folder)):
        print(*found, sep="\n", flush=True)
        spec.notes += found
        write_spec(folder, spec)  # for the processes of a group
    if spec.processes > 1:
        code = train_together(run_rank, folder, spec, threads, on_gpu)
        if code == EXIT_STOPPED:
            raise Stopped
    else:
        code = attempt(folder, spec, threads, on_gpu)
    locks[folder].check()
    if code == 0 and read_record(folder).status == "done":
        shutil.rmtree(folder / SCRATCH, ignore_errors=True)
        shutil.rmtree(folder / POINTS, ignore_errors=True)
    return code


def run_rank(directory: str, threads: int, on_gpu: bool) -> None:
    """Entry of one of several processes that train a job together; ``torchrun``'s launcher starts it."""
    listen()
    join_group(on_gpu)
    try:
        code = attempt(Path(directory), read_spec(Path(directory)), threads, on_gpu)
    except Stopped:
        code = EXIT_STOPPED
    except LockLost as e:
        print(e)
        code = EXIT_LOCK_LOST
    leave_group(code)


def attempt(folder: Path, spec: JobSpec, threads: int, on_gpu: bool) -> int:
    """Run a job in this process, or this process's share of it, and write its record. Returns the exit code.

    Raises:
        Stopped: on request; no record was written.
        LockLost: another harness has taken the job over; no record was written.
    """
    torch.set_num_threads(threads)
    cv2.setNumThreads(0)
    record = blank_record(spec, on_gpu)
    try:
        check_code([spec.identity, *(m.identity for m in spec.members)], spec.sources)
        if spec.members:
            members = run_side_by_side(folder, spec, record, on_gpu)
        else:
            run_single(folder, spec, record, on_gpu)
            members = [(folder, record)]
        for place, done in reversed(members):  # the job's own record last: it says that the job is over
            done.status, done.finished = "done", now()
            if is_main_process():
                write_record(place, done, locks_of(folder, spec)[place].check)
        return 0
    except (Stopped, LockLost):
        raise
    except BaseException as e:  # noqa: BLE001  every failure becomes a record (docs/architecture.md, rule 4)
        return _failed(folder, spec, record, e)


def _failed(folder: Path, spec: JobSpec, record: RunRecord, e: BaseException) -> int:
    """What an exception makes of an attempt: a stop, one that can be gone on with, or the record of a failure."""
    if STOP.is_set():  # the others of the group have stopped already
        raise Stopped from e
    if is_shared_memory_full(e, folder):
        spec.loading = "thread"  # in the next attempt
        write_spec(folder, spec)
        e = SharedMemoryFull()
    elif is_disk_full(e, folder):
        with contextlib.suppress(OSError):
            print(f"{DISK_FULL_LINE} {need_line(e)}", flush=True)
        return EXIT_DISK_FULL
    return fail(folder, spec, record, e)


def fail(folder: Path, spec: JobSpec, record: RunRecord, e: BaseException) -> int:
    """Write the record of a failure, in a group that of the process which failed first."""
    with contextlib.suppress(OSError):
        sys.stderr.write(without_advice("".join(traceback.format_exception(e))))
        sys.stdout.flush()
        sys.stderr.flush()
    if spec.processes > 1 and (folder / RECORD).exists():
        return 1
    if spec.processes > 1 and lost_peer(e):
        return EXIT_PEER_LOST
    record.status, record.finished = "failed", now()
    record.metrics = None
    message = not_registered(e, spec.config) or one_line(e)
    record.failure = Failure(kind=classify(e), message=message, log_tail=log_tail(folder))
    try:
        write_record(folder, record, RunLock(folder, spec.claim).check)
    except OSError as error:
        if is_disk_full(error, folder):
            return EXIT_DISK_FULL
        raise
    return 0 if spec.processes == 1 else 1


def forget_other_training(folder: Path, spec: JobSpec) -> None:
    """Drop a half-finished training of another group of runs: its state does not fit this one's networks."""
    who = folder / SCRATCH / "of.json"
    own = json.dumps([m.key for m in spec.members] or [spec.key])
    if who.parent.is_dir() and not (who.is_file() and who.read_bytes() == own.encode()):
        shutil.rmtree(who.parent)
    who.parent.mkdir(exist_ok=True)
    write_text_atomically(who, own)
