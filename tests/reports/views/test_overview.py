"""The first page: what is compared stands on its cards, and what was not run takes a line."""

from types import SimpleNamespace

import pytest

from harness.ledger.planfile import read_plan
from reports import build
from reports.ledger.running import Running
from reports.site.render import _nothing
from reports.tables.order import best_first
from reports.tables.table import MEASURED, Cell, Column, Row, Table
from reports.tables.verdict import Verdict, nothing
from reports.views.overview import FEW, _gaps
from reports.views.table import _card
from tests.helpers.fake_benchmark import fake_benchmark
from tests.helpers.fake_site import write
from tests.helpers.html_tree import parse


def run(name, status, reason, key=""):
    cell = SimpleNamespace(id=name, seed=0, used_by=["table2"], key=key)
    return SimpleNamespace(cell=cell, status=status, reason=reason, page="")


@pytest.mark.parametrize(("status", "said"), [("missing", "not run"), ("unplanned", "could not be planned")])
def test_many_cells_that_were_not_run_for_one_reason_take_one_line(status, said):
    many = [run(f"m{i}", status, "still to be run") for i in range(FEW + 1)]
    few = [run("one", "missing", "its data is absent"), *(run(f"f{i}", "failed", "killed") for i in range(FEW + 1))]
    ledger = SimpleNamespace(present_runs=[*many, *few, run("fine", "done", "")])
    lines, together = _gaps(SimpleNamespace(ledger=ledger, running=None))
    assert [g["cell"] for g in lines] == [r.cell.id for r in few]  # each failure is shown
    (waiting,) = together
    assert waiting == {"text": said, "reason": "still to be run", "cells": [r.cell.id for r in many]}


def test_cells_that_share_a_run_wait_for_one_job():
    runs = [run("sweep", "missing", "no run yet", "k"), run("grid", "missing", "no run yet", "k")]
    now = Running(0, 0, (), ("sweep-s0",), "", 30)
    lines, _ = _gaps(SimpleNamespace(ledger=SimpleNamespace(present_runs=runs), running=now))
    assert [g["reason"] for g in lines] == ["still to come"] * 2


def test_a_cell_whose_job_runs_is_running_and_not_called_not_run():
    runs = [run("first", "missing", "no run yet"), run("next", "missing", "no run yet")]
    now = Running(0, 0, ("first-s0",), ("next-s0",), "", 30)
    lines, _ = _gaps(SimpleNamespace(ledger=SimpleNamespace(present_runs=runs), running=now))
    assert [(g["text"], g["reason"]) for g in lines] == [("running", "its job has begun"), ("not run", "still to come")]


def test_only_what_has_no_number_and_no_failure_is_called_unmeasured():
    failed = SimpleNamespace(done=[], runs=[SimpleNamespace(status="failed")])
    assert _nothing([nothing([None])]) and not _nothing([nothing([failed])])
    assert not _nothing([nothing([None]), Verdict("RGB", "alone", "A has 50.0 %")])


def test_what_was_not_asked_for_is_not_counted_as_asked(tmp_path):
    """Table 4's first rows are the runs of Table 2, and its other rows are runs of an earlier plan."""
    write(tmp_path, seeds=1, tables=["table4"], missing={("student_mgr-dark-rgb+half", 0)})
    made = write(tmp_path, seeds=1, tables=["table2"])
    build(made.work_dir, made.site, made.benchmark, made.entries)
    plan = read_plan(made.work_dir / "plan.json")
    asked = {c.key for c in plan.cells if "table2" in c.used_by}
    page = parse(made.site / "index.html")
    assert f"Tables and figures ask for {len(asked)} runs" in page.text
    assert page.one("ul", cls="tally").text.split()[0] == str(len(asked))
    assert "of tables and figures that were not asked for." in page.text


def test_the_first_page_claims_no_more_than_was_done(fake):
    assert "Each method of the paper" not in parse(fake.site / "index.html").text


def test_the_card_of_an_ablation_has_the_rows_that_are_compared(fake):
    (card,) = (c for c in parse(fake.site / "index.html").all("article") if c.text.startswith("Table 4"))
    assert [th.text for th in card.all("th")] == ["Base row", "Whole row"]  # no daylight: other clips


def test_equal_numbers_of_a_card_stand_as_in_their_table():
    """The table orders them by its next column."""
    names = [f"{m}.{part}" for m in ("rgb", "depth") for part in ("top1", "group")]
    columns = (Column("method", "Method"), *(Column(n, n, MEASURED, numeric=n.endswith("top1")) for n in names))

    def row(name, rgb, depth):
        cells = {n: Cell(str(v), v, origin=MEASURED) for n, v in (("rgb.top1", rgb), ("depth.top1", depth))}
        groups = {n: Cell(state="missing", origin=MEASURED) for n in names if n.endswith("group")}
        return Row(name, {"method": Cell(name)} | cells | groups, field="table2")

    declared = fake_benchmark().tables[0]
    rows = (row("Low", 40.0, 90.0), row("Tied, less depth", 50.0, 10.0), row("Tied, more depth", 50.0, 20.0))
    table = Table("table2", "Table 2", "", columns, rows)
    context = SimpleNamespace(ledger=SimpleNamespace(tables={"table2"}))
    card = _card(context, declared, table, ())
    shown = [name for name, _ in card.blocks[0].rows]
    assert shown == [r.id for r in best_first(declared, table).rows] == ["Tied, more depth", "Tied, less depth", "Low"]
