"""A row whose run is another row's says so and is ranked once; a run whose code is not in its key says so."""

import json
import shutil

import pytest

from harness.ledger.planfile import read_plan, write_plan
from harness.ledger.record import NOT_TRACKED
from harness.ledger.store import load_predictions, load_records
from reports import build
from tests.helpers.fake_benchmark import HOSTILE
from tests.helpers.fake_ledger import save
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
