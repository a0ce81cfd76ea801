"""A row whose run is another row's says so and is ranked once; a run whose code is not in its key says so."""

import json
import shutil

import pytest

from harness.ledger.planfile import read_plan, write_plan
from harness.ledger.record import NOT_TRACKED, Metrics
from harness.ledger.store import load_predictions, load_records
from reports import build
from reports.ledger.work_dir import WorkDir, repeated
from reports.views.overview import several_results
from tests.helpers.fake_benchmark import HOSTILE
from tests.helpers.fake_ledger import CellInfo, fake_record, save
from tests.helpers.fake_site import write
from tests.helpers.html_tree import cell, parse

OWN, TWIN = "plain_mgr-dark-rgb", "hostile_mgr-dark-rgb"


def replan(made, keys):
    """The plan with other keys for some cells: cell id, seed -> key."""
    plan = read_plan(made.work_dir / "plan.json")
    cells = [c.model_copy(update={"key": keys.get((c.id, c.seed), c.key)}) for c in plan.cells]
    write_plan(made.work_dir / "plan.json", plan.model_copy(update={"cells": cells}))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three methods on RGB in Table 2, one of which has another's runs;
    a student without a run of its own in Table 4.
    """
    made = write(tmp_path_factory.mktemp("twins"), seeds=3)
    records = load_records(made.work_dir)[0].values()
    keys = {(TWIN, r.cell.seed): r.key for _, r in records if r.cell.model == OWN}
    for folder, record in records:
        if record.cell.model == TWIN:
            shutil.rmtree(folder)
    replan(made, keys)
    build(made.work_dir, made.site, made.benchmark, made.entries)
    return made


def row(made, table, method):
    data = json.loads((made.site / "leaderboard.json").read_text())
    rows = next(t for t in data["tables"] if t["id"] == table)["rows"]
    return next(r["cells"] for r in rows if method in r["cells"]["method"]["text"])


def test_it_has_the_number_says_whose_it_is_and_has_no_rank(made):
    own, twin, third = (row(made, "table2", m) for m in ("Plain", HOSTILE, "Student"))
    assert own["rgb.top1"]["value"] == twin["rgb.top1"]["value"] and own["rgb.runs"] == twin["rgb.runs"]
    assert twin["rgb.top1"]["warn"].startswith(f"the same run as {OWN}") and "warn" not in own["rgb.top1"]
    assert (
        twin["rgb.rank_low"]["state"] == "missing"
        and twin["rgb.rank_low"]["why"] == f"the same run as {OWN}, which is ranked"
    )
    ranked = [r for r in (own, third, row(made, "table2", "Broken")) if "value" in r["rgb.rank_low"]]
    assert max(r["rgb.rank_high"]["value"] for r in ranked) == len(ranked) == 3
    assert "the same run as" in cell(parse(made.site / "table2.html"), "table2", HOSTILE, "rgb.top1").text


def test_it_is_compared_once(made):
    page = (made.site / "table2.html").read_text()
    assert "are right with all 3 methods" in page and "all 4 methods" not in page


def test_a_run_without_all_of_its_code_in_its_key_says_so(tmp_path):
    made = write(tmp_path, seeds=1, tables=["table2"])
    folder, record = next((f, r) for f, r in load_records(made.work_dir)[0].values() if r.cell.model == OWN)
    identity = record.identity.model_copy(update={"code": {**record.identity.code, "Conjured": NOT_TRACKED}})
    predictions = load_predictions(folder)
    shutil.rmtree(folder)
    key = save(made.work_dir, record.model_copy(update={"identity": identity}), predictions).key
    replan(made, {(OWN, 0): key})
    build(made.work_dir, made.site, made.benchmark, made.entries)
    assert row(made, "table2", "Plain")["rgb.top1"]["warn"] == "code not tracked: Conjured"


def test_a_run_that_came_out_differently_in_another_ledger_is_named(tmp_path):
    def ledger(name, accuracies):
        records = {}
        for seed, top1 in enumerate(accuracies):
            where = {"model": "c3d", "method": "C3D", "stage": "single", "dataset": "mgr_dark", "test_modality": "rgb"}
            record = fake_record(CellInfo(**where, train_modalities=["rgb"], seed=seed, profile="demo"))
            metrics = Metrics(top1=top1, mean_class=0.5, top5=0.9)
            records[f"k{seed}"] = tmp_path, record.model_copy(update={"key": f"k{seed}", "metrics": metrics})
        return WorkDir(tmp_path / name, None, "", records, [])

    one, two = ledger("one", [0.5, 0.25, 0.1, 0.1, 0.7]), ledger("two", [0.5, 0.5, 0.85, 0.2, 0.71])
    found = repeated([one, two], "demo")
    assert [(r.record.key, r.top1) for r in found] == [
        ("k2", (0.1, 0.85)),
        ("k1", (0.25, 0.5)),
        ("k3", (0.1, 0.2)),
        ("k4", (0.7, 0.71)),
    ]
    assert repeated([one, one], "demo") == repeated([one, two], "smoke") == repeated([one], "demo") == []
    (line,) = several_results(found)
    assert line.startswith(
        "4 runs have another accuracy in each ledger, of which the newest counts: c3d, seed 2 (10.00 "
    )
    assert "(10.00 and 85.00 %)" in line and line.endswith(" and 1 more.")
