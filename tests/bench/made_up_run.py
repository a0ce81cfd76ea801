"""A run in a ledger, made up; imports nothing heavy."""

import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.identity import IDENTITY_VERSION, run_key
from harness.ledger.files import sha256_of
from harness.ledger.metrics import compute_metrics
from harness.ledger.record import CellInfo, Epoch, Identity, RunRecord
from harness.ledger.store import load_predictions, run_dir, write_record


def write_run(work_dir, name="a", top=0.9, loss=1.0, checkpoint="c"):
    cell = CellInfo(
        model=name,
        method="Toy",
        stage="single",
        dataset="mgr_dark",
        train_modalities=["rgb"],
        test_modality="rgb",
        seed=0,
        profile="smoke",
    )
    identity = Identity(
        version=IDENTITY_VERSION, config={"name": name}, data={}, parents={}, code={}, seed=0
    )
    folder = run_dir(work_dir, name, run_key(identity))
    folder.mkdir(parents=True, exist_ok=True)
    row = {"clip_id": "x", "subject": "1", "label": 0, "scores": np.array([top, 1 - top], dtype=np.float32)}
    pq.write_table(pa.Table.from_pylist([row]), folder / "predictions.parquet")
    record = RunRecord(
        key=run_key(identity),
        status="done",
        cell=cell,
        identity=identity,
        metrics=compute_metrics(load_predictions(folder)),
        predictions_sha256=sha256_of(folder / "predictions.parquet"),
        checkpoint_sha256=checkpoint,
        epochs=[Epoch(epoch=1, loss=loss, seconds=random.random())],
    )
    write_record(folder, record)
    return folder
