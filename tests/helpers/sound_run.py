"""A run as the harness leaves it: a record whose key, seal and hashes are those of its identity and files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness.ledger.files import sha256_of
from harness.ledger.identity import run_key
from harness.ledger.judge import data_fingerprint, info_fingerprint, labels_fingerprint
from harness.ledger.metrics import compute_metrics
from harness.ledger.record import RunRecord
from harness.ledger.run_dir import CHECKPOINT, PREDICTIONS
from harness.ledger.store import run_dir, write_record


def complete(record: RunRecord, predictions: pd.DataFrame | None) -> RunRecord:
    """The record with the identity that its data and predictions ask for, and the key of that identity."""
    data, prints = record.data, {k: v for k, v in record.identity.data.items() if k in ("train", "test")}
    if data is not None:
        if predictions is not None:
            data = data.model_copy(update={"test_clips": len(predictions)})
        data = data.model_copy(update={"fingerprint": data_fingerprint(prints)})
        prints["info"] = info_fingerprint(data)
        if predictions is not None:
            rows = predictions[["clip_id", "subject", "label"]].itertuples(index=False)
            prints["test_labels"] = labels_fingerprint(rows)
    identity = record.identity.model_copy(update={"data": prints})
    return record.model_copy(update={"data": data, "identity": identity, "key": run_key(identity)})


def write_run(
    work_dir: Path, record: RunRecord, predictions: pd.DataFrame | None = None, name: str = "", weights: bytes = b""
) -> tuple[Path, RunRecord]:
    """Write a run's folder; returns it and the sealed record.

    Args:
        predictions: ``clip_id subject label scores``, None for a run that predicts no class or failed.
        name: of the folder, by default that of the cell. weights: content of the checkpoint.
    """
    record = complete(record, predictions)
    c = record.cell
    folder = run_dir(work_dir, name or f"{c.model}{'+' + c.variant if c.variant else ''}-s{c.seed}", record.key)
    folder.mkdir(parents=True, exist_ok=True)
    update = {}
    if predictions is not None and record.status == "done":
        pq.write_table(pa.Table.from_pandas(predictions, preserve_index=False), folder / PREDICTIONS)
        update = {"metrics": compute_metrics(predictions), "predictions_sha256": sha256_of(folder / PREDICTIONS)}
    if record.kind == "train" and record.status == "done":
        (folder / CHECKPOINT).write_bytes(weights or c.model.encode())
        update["checkpoint_sha256"] = sha256_of(folder / CHECKPOINT)
    return folder, write_record(folder, record.model_copy(update=update))
