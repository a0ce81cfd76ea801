"""What nobody asked for has no card on the first page, no row on that of the data, and images are called so."""

from dataclasses import replace

import pytest

from reports.ledger.clip_sets import clip_sets
from reports.ledger.context import ReportContext
from reports.ledger.ledger import make_ledger
from reports.ledger.work_dir import read_work_dir
from reports.tables.data_sets import sets_at_hand as at_hand
from reports.views import data, figure, methods, table
from reports.views.evidence import page as evidence
from reports.views.runs.page import ClipPictures, runs_table
from reports.views.runs.run import run_views
from tests.helpers.fake_site import write


def context_of(made, *statistics):
    ledger = make_ledger([read_work_dir(made.work_dir)], "demo", made.benchmark, made.entries)
    return ReportContext(made.benchmark, made.entries, ledger, clip_sets(statistics, ledger))


def cards(context):
    return {p.card.title.split(".")[0]: p.card for view in (table, figure) for p in view.build(context) if p.card}


@pytest.fixture
def made(tmp_path):
    return write(tmp_path, seeds=1, tables=["table2"])


def test_a_table_all_of_whose_runs_are_another_ones_has_no_card(made):
    found = cards(context_of(made))
    assert found["Table 2"].asked and found["Table 4"].blocks, "its rows are of Table 2 as well"
    assert not found["Table 4"].asked and not found["Figure 6"].asked
    assert not any(p.card.asked for p in evidence.build(context_of(made)) if p.card)


def test_what_an_earlier_plan_asked_for_and_ran_in_part_keeps_its_card(tmp_path):
    lost = {("student_mgr-dark-rgb+half", 0)}
    write(tmp_path, seeds=1, tables=["table4"], missing=lost)
    made = write(tmp_path, seeds=1, tables=["table2"])
    context = context_of(made)
    assert "table4" not in context.ledger.tables and cards(context)["Table 4"].asked
    assert all(p.card.asked for p in evidence.build(context))


def test_the_data_page_lists_what_is_planned_or_there(tmp_path):
    made = write(tmp_path, seeds=1, tables=["table3"])
    assert [r.id for r in at_hand(context_of(made))] == ["nvgesture"]
    there = context_of(made, {"mgr_dark": {"clips": 3}})
    assert [r.id for r in at_hand(there)] == ["mgr_dark", "nvgesture"]
    (page,) = data.build(context_of(made))
    assert [d.id for d in page.values["sets"]] == ["nvgesture"]


def test_a_page_without_any_plan_lists_all_sets(made):
    context = context_of(made)
    ledger = replace(context.ledger, plans=(), results={})
    unplanned = replace(context, ledger=ledger, clip_sets=clip_sets([], ledger))
    assert [r.id for r in data.measured_table(unplanned, at_hand(unplanned)).rows] == ["mgr_dark", "nvgesture"]


def test_what_reads_images_is_not_said_to_read_the_clips_of_a_set(made):
    context = context_of(made)
    name = "plain_mgr-dark-rgb"
    entry = replace(made.entries[name], metadata={"Images": "SYSU-MM01"})
    context = replace(context, entries={**made.entries, name: entry})
    said = {c.name: c.data for m in methods.methods(context) for c in m.configs}
    assert said[name] == "SYSU-MM01" and said["plain_mgr-dark-depth"] == "MGR-Dark"
    first, second = run_views(context, ClipPictures(context))[:2]
    rows = runs_table([replace(first, data_name="SYSU-MM01"), replace(second, data_name="")]).rows
    assert [r.cells["dataset"].text for r in rows] == ["SYSU-MM01", second.dataset]
