"""What the worker writes down: records, failure classes, scores, weights, its log."""

from __future__ import annotations

import platform
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from harness.ledger.files import atomic_replace, sha256_of
from harness.ledger.metrics import compute_metrics
from harness.ledger.record import CellInfo, RunRecord
from harness.ledger.run_dir import PREDICTIONS
from harness.ledger.store import load_predictions
from harness.system.environment import environment, hardware
from harness.worker.loading import LOADER_DIED
from harness.worker.precision import chosen_precision
from harness.worker.spec import JobSpec
from mtcd_plugin.formats.clip_store import FRAMES


def blank_record(spec: JobSpec, on_gpu: bool) -> RunRecord:
    return RunRecord(
        key=spec.key,
        status="failed",
        kind=spec.kind,
        cell=spec.cell,
        identity=spec.identity,
        data=spec.data,
        pretrained=spec.pretrained,
        environment=environment(),
        hardware={**hardware(), "precision": chosen_precision(spec.precision, on_gpu, spec.config)},
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
    if "SharedMemoryFull" in names or LOADER_DIED in str(e):
        return "killed"
    if names & {"ClipError", "FileNotFoundError", "FFmpegError"}:
        return "data_error"
    if isinstance(e, (SystemExit, KeyboardInterrupt)):
        return "killed"
    return "crash"


def score_predictions(folder: Path, record: RunRecord) -> None:
    """Compute the metrics of the predictions in a run's folder, which must be those of the whole test split.

    Raises:
        ValueError: clips are missing or too many.
    """
    predictions = load_predictions(folder)
    if record.data is not None and len(predictions) != record.data.test_clips:
        raise ValueError(
            f"{len(predictions)} predictions for {record.data.test_clips} test clips: a test split must be whole"
        )
    record.metrics = compute_metrics(predictions)
    record.predictions_sha256 = sha256_of(folder / PREDICTIONS)


def peak_memory(on_gpu: bool) -> int:
    """Peak bytes of this process: of the GPU's allocator there; otherwise of resident memory without clip stores, which
    lie in the page cache, are shared by all jobs, and give way where memory is needed.
    """
    if on_gpu:
        return int(torch.cuda.max_memory_allocated())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024 - mapped_store_bytes()


def mapped_store_bytes() -> int:
    """Bytes of clip stores that this process has mapped and looked at; 0 where the system does not tell."""
    try:
        lines = Path("/proc/self/smaps").read_text().splitlines()
    except OSError:
        return 0
    total, of_store = 0, False
    for line in lines:
        name, *rest = line.split()
        if name.endswith(":") and of_store and name == "Rss:":
            total += int(rest[0]) << 10
        elif not name.endswith(":"):
            of_store = bool(rest) and rest[-1].endswith(f"/{FRAMES}")
    return total


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def publish_weights(full: dict[str, Any], path: Path, key: str, cell: CellInfo, check: Callable[[], None]) -> None:
    """The weights of the last epoch alone, without optimizer and dates, so that equal runs give equal files.

    Args:
        check: of the run's lock, called right before the file is put into place.
    """
    meta = {"key": key, "model": cell.model, "stage": cell.stage}
    if "mtcd" in full["meta"]:
        meta["mtcd"] = full["meta"]["mtcd"]
    # to an open file: in one that torch opens itself it notes the file's name, which is another one at each attempt
    with atomic_replace(path, check=check) as beside, beside.open("wb") as file:
        torch.save({"meta": meta, "state_dict": full["state_dict"]}, file)
