"""``adopt`` leaves what was asked for as it was, and lets the plan name the adopted run where it asks for its cell."""

import json
from pathlib import Path

import pytest

from harness.bench.made_up import finish
from harness.data.clips import forget
from harness.ledger.planfile import read_plan
from harness.ledger.record import seal_of
from harness.ledger.store import load_records
from harness.plan.workspace import open_workspace, save_plan
from tests.helpers.command_line import harness_here

RGB, DEPTH = "i3d_r50_mgr-dark-rgb", "i3d_r50_mgr-dark-depth"


@pytest.fixture
def stale(small_configs, tiny_data, tmp_path):
    """The options of a ledger whose plan asks for one of its two runs; the configs of both have changed since."""
    work = tmp_path / "work"
    finish_all(small_configs, tiny_data, work)
    for name in (RGB, DEPTH):
        with (small_configs / "i3d" / f"{name}.py").open("a") as config:
            config.write("\nmodel = dict(cls_head=dict(dropout_ratio=0.25))\n")
    forget()
    return ["--configs", small_configs, "--data-root", tiny_data, "--work-dir", work, "--profile", "smoke"]


def finish_all(configs, data, work):
    opened = (Path(configs), "smoke", data, None, None)
    save_plan(open_workspace(*opened, chosen=(RGB,)), work)
    finish(open_workspace(*opened).needed().values(), work)


@pytest.mark.parametrize("name", [RGB, DEPTH])
def test_the_plan_asks_for_what_it_asked_for(stale, tmp_path, name):
    work = tmp_path / "work"
    before = read_plan(work / "plan.json")
    assert [c.id for c in before.cells] == [RGB]
    done = harness_here("adopt", f"{name}-s0", "--reason", "the head alone", *stale)
    assert done.returncode == 0, done.stderr
    (adopted,) = (r for _, r in load_records(work)[0].values() if r.adopted)
    after = read_plan(work / "plan.json")
    same = {"cells": None, "seal": None}
    assert after.model_copy(update=same) == before.model_copy(update=same)
    key = adopted.key if name == RGB else before.cells[0].key
    assert after.cells == [before.cells[0].model_copy(update={"key": key})]


def test_all_stale_are_adopted_beside_a_plan_that_asks_for_one(stale, tmp_path):
    done = harness_here("adopt", "--all-stale", "--component", "config", "--reason", "the head alone", *stale)
    assert "2 adopted, 0 refused" in done.stdout
    assert [c.id for c in read_plan(tmp_path / "work" / "plan.json").cells] == [RGB]


def test_where_nothing_was_planned_what_has_runs_is(stale, tmp_path):
    (tmp_path / "work" / "plan.json").unlink()
    assert harness_here("adopt", f"{RGB}-s0", "--reason", "r", *stale).returncode == 0
    (adopted,) = (r for _, r in load_records(tmp_path / "work")[0].values() if r.adopted)
    cells = {c.id: c.key for c in read_plan(tmp_path / "work" / "plan.json").cells}
    assert cells[RGB] == adopted.key and set(cells) == {RGB, DEPTH}


def test_a_damaged_plan_is_said_before_anything_is_adopted(stale, tmp_path):
    path = tmp_path / "work" / "plan.json"
    path.write_text(path.read_text().replace('"seeds": 1', '"seeds": 2'))
    done = harness_here("adopt", f"{RGB}-s0", "--reason", "r", *stale)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: {path}: edited since the planner wrote it; `run` or `run-all` writes it anew\n"
    assert len(load_records(tmp_path / "work")[0]) == 2


def test_trainings_that_no_table_asks_for_keep_away_from_the_plan_of_tables(stale, tmp_path):
    plan = (tmp_path / "work" / "plan.json").read_bytes()
    for words in (["rates", RGB, "--rates", "0.1"], ["pretrain"]):
        done = harness_here("models", *words, *stale)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
        assert "its plan asks for 1 table or figure" in done.stderr
    assert (tmp_path / "work" / "plan.json").read_bytes() == plan
    assert json.loads(plan)["seal"] == seal_of(read_plan(tmp_path / "work" / "plan.json"))
