"""``leaderboard.json`` follows its schema, is dated by its runs, and has the metrics of each."""

import json
from dataclasses import replace

import pytest
from pydantic import ValidationError

from reports import build
from reports.site.leaderboard import Leaderboard
from tests.helpers.fake_site import write


@pytest.fixture(scope="module")
def data(fake):
    return json.loads((fake.site / "leaderboard.json").read_text())


def test_it_follows_the_schema_that_lies_beside_it(fake, data):
    assert Leaderboard.model_validate(data).schema_version == 1
    schema = json.loads((fake.site / data["json_schema"]).read_text())
    assert set(schema["required"]) == set(data) and schema["properties"]["schema_version"]["const"] == 1
    assert set(data["runs"][0]) <= set(schema["$defs"]["RunLine"]["properties"])
    with pytest.raises(ValidationError, match="unheard"):
        Leaderboard.model_validate(data | {"unheard": 1})


def test_its_date_is_that_of_the_newest_run(data):
    assert data["date"] == max(r["date"] for r in data["runs"]) == "2024-07-20T10:00:41Z"


def test_each_run_has_its_metrics_by_names_that_say_the_unit(fake, data):
    found = {r["key"]: r for r in data["runs"] if r["status"] == "done"}
    for path in (fake.work_dir / "runs").glob("plain_mgr-dark-rgb-s*-*/run.json"):
        record = json.loads(path.read_text())
        metrics = found[record["key"]]["metrics"]
        assert metrics["top1_percent"] == pytest.approx(100 * record["metrics"]["top1"])
        assert metrics["train_seconds"] == record["cost"]["train_seconds"]
    assert all(r["metrics"] == {} for r in data["runs"] if r["status"] != "done")


def test_a_protocol_of_the_profile_that_is_shown_is_the_rows_own(tmp_path):
    made = write(tmp_path, seeds=1, tables=["table2"])
    entries = {
        n: replace(e, protocol_at={"demo": "sees less"} if e.method == "Plain" else {"paper": "sees more"})
        for n, e in made.entries.items()
    }
    build(made.work_dir, made.site, made.benchmark, entries)
    runs = json.loads((made.site / "leaderboard.json").read_text())["runs"]
    assert {r["protocol"] for r in runs if r["method"] == "Plain"} == {"sees less"}
    assert {r["protocol"] for r in runs if r["method"] != "Plain"} == {"common"}
