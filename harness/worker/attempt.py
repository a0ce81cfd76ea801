"""Runs ONE job in its own process: builds the MMEngine Runner, trains, tests, writes the record.

Imported by the fork server, so that torch and MMAction2 are imported once for all jobs of a harness.
"""

from __future__ import annotations

import contextlib
import gc
import json
import math
import os
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

from harness.ledger.run_dir import POINTS, SCRATCH

import mtcd_plugin.register  # noqa: F401  isort: skip  (its shims come before MMAction2)
import cv2
import torch
import torch._dynamo  # noqa: F401  the first optimizer imports it: paid once here, not by every job
from matplotlib import pyplot  # noqa: F401  so does the visualizer
from mmengine.config import Config
from mmengine.runner import Runner
from mmengine.utils import import_modules_from_strings

from harness.ledger.files import sha256_of, write_text_atomically
from harness.ledger.judge import sha256_of_rendered
from harness.ledger.lock import LockLost, RunLock
from harness.ledger.logs import log_tail
from harness.ledger.metrics import compute_metrics
from harness.ledger.record import Failure, RunRecord
from harness.ledger.run_dir import CHECKPOINT, LOG, PREDICTIONS, RECORD, RENDERED, RESUME
from harness.ledger.store import load_predictions, read_record, write_record
from harness.ledger.tidy import remove_unfinished
from harness.measure import count_cost
from harness.system.disk import is_disk_full, need_line
from harness.system.parent_exit import when_parent_ends
from harness.worker.accumulation import train_in_parts
from harness.worker.code_check import check_code
from harness.worker.config import runner_config
from harness.worker.distributed import (
    EXIT_BEREFT,
    GatherInFolder,
    check_model,
    is_first,
    lost_another,
    train_together,
    unwrapped,
)
from harness.worker.hooks import STOP, AtomicCheckpoint, ExactResume, NanLoss, RunLog, Stopped, remarks
from harness.worker.loading import LoaderRoom, SharedMemoryFull, is_shared_memory_full
from harness.worker.record import blank_record, classify, log_to, now, peak_memory, publish_weights
from harness.worker.resume import recover_state
from harness.worker.spec import (
    DISK_FULL_LINE,
    EXIT_DISK_FULL,
    EXIT_LOCK_LOST,
    EXIT_STOPPED,
    JobSpec,
    read_spec,
    write_spec,
)
from harness.worker.start import record_start, watch_start
from mtcd_plugin.formats.checkpoint_errors import one_line, without_advice
from mtcd_plugin.sweep import point_checkpoints

gc.collect()
gc.freeze()  # what is imported stays: MMEngine's datasets collect garbage, which would walk all of it in every job

LAST_WORDS_S = 60.0  # from the death of the harness to that of a job that does not stop


def main(directory: str, threads: int, gpu: str | None) -> None:
    """Entry of the job's process.

    Exit code 0: a record was written (done or failed); EXIT_STOPPED, EXIT_DISK_FULL: none, to be gone on with;
    EXIT_LOCK_LOST: none, another harness has taken the job over.

    Args:
        gpu: ids of the job's devices as CUDA_VISIBLE_DEVICES has them, None for the CPU.
    """
    os.setsid()
    try:
        listen()
        when_parent_ends(_end_with_harness)
        code = _main(Path(directory), threads, gpu)
    except Stopped:
        print("stopped on request; the last checkpoint stays", flush=True)
        code = EXIT_STOPPED
    except LockLost as e:
        print(e, flush=True)
        code = EXIT_LOCK_LOST
    sys.exit(code)


def listen() -> None:
    """TERM asks a job to stop; Ctrl-C reaches the whole terminal group, but the harness decides."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _stop(*_: object) -> None:
    STOP.set()
    raise Stopped


def _end_with_harness() -> None:
    """Stop as if asked to, and for good where that does not help."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LAST_WORDS_S)
    os.killpg(os.getpgid(0), signal.SIGKILL)


def _main(folder: Path, threads: int, gpu: str | None) -> int:
    log_to(folder / LOG)
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    spec = read_spec(folder)
    for lock in locks_of(folder, spec).values():
        lock.share(os.getpid())  # the job lives on for a moment where the harness is killed now
        remove_unfinished(lock.folder)
    forget_other_training(folder, spec)
    if spec.kind == "train" and (found := recover_state(folder)):
        print(*found, sep="\n", flush=True)
        spec.notes += found
        write_spec(folder, spec)  # for the processes of a group
    if spec.processes > 1:
        code = train_together(folder, spec, threads, gpu is not None)
        if code == EXIT_STOPPED:
            raise Stopped
    else:
        code = attempt(folder, spec, threads, gpu is not None)
    locks_of(folder, spec)[folder].check()
    if code == 0 and read_record(folder).status == "done":
        shutil.rmtree(folder / SCRATCH, ignore_errors=True)
        shutil.rmtree(folder / POINTS, ignore_errors=True)
    return code


