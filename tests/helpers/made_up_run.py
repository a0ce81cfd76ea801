"""A run in a ledger, made up; imports nothing heavy."""

import random

import numpy as np
import pandas as pd

from harness.ledger.identity import IDENTITY_VERSION
from harness.ledger.record import CellInfo, Epoch, Identity, RunRecord
from tests.helpers import sound_run


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
    identity = Identity(version=IDENTITY_VERSION, config={"name": name}, data={}, parents={}, code={}, seed=0)
    row = {"clip_id": "x", "subject": "1", "label": 0, "scores": np.array([top, 1 - top], dtype=np.float32)}
    record = RunRecord(
        key="",
        status="done",
        cell=cell,
        identity=identity,
        epochs=[Epoch(epoch=1, loss=loss, seconds=random.random())],
    )
    return sound_run.write_run(work_dir, record, pd.DataFrame([row]), weights=checkpoint.encode())[0]
