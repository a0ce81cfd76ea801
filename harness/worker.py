"""Runs ONE job in its own process: builds the MMEngine Runner, trains, tests, writes the record.

Imported by the fork server, so that torch and MMAction2 are imported once for all jobs of a harness.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import resource
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import mtcd_plugin.register  # noqa: F401  isort: skip  (its shims come before MMAction2)
import cv2
import torch
import torch._dynamo  # noqa: F401  the first optimizer imports it: paid once here, not by every job
from matplotlib import pyplot  # noqa: F401  so does the visualizer
from mmengine.config import Config
from mmengine.runner import Runner

from harness.environment import environment, hardware
from harness.job_spec import JobSpec, read_spec
from harness.ledger.files import sha256_of, write_text_atomically
from harness.ledger.logs import LOG, log_tail
from harness.ledger.metrics import compute_metrics
from harness.ledger.record import CellInfo, Failure, RunRecord
from harness.ledger.store import PREDICTIONS, load_predictions, write_record
from harness.measure import count_cost
from harness.worker_hooks import AtomicCheckpoint, ExactResume, NanLoss, RunLog, Stopped, remarks
from mtcd_plugin.sweep import point_checkpoints

gc.collect()
gc.freeze()  # what is imported stays: MMEngine's datasets collect garbage, which would walk all of it in every job

CHECKPOINT = "checkpoint.pth"
STORE = "store"
RESUME = Path("mm") / "last.pth"


def main(directory: str, threads: int, gpu: str | None) -> None:
    """Entry of the job's process. Exit code 0: a record was written (done or failed); 3: stopped on request."""
    os.setsid()
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole terminal group; the harness decides
    try:
        _main(Path(directory), threads, gpu)
    except Stopped:
        print("stopped on request; the last checkpoint stays", flush=True)
        sys.exit(3)


def _stop(*_: object) -> None:
    raise Stopped


def _main(folder: Path, threads: int, gpu: str | None) -> None:
    _log_to(folder / LOG)
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    torch.set_num_threads(threads)
    cv2.setNumThreads(0)
    spec = read_spec(folder)
    record = _blank_record(spec)
    try:
        forget_other_training(folder, spec)
        if spec.members:
            members = run_side_by_side(folder, spec, record, gpu is not None)
        else:
            _run(folder, spec, record, on_gpu=gpu is not None)
            members = [(folder, record)]
        for _, done in members:
            done.status = "done"
    except Stopped:
        raise
    except BaseException as e:  # noqa: B036  every failure becomes a record (design, rule 4)
        traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        record.status = "failed"
        record.metrics = None
        record.failure = Failure(kind=classify(e), message=one_line(e), log_tail=log_tail(folder))
        members = [(folder, record)]
    for place, done in reversed(members):  # the job's own record last: it says that the job is over
        done.finished = now()
        write_record(place, done)
    if record.status == "done":
        shutil.rmtree(folder / "mm", ignore_errors=True)
        shutil.rmtree(folder / "points", ignore_errors=True)


def forget_other_training(folder: Path, spec: JobSpec) -> None:
    """Drop a half-finished training of another group of runs: its state does not fit this one's networks."""
    who = folder / "mm" / "of.json"
    own = json.dumps([m.key for m in spec.members] or [spec.key])
    if who.parent.is_dir() and not (who.is_file() and who.read_text(encoding="utf-8") == own):
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
        record.cost.data_time_share = log.data_time_share()
        full = torch.load(folder / RESUME, map_location="cpu", weights_only=True)
        publish_weights(full, folder / CHECKPOINT, spec.key, spec.cell)
        record.checkpoint_sha256 = sha256_of(folder / CHECKPOINT)
    if runner.cfg.get("test_cfg") is not None and runner.cfg.get("test_dataloader") is not None:
        started = time.perf_counter()
        measured = runner.test()
        record.cost.test_seconds = time.perf_counter() - started
        record.measurements = {
            k: float(v)
            for k, v in measured.items()
            if isinstance(v, (int, float)) and not k.startswith("acc/")
        }
    if (folder / PREDICTIONS).is_file():
        judge(folder, record)
        shape = clip_shape(runner)
        record.cost.params, record.cost.flops = count_cost(runner.model, shape)
        record.cost.input_shape = list(shape if isinstance(shape, tuple) else next(iter(shape.values())))
    record.cost.peak_memory_bytes = peak_memory(on_gpu)
    record.cost.total_seconds = (record.cost.train_seconds or 0.0) + (record.cost.test_seconds or 0.0)


def make_runner(folder: Path, spec: JobSpec, on_gpu: bool) -> tuple[Runner, RunLog]:
    """MMEngine's Runner for a job, with the harness's hooks."""
    cfg = Config(runner_config(folder, spec, on_gpu), format_python_code=False)
    runner = Runner.from_cfg(cfg)
    log = RunLog(folder, cfg.train_cfg.get("max_epochs") if cfg.get("train_cfg") else None)
    runner.register_hook(log, priority="BELOW_NORMAL")
    if spec.kind == "train":
        runner.register_hook(NanLoss(), priority="HIGH")
        runner.register_hook(ExactResume(), priority="HIGHEST")
        runner.register_hook(AtomicCheckpoint(folder / RESUME), priority="VERY_LOW")
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


def run_side_by_side(
    folder: Path, spec: JobSpec, own: RunRecord, on_gpu: bool
) -> list[tuple[Path, RunRecord]]:
    """Train and test a group of runs in one process; each gets weights, predictions and a record of its own."""
    print(f"{', '.join(m.name for m in spec.members)}: training side by side", flush=True)
    runner, log = make_runner(folder, spec, on_gpu)
    count = len(spec.members)
    seconds = train(runner, log)
    full = torch.load(folder / RESUME, map_location="cpu", weights_only=True)
    started = time.perf_counter()
    runner.test()
    tested = time.perf_counter() - started
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
        publish_weights(checkpoint, place / CHECKPOINT, member.key, member.cell)
        record.checkpoint_sha256 = sha256_of(place / CHECKPOINT)
        os.replace(folder / "points" / str(i) / PREDICTIONS, place / PREDICTIONS)
        judge(place, record)
        done.append((place, record))
    return done