def locks_of(folder: Path, spec: JobSpec) -> dict[Path, RunLock]:
    """The locks that the harness holds for a job: on its folder, and on those of the runs that train beside it."""
    return {folder: RunLock(folder, spec.claim)} | {
        Path(m.directory): RunLock(Path(m.directory), m.claim) for m in spec.members
    }


def attempt(folder: Path, spec: JobSpec, threads: int, on_gpu: bool) -> int:
    """Run a job in this process, or this process's share of it, and write its record. Returns the exit code.

    Raises:
        Stopped: on request; no record was written.
        LockLost: another harness has taken the job over; no record was written.
    """
    torch.set_num_threads(threads)
    cv2.setNumThreads(0)
    record = blank_record(spec)
    try:
        check_code([spec.identity, *(m.identity for m in spec.members)])
        if spec.members:
            members = run_side_by_side(folder, spec, record, on_gpu)
        else:
            _run(folder, spec, record, on_gpu)
            members = [(folder, record)]
        for place, done in reversed(members):  # the job's own record last: it says that the job is over
            done.status, done.finished = "done", now()
            if is_first():
                write_record(place, done, locks_of(folder, spec)[place].check)
        return 0
    except (Stopped, LockLost):
        raise
    except BaseException as e:  # noqa: B036  every failure becomes a record (docs/architecture.md, rule 4)
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
    if spec.processes > 1 and lost_another(e):
        return EXIT_BEREFT
    record.status, record.finished = "failed", now()
    record.metrics = None
    record.failure = Failure(kind=classify(e), message=one_line(e), log_tail=log_tail(folder))
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


def _run(folder: Path, spec: JobSpec, record: RunRecord, on_gpu: bool) -> None:
    if spec.kind == "train":
        print(f"{spec.name}: training", flush=True)
    runner, log = make_runner(folder, spec, on_gpu)
    if spec.kind == "train":
        record.cost.train_seconds = train(runner, log)
        record.epochs = log.epochs
        record.notes += remarks(runner)
        record_start(runner, record)
        record.cost.data_time_share = log.data_time_share()
        if is_first():
            full = torch.load(folder / RESUME, map_location="cpu", weights_only=True)
            publish_weights(full, folder / CHECKPOINT, spec.key, spec.cell, RunLock(folder, spec.claim).check)
            record.checkpoint_sha256 = sha256_of(folder / CHECKPOINT)
    if runner.cfg.get("test_cfg") is not None and runner.cfg.get("test_dataloader") is not None:
        started = time.perf_counter()
        measured = runner.test()
        record.cost.test_seconds = time.perf_counter() - started
        record.measurements = {
            k: float(v)
            for k, v in measured.items()
            if isinstance(v, (int, float)) and not k.startswith("acc/") and math.isfinite(v)
        }
        lost = sorted(k for k, v in measured.items() if isinstance(v, float) and not math.isfinite(v))
        record.notes += [f"measured {k} is not finite and is left out" for k in lost]
    if is_first() and (folder / SCRATCH / PREDICTIONS).is_file():
        RunLock(folder, spec.claim).check()
        os.replace(folder / SCRATCH / PREDICTIONS, folder / PREDICTIONS)
    if is_first() and (folder / RENDERED[0]).is_dir():
        record.store_sha256 = sha256_of_rendered(folder)
    if is_first() and (folder / PREDICTIONS).is_file():
        judge(folder, record)
        shape = clip_shape(runner)
        record.cost.params, record.cost.flops = count_cost(unwrapped(runner.model), shape)
        record.cost.input_shape = list(shape if isinstance(shape, tuple) else next(iter(shape.values())))
    record.notes += [note for hook in runner.hooks if isinstance(hook, LoaderRoom) for note in hook.notes]
    record.cost.peak_memory_bytes = peak_memory(on_gpu)
    record.cost.total_seconds = (record.cost.train_seconds or 0.0) + (record.cost.test_seconds or 0.0)


