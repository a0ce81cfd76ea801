"""The ledger: records that are whole, checked against their predictions, and never trusted otherwise."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.ledger.files import sha256_of
from harness.ledger.identity import IDENTITY_VERSION
from harness.ledger.metrics import compute_metrics
from harness.ledger.record import CellInfo, Identity, RunRecord
from harness.ledger.store import load_record, load_records
from tests.helpers.sound_run import write_run


def in_its_place(path, make):
    path.unlink()
    make(path)


def predictions(n=12, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "clip_id": [f"c{i}" for i in range(n)],
            "subject": [f"s{i % 3}" for i in range(n)],
            "label": np.arange(n, dtype=np.int32) % classes,
            "scores": list(rng.random((n, classes), dtype=np.float32)),
        }
    )


def make_run(work_dir, seed=0):
    cell = CellInfo(
        model="toy",
        method="Toy",
        stage="single",
        dataset="mgr_dark",
        train_modalities=["rgb"],
        test_modality="rgb",
        seed=seed,
        profile="smoke",
    )
    identity = Identity(version=IDENTITY_VERSION, config={}, data={}, parents={}, code={}, seed=seed)
    record = RunRecord(key="", status="done", cell=cell, identity=identity)
    return write_run(work_dir, record, predictions(seed=seed))


def test_metrics_against_a_slow_reference():
    table = predictions(60, 7)
    top1 = top5 = 0
    hits = {}
    for label, scores in zip(table["label"], table["scores"], strict=True):
        order = sorted(range(7), key=lambda c: -scores[c])
        top1 += order[0] == label
        top5 += label in order[:5]
        hits.setdefault(label, []).append(order[0] == label)
    m = compute_metrics(table)
    assert m.top1 == pytest.approx(top1 / 60)
    assert m.top5 == pytest.approx(top5 / 60)
    assert m.mean_class == pytest.approx(sum(sum(h) / len(h) for h in hits.values()) / len(hits))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.iloc[:0], "empty"),
        (lambda t: t.assign(label=9), "outside"),
        (lambda t: t.assign(scores=[np.array([np.nan, 0, 0, 0])] * len(t)), "finite"),
    ],
)
def test_bad_predictions_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        compute_metrics(change(predictions()))


def test_round_trip(tmp_path):
    folder, record = make_run(tmp_path)
    assert load_record(folder) == record
    records, rejected = load_records(tmp_path)
    assert records == {record.key: (folder, record)} and not rejected


def edit(folder, **changes):
    path = folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def _without(folder, field):
    return json.dumps({k: v for k, v in json.loads((folder / "run.json").read_text()).items() if k != field})


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda f: (f / "run.json").write_text("{ half"), "corrupt"),
        (lambda f: (f / "run.json").write_text("[]"), "corrupt"),
        (lambda f: edit(f, metrics={"top1": 1.0, "top5": 1.0, "mean_class": 1.0}), "disagree"),
        (lambda f: edit(f, schema_version=99), "newer harness"),
        (lambda f: edit(f, schema_version=None), "no schema_version"),
        (lambda f: (f / "run.json").write_text(_without(f, "schema_version")), "no schema_version"),
        (lambda f: edit(f, surprise=1), "surprise"),
        (lambda f: (f / "predictions.parquet").write_bytes(b"x"), "changed since"),
        (lambda f: (f / "predictions.parquet").unlink(), "is gone"),
        (lambda f: in_its_place(f / "predictions.parquet", Path.mkdir), "predictions.parquet is a folder, not a file"),
        (lambda f: in_its_place(f / "checkpoint.pth", Path.mkdir), "checkpoint.pth is a folder, not a file"),
        (
            lambda f: in_its_place(f / "predictions.parquet", os.mkfifo),
            "predictions.parquet is a named pipe, not a file",
        ),
        (lambda f: f.rename(f.with_name("toy-000000000000")), "another run"),
    ],
)
def test_what_was_tampered_with_is_rejected_with_its_reason_and_others_stay(tmp_path, damage, reason):
    folder, _ = make_run(tmp_path, seed=0)
    _, other = make_run(tmp_path, seed=1)
    damage(folder)
    records, rejected = load_records(tmp_path)
    assert set(records) == {other.key}
    assert len(rejected) == 1 and reason in rejected[0].reason and "\n" not in rejected[0].reason


def test_a_record_without_its_last_write_is_no_record(tmp_path):
    folder, _ = make_run(tmp_path)
    (folder / "run.json").rename(folder / ".run.json.half")
    assert load_records(tmp_path) == ({}, [])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: t.assign(scores=[s[: 2 + i % 2] for i, s in enumerate(t["scores"])]), "2 and clips with 3"),
        (lambda t: t.drop(columns="scores"), "not predictions"),
        (lambda t: t.assign(scores=0.5), "not predictions"),
        (lambda t: t.assign(label=[None, *t["label"][1:]]), "not predictions"),
        (lambda t: t.iloc[:0], "empty|not predictions"),
    ],
)
def test_foreign_predictions_are_refused(tmp_path, change, reason):
    folder, _ = make_run(tmp_path)
    change(predictions()).to_parquet(folder / "predictions.parquet")
    edit(folder, predictions_sha256=sha256_of(folder / "predictions.parquet"))
    with pytest.raises(ValueError, match=reason):
        load_record(folder)


def test_records_are_read_without_pandas(tmp_path):
    """It takes longer to import than a run-all with nothing to do may take."""
    make_run(tmp_path)
    code = (
        "import sys, pathlib\nfrom harness.ledger.store import load_records\n"
        "assert len(load_records(pathlib.Path(sys.argv[1]))[0]) == 1 and 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
