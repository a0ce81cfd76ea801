"""Run pages and the list of runs: what a reader goes on to from them."""

import re

import pytest

from reports import build
from tests.helpers.fake_site import FAKE_STATISTICS, write
from tests.helpers.html_tree import parse


@pytest.fixture
def one(tmp_path):
    made = write(tmp_path, seeds=2, tables=["table2", "table4"])
    run = next((made.work_dir / "runs").glob("student_mgr-dark-rgb-s0-*"))
    (run / "log.txt").write_text("first line\n" + "middle\n" * 40 + "<b>seen</b> /home/alice/secret/runs/x\n")
    teacher = next((made.work_dir / "runs").glob("fake_teacher_mgr_dark-s0-*"))
    (teacher / "log.txt").symlink_to("/etc/hostname")
    return made, run.name


def facts(page):
    return {d.one("dt").text: d.one("dd") for d in page.all("dl", cls="list")[0].all("div")}


def test_a_run_page_leads_to_its_method_its_cell_and_its_log(one):
    made, name = one
    build(made.work_dir, made.site, made.benchmark, made.entries)
    page = parse(made.site / "runs" / f"{name}.html")
    known = facts(page)
    anchor = known["Method"].one("a").attrs["href"].rpartition("#")[2]
    assert parse(made.site / "methods.html").all(id=anchor)
    assert [a.text for a in known["Further runs of this cell"].all("a")] == ["seed 1"]
    tail = page.one("pre", cls="tail").text
    assert "<b>seen</b>" in tail and "first line" not in tail and "alice" not in tail
    log = (made.site / "runs" / f"{name}.log.txt").read_text()
    assert log.startswith("first line") and "alice" not in log and "runs/x" in log
    assert not list((made.site / "runs").glob("fake_teacher_*.log.txt")), "a link leads out of the ledger"


def test_clips_of_one_length_are_a_sentence_and_no_histogram(one):
    made, _ = one
    told = [{"mgr_dark": {**FAKE_STATISTICS["mgr_dark"], "lengths": [16, 16, 16]}}]
    build(made.work_dir, made.site, made.benchmark, made.entries, told)
    page = parse(made.site / "data.html")
    assert "16, every clip" in page.text and "Clip length" not in page.text


def test_clips_per_class_are_drawn_in_the_order_of_the_classes(one):
    made, _ = one
    names, counts = ["swipe", "2 fingers", "10 fingers"], {"10 fingers": 3, "2 fingers": 1, "swipe": 2}
    told = {**FAKE_STATISTICS["mgr_dark"], "classes": names, "clips_per_class": counts}
    build(made.work_dir, made.site, made.benchmark, made.entries, [{"mgr_dark": told}])
    page = (made.site / "data.html").read_text()
    assert "swipe: 2, 2 fingers: 1, 10 fingers: 3" in page and "s1: 500, s2: 334, s10: 400" in page


def test_only_runs_that_a_table_shows_have_downloads(one):
    made, name = one
    build(made.work_dir, made.site, made.benchmark, made.entries)
    assert (made.site / "runs" / f"{name}.csv").is_file()
    teacher = next((made.site / "runs").glob("fake_teacher_*.html"))
    assert not teacher.with_suffix(".csv").exists() and "predictions.parquet" in parse(teacher).text


def test_a_long_list_of_runs_has_several_pages(one, monkeypatch):
    made, _ = one
    monkeypatch.setattr("reports.views.runs.page.PER_PAGE", 5)
    build(made.work_dir, made.site, made.benchmark, made.entries)
    first = parse(made.site / "runs.html")
    links = [a.attrs["href"] for a in first.one("section", cls="pages").all("a")]
    pages = [first, *(parse(made.site / link) for link in links)]
    rows = [tr.all("a")[0].attrs["href"] for p in pages for tr in p.one("tbody").all("tr")]
    assert links == [f"runs-{i + 2}.html" for i in range(len(links))] and len(pages[0].one("tbody").all("tr")) == 5
    assert sorted(rows) == sorted(f"runs/{p.name}" for p in (made.site / "runs").glob("*.html"))
    lines = (made.site / "downloads" / "runs.csv").read_text().splitlines()
    assert len([x for x in lines if re.search("[0-9a-f]{12}", x)]) >= len(rows)
