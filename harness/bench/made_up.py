"""A finished ledger without training anything: records as large as real ones, predictions that bear them out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.data.clips import dataset_clips
from harness.ledger.files import sha256_of
from harness.ledger.judge import sha256_of_rendered
from harness.ledger.metrics import metrics_of
from harness.ledger.record import Cost, Epoch, Metrics, RunRecord, seal_of
from harness.ledger.run_dir import PREDICTIONS, RECORD, RENDERED
from harness.ledger.store import folder_name, runs_dir
from harness.plan.jobs import Job
from harness.plan.loaders import dataset_configs
from harness.plan.run_state import output_of
from harness.system.environment import commit, environment, hardware

EPOCHS = 20


def finish(jobs: Iterable[Job], work_dir: Path) -> None:
    """Write what a run of each job would have left: record, predictions, and an empty output."""
    for job in jobs:
        folder = runs_dir(work_dir) / folder_name(job.name, job.key)  # where a run is, is looked up among all
        folder.mkdir(parents=True)
        metrics, sha, written = None, "", {}
        if job.data is not None and job.classifies:
            content, metrics, sha = _predictions(job, len(job.data.classes), work_dir)
            (folder / PREDICTIONS).write_bytes(content)
        output = output_of(job, work_dir)
        if job.kind == "train":
            output.write_bytes(b"made up")
            written["checkpoint_sha256"] = sha256_of(output)
        elif output.name == RENDERED[0]:
            output.mkdir()
            written["store_sha256"] = sha256_of_rendered(folder)
        record = RunRecord.model_validate_json(_record(job, metrics, sha).model_copy(update=written).model_dump_json())
        record.seal = seal_of(record)
        # not written atomically: syncing thousands of files to disk would take longer than what is measured
        (folder / RECORD).write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")


def _record(job: Job, metrics: Metrics | None, sha: str) -> RunRecord:
    losses = {f"loss_{name}": 0.1 for name in ("cls", "teacher", "assistant")}
    return RunRecord(
        key=job.key,
        status="done",
        kind=job.kind,
        cell=job.cell,
        identity=job.identity,
        metrics=metrics,
        predictions_sha256=sha,
        epochs=[Epoch(epoch=i + 1, loss=0.3, losses=losses, lr=1e-4, seconds=1.0) for i in range(EPOCHS)],
        data=job.data,
        cost=Cost(params=1, flops=1, input_shape=[3, 16, 32, 32], total_seconds=1.0),
        environment=environment(),
        hardware=hardware(),
        commit=commit(),
        command="python -m harness bench harness",
        started="2000-01-01T00:00:00Z",
        finished="2000-01-01T00:00:01Z",
        notes=["made up to measure the harness with"],
    )


_tested: dict[str, tuple[pa.Table, np.ndarray]] = {}


def _predictions(job: Job, classes: int, work_dir: Path) -> tuple[bytes, Metrics, str]:
    """The bytes of a predictions file for the job's test clips, its metrics and its digest: right as often as its
    config is by a draw of its own, on clips that each run draws anew."""
    known = job.identity.data["test"]
    if known not in _tested:  # reading a test set takes longer than predicting it
        clips = dataset_clips(dataset_configs(job.config)["test"])[1]
        labels = np.array([c.label for c in clips], dtype=np.int32)
        named = {"clip_id": [c.clip_id for c in clips], "subject": [c.subject for c in clips]}
        _tested[known] = pa.table({**named, "label": labels}), labels
    table, labels = _tested[known]
    skill = np.random.default_rng(list(f"{job.cell.model}+{job.cell.variant}".encode())).uniform(0.2, 0.9)
    drawn = np.random.default_rng(list(job.key.encode()))
    scores = drawn.random((len(labels), classes), dtype=np.float32)
    scores[np.arange(len(labels)), labels] += drawn.random(len(labels)) < skill
    path = Path(work_dir) / PREDICTIONS
    pq.write_table(table.append_column("scores", pa.array(list(scores))), path)
    made = path.read_bytes(), metrics_of(scores, labels), sha256_of(path)
    path.unlink()
    return made