def make_runner(folder: Path, spec: JobSpec, on_gpu: bool) -> tuple[Runner, RunLog]:
    """MMEngine's Runner for a job, with the harness's hooks."""
    cfg = Config(runner_config(folder, spec, on_gpu), format_python_code=False)
    import_modules_from_strings(**cfg.get("custom_imports") or {"imports": []})
    runner = Runner.from_cfg(cfg)
    if spec.accumulate > 1:
        train_in_parts(runner.model, spec.accumulate)
    if spec.processes > 1:
        check_model(runner.model)
        runner.register_hook(GatherInFolder(folder / SCRATCH))
    lock = RunLock(folder, spec.claim)
    log = RunLog(folder, cfg.train_cfg.get("max_epochs") if cfg.get("train_cfg") else None, lock)
    runner.register_hook(log, priority="BELOW_NORMAL")
    runner.register_hook(LoaderRoom(spec.loading == "thread"), priority="LOWEST")
    if spec.kind == "train":
        watch_start(runner)
        runner.register_hook(NanLoss(), priority="HIGH")
        runner.register_hook(ExactResume(), priority="HIGHEST")
        runner.register_hook(AtomicCheckpoint(folder, lock), priority="VERY_LOW")
    return runner, log


def train(runner: Runner, log: RunLog) -> float:
    """Train to the last epoch; returns the seconds that all attempts together took."""
    started = time.perf_counter()
    runner.train()
    return log.trained_before + time.perf_counter() - started


def judge(folder: Path, record: RunRecord) -> None:
    """Metrics of the predictions that lie in a run's folder, which must be those of the whole test split."""
    predictions = load_predictions(folder)
    if record.data is not None and len(predictions) != record.data.test_clips:
        raise ValueError(
            f"{len(predictions)} predictions for {record.data.test_clips} test clips: a test split must be whole"
        )
    record.metrics = compute_metrics(predictions)
    record.predictions_sha256 = sha256_of(folder / PREDICTIONS)


def run_side_by_side(folder: Path, spec: JobSpec, own: RunRecord, on_gpu: bool) -> list[tuple[Path, RunRecord]]:
    """Train and test a group of runs in one process; each gets weights, predictions and a record of its own."""
    print(f"{', '.join(m.name for m in spec.members)}: training side by side", flush=True)
    runner, log = make_runner(folder, spec, on_gpu)
    count = len(spec.members)
    seconds = train(runner, log)
    record_start(runner, own)
    full = torch.load(folder / RESUME, map_location="cpu", weights_only=True)
    started = time.perf_counter()
    runner.test()
    tested = time.perf_counter() - started
    own.notes += [note for hook in runner.hooks if isinstance(hook, LoaderRoom) for note in hook.notes]
    shape = clip_shape(runner)
    network = runner.model.points[0]  # all students are alike
    network.data_preprocessor = runner.model.data_preprocessor
    cost = count_cost(network, shape)
    peak = peak_memory(on_gpu)
    done = []
    for i, (member, checkpoint) in enumerate(zip(spec.members, point_checkpoints(full), strict=True)):
        place = Path(member.directory)
        record = own if i == 0 else own.model_copy(deep=True)
        record.key, record.cell, record.identity = member.key, member.cell, member.identity
        record.command, record.attempts = member.command, member.attempts
        record.notes += remarks(runner) if i == 0 else []  # the others are copies of the first
        record.epochs = log.of_point(i)
        record.cost.train_seconds = seconds / count
        record.cost.test_seconds = tested / count
        record.cost.total_seconds = (seconds + tested) / count
        record.cost.data_time_share = log.data_time_share()
        record.cost.peak_memory_bytes = peak
        record.cost.params, record.cost.flops = cost
        record.cost.input_shape = list(shape if isinstance(shape, tuple) else next(iter(shape.values())))
        check = RunLock(place, member.claim).check
        publish_weights(checkpoint, place / CHECKPOINT, member.key, member.cell, check)
        record.checkpoint_sha256 = sha256_of(place / CHECKPOINT)
        check()
        os.replace(folder / POINTS / str(i) / PREDICTIONS, place / PREDICTIONS)
        judge(place, record)
        done.append((place, record))
    return done


def clip_shape(runner: Runner) -> tuple[int, ...] | dict[str, tuple[int, ...]]:
    """(C, T, H, W) of one test clip, by modality where there are several."""
    inputs = runner.test_dataloader.dataset[0]["inputs"]
    if isinstance(inputs, dict):
        return {m: tuple(x.shape[1:]) for m, x in inputs.items()}
    return tuple(inputs.shape[1:])