def runner_config(folder: Path, spec: JobSpec, on_gpu: bool) -> dict[str, Any]:
    """The config that the Runner gets: the job's config with this run's folders, seed and device settings."""
    config = dict(spec.config)
    config["work_dir"] = str(folder / "mm")
    config["experiment_name"] = spec.key[:16]
    config["launcher"] = "none"
    config["randomness"] = {**config.get("randomness", {}), "seed": spec.cell.seed}
    config["visualizer"] = {"type": "Visualizer", "vis_backends": []}
    config["default_hooks"] = {
        **config.get("default_hooks", {}),
        "checkpoint": None,
    }  # AtomicCheckpoint instead
    resumable = spec.kind == "train" and (folder / RESUME).is_file()
    config["resume"] = resumable
    config["load_from"] = str(folder / RESUME) if resumable else None
    workers = spec.workers
    for split in ("train", "val", "test"):
        loader = config.get(f"{split}_dataloader")
        if loader:
            loader = {
                **loader,
                "num_workers": workers,
                "persistent_workers": workers > 0,
                "pin_memory": on_gpu,
            }
            if workers == 0:
                loader.pop("prefetch_factor", None)
            dataset = dict(loader["dataset"])
            if "clip_store" in dataset or spec.clip_store:
                dataset["clip_store"] = spec.clip_store
            config[f"{split}_dataloader"] = {**loader, "dataset": dataset}
    if spec.accumulate > 1:
        loader = config["train_dataloader"]
        optim = config["optim_wrapper"]
        config["train_dataloader"] = {**loader, "batch_size": max(1, loader["batch_size"] // spec.accumulate)}
        config["optim_wrapper"] = {
            **optim,
            "accumulative_counts": optim.get("accumulative_counts", 1) * spec.accumulate,
        }
    evaluator = config.get("test_evaluator")
    if evaluator:
        many = evaluator if isinstance(evaluator, (list, tuple)) else [evaluator]
        config["test_evaluator"] = [_place_output(e, folder) for e in many]
    return config


def _place_output(evaluator: dict[str, Any], folder: Path) -> dict[str, Any]:
    if evaluator.get("type") == "ClipPredictions":
        return {**evaluator, "out_file": str(folder / PREDICTIONS)}
    if "output_dir" in evaluator:
        return {**evaluator, "output_dir": str(folder / STORE)}
    return evaluator


def clip_shape(runner: Runner) -> tuple[int, ...] | dict[str, tuple[int, ...]]:
    """(C, T, H, W) of one test clip, by modality where there are several."""
    inputs = runner.test_dataloader.dataset[0]["inputs"]
    if isinstance(inputs, dict):
        return {m: tuple(x.shape[1:]) for m, x in inputs.items()}
    return tuple(inputs.shape[1:])


def publish_weights(full: dict[str, Any], path: Path, key: str, cell: CellInfo) -> None:
    """The weights of the last epoch alone, without optimizer and dates, so that equal runs give equal files."""
    meta = {"key": key, "model": cell.model, "stage": cell.stage}
    if "mtcd" in full["meta"]:
        meta["mtcd"] = full["meta"]["mtcd"]
    tmp = path.with_suffix(".tmp")
    torch.save({"meta": meta, "state_dict": full["state_dict"]}, tmp)
    os.replace(tmp, path)


def _blank_record(spec: JobSpec) -> RunRecord:
    return RunRecord(
        key=spec.key,
        status="failed",
        kind=spec.kind,
        cell=spec.cell,
        identity=spec.identity,
        data=spec.data,
        pretrained=spec.pretrained,
        environment=environment(),
        hardware=hardware(),
        commit=spec.commit,
        command=spec.command,
        started=now(),
        attempts=spec.attempts,
        notes=list(spec.notes),
    )


def classify(e: BaseException) -> str:
    """The failure class of an exception."""
    text = str(e).lower()
    if (
        isinstance(e, (torch.cuda.OutOfMemoryError, MemoryError))
        or "out of memory" in text
        or "can't allocate memory" in text
    ):
        return "out_of_memory"
    if isinstance(e, FloatingPointError):
        return "nan_loss"
    names = {c.__name__ for c in type(e).__mro__}
    if names & {"ClipError", "FileNotFoundError", "FFmpegError"}:
        return "data_error"
    if isinstance(e, (SystemExit, KeyboardInterrupt)):
        return "killed"
    return "crash"


def one_line(e: BaseException) -> str:
    text = " ".join(str(e).split()) or "no message"
    known = isinstance(e, (ValueError, FloatingPointError, OSError))
    return (text if known else f"{type(e).__name__}: {text}")[:500]


def peak_memory(on_gpu: bool) -> int:
    """Peak bytes of this process: of the GPU's allocator there, of resident memory otherwise."""
    if on_gpu:
        return int(torch.cuda.max_memory_allocated())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _log_to(path: Path) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)


def dump_config(config: dict[str, Any], path: Path) -> None:
    """The resolved config as a file for MMAction2's stock tools."""
    path.write_text(
        "# Resolved config of this run; trains with MMAction2's tools/train.py\n"
        + "".join(f"{k} = {json_like(v)}\n" for k, v in config.items()),
        encoding="utf-8",
    )


def json_like(value: Any) -> str:
    return repr(json.loads(json.dumps(value)))
