"""All results as one tidy table: as programs read it without options, and as the records say."""

import io
import json

import numpy as np
import pandas as pd
import pytest

from harness.ledger.store import load_records
from reports.views.runs.predictions import PredictedClips, summarise
from reports.views.runs.results import COLUMNS


@pytest.fixture(scope="module")
def frame(fake):
    return pd.read_csv(fake.site / "downloads" / "results.csv")


def test_every_csv_of_a_site_is_read_without_options(fake):
    found = [p for p in fake.paths if p.suffix == ".csv"]
    assert len(found) > 20
    for path in found:
        read = pd.read_csv(path)
        assert len(read) and not any(str(c).startswith("Unnamed") for c in read.columns), path.name
        assert not any(str(c).endswith(".1") for c in read.columns), (path.name, "a title appears twice")


def test_the_description_beside_a_csv_names_its_columns(fake):
    for path in (fake.site / "downloads").glob("*.csv"):
        about = json.loads(path.with_name(path.name + "-metadata.json").read_text())
        assert about["url"] == path.name
        assert [c["titles"] for c in about["tableSchema"]["columns"]] == list(pd.read_csv(path).columns), path.name


def test_a_row_for_each_run_and_metric(fake, frame):
    assert list(frame.columns) == list(COLUMNS)
    assert not frame.duplicated(["run", "metric"]).any()
    records, _ = load_records(fake.work_dir)
    assert set(frame["key"]) == set(records)
    done = frame[frame["status"] == "done"].pivot(index="key", columns="metric", values="value")
    for key, (_, r) in records.items():
        if r.metrics is not None:
            assert done.loc[key, "top1_percent"] == pytest.approx(100 * r.metrics.top1)
            assert done.loc[key, "top5_percent"] == pytest.approx(100 * r.metrics.top5)
            assert done.loc[key, "parameters"] == r.cost.params
    failed = frame[frame["status"] == "failed"]
    assert len(failed) == sum(r.status == "failed" for _, r in records.values()) and failed["value"].isna().all()


def test_rows_say_how_they_were_made(frame):
    assert frame["synthetic"].dtype == bool and frame["adopted"].dtype == bool
    assert set(frame["profile"]) == {"demo"} and set(frame["commit"]) == {"c0ffee" * 6 + "c0ff", np.nan}
    student = frame[(frame["cell"] == "student_mgr-dark-rgb") & (frame["metric"] == "top1_percent")].iloc[0]
    assert student["train_modalities"] == "rgb+ir" and student["test_modality"] == "rgb"
    assert student["protocol"] == "common" and student["date"].startswith("2024-07-20")
    tops = frame[(frame["metric"] == "top1_percent") & (frame["status"] == "done")]
    assert ((tops["interval_low"] <= tops["value"]) & (tops["value"] <= tops["interval_high"])).all()
    assert frame[frame["metric"] == "parameters"]["interval_low"].isna().all()
    plain = frame[(frame["cell"] == "plain_mgr-dark-rgb") & (frame["metric"] == "top1_percent")]
    assert sorted(plain["seed"]) == [0, 1, 2] and all("table2" in t.split(";") for t in plain["tables"])


def test_parquet_holds_the_same(fake, frame):
    other = pd.read_parquet(fake.site / "downloads" / "results.parquet")
    assert list(other.columns) == list(frame.columns) and other["seed"].dtype.kind == "i"
    text = pd.read_csv(io.StringIO(other.to_csv(index=False)))
    pd.testing.assert_frame_equal(text, frame)


def test_predictions_have_the_five_highest_scores_and_equals_by_class_number():
    scores = np.array([[0.1, 0.3, 0.3, 0.0, 0.2, 0.05, 0.05], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]])
    table = PredictedClips(["a", "b"], ["1", "1"], np.array([2, 6]), scores)
    read = pd.read_csv(io.StringIO(summarise(table, list("abcdefg")).csv))
    names = ["predicted", *(f"predicted_{i}" for i in range(2, 6))]
    assert read[names].to_numpy().tolist() == [[1, 2, 4, 0, 5], [6, 0, 1, 2, 3]]
    assert read.loc[0, ["score", "score_2", "score_5"]].tolist() == [0.3, 0.3, 0.05]
