"""Methods that a profile leaves out: their rows say so, they are in no family of tests, and what ran is shown."""

from dataclasses import replace

import pytest

from reports.ledger.context import ReportContext
from reports.ledger.ledger import make_ledger
from reports.ledger.work_dir import read_work_dir
from reports.tables.layouts import build_table
from reports.views.methods import methods
from reports.views.table import build as pages
from tests.helpers.fake_benchmark import fake_benchmark, fake_entries
from tests.helpers.fake_ledger import write_fake_ledger

METHODS = ("Hostile", "Broken")
BENCHMARK = fake_benchmark()
TABLES = [t for t in BENCHMARK.tables if t.id in ("table2", "table3")]


def optional(entries):
    return {n: replace(e, optional_at=("demo",)) if e.method in METHODS else e for n, e in entries.items()}


def ledger(folder, entries):
    """A work dir with three seeds of all cells that these entries have in the tables of methods."""
    write_fake_ledger(folder / "work", BENCHMARK, entries, seeds=3, takes=2, tables=[t.id for t in TABLES])
    return folder / "work"


def context(work_dir, entries):
    return ReportContext(BENCHMARK, entries, make_ledger([read_work_dir(work_dir)], "demo", BENCHMARK, entries))


def comparisons(made):
    return [page.values["comparisons"] for page in pages(made) if page.path in ("table2.html", "table3.html")]


@pytest.fixture(scope="module")
def entries(tmp_path_factory):
    return fake_entries(tmp_path_factory.mktemp("configs"))


@pytest.fixture(scope="module")
def left_out(entries, tmp_path_factory):
    work_dir = ledger(tmp_path_factory.mktemp("left-out"), optional(entries))
    return work_dir, context(work_dir, optional(entries))


def rows(made):
    return {(t.id, r.cells["method"].text): r.cells for t in TABLES for r in build_table(made, t).rows}


def test_their_rows_say_that_they_are_left_out_and_how_to_run_them(left_out, entries):
    hostile = entries["hostile_mgr-dark-rgb"].title
    found = rows(left_out[1])
    for where, top1 in [
        (("table2", "Broken"), "rgb.top1"),
        (("table2", hostile), "rgb.top1"),
        (("table3", hostile), "m.top1"),
    ]:
        cell = found[where][top1]
        assert (cell.text, cell.title, cell.state) == ("left out at demo", "run with --all-methods", "missing")
    (broken,) = (m for m in methods(left_out[1]) if m.title == "Broken")
    assert broken.configs[0].top1 == "left out at demo: run with --all-methods"
    assert "--all-methods" not in left_out[1].command


def test_they_are_in_no_family_of_tests_and_no_gap(left_out, entries):
    work_dir, own = left_out
    bare = context(work_dir, {n: e for n, e in entries.items() if e.method not in METHODS})
    found = rows(own)
    assert all(found[where] == cells for where, cells in rows(bare).items())
    compared = comparisons(own)
    assert compared == comparisons(bare) and compared[0][0].pairs
    assert not [run for run in own.ledger.runs if run.status != "done"]


def test_what_was_run_all_the_same_is_shown_and_ranked_as_any_other(entries, tmp_path):
    work_dir = ledger(tmp_path, entries)
    ran, usual = context(work_dir, optional(entries)), context(work_dir, entries)
    assert rows(ran) == rows(usual) and comparisons(ran) == comparisons(usual)
    assert ran.command.replace(" --all-methods", "") == usual.command != ran.command
