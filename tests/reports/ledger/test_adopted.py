"""Every number that an adopted run is behind says so, on pages and in downloads, with the reason; no other does."""

import csv
import io
import json

import pytest

from harness.ledger.store import load_predictions, load_record
from reports import build
from tests.helpers.fake_ledger import save
from tests.helpers.fake_site import write
from tests.helpers.html_tree import cell, grid, parse

REASON = "only <b>names</b> & comments\nchanged, see /home/jqz/diffs/one.txt"
SHOWN = "only <b>names</b> & comments changed, see one.txt"
OLD = "e" * 64
STUDENT, TEACHER = "student_mgr-dark-rgb", "fake_teacher_mgr_dark"


def declare(made, pattern, origin=OLD):
    """The runs of a pattern as ``adopt`` leaves them, in their place."""
    for folder in sorted((made.work_dir / "runs").glob(pattern)):
        record = load_record(folder)
        adopted = record.model_copy(update={"adopted": REASON, "adopted_from": origin})
        save(made.work_dir, adopted, load_predictions(folder))


def site(made, name):
    out = made.site.parent / name
    build(made.work_dir, out, made.benchmark, made.entries)
    return out


@pytest.fixture(scope="module")
def sites(tmp_path_factory):
    """Without an adopted run, with one of a row, with one of a stage."""
    made = write(tmp_path_factory.mktemp("adopted"), seeds=2)
    none = site(made, "none")
    declare(made, "plain_mgr-dark-rgb-s0-*")
    one = site(made, "one")
    return made, none, one


@pytest.fixture(scope="module")
def of_stage(tmp_path_factory):
    made = write(tmp_path_factory.mktemp("stage"), seeds=1)
    declare(made, f"{TEACHER}-s0-*")
    return site(made, "stage")


def rows(out, name):
    lines = io.StringIO((out / "downloads" / f"{name}.csv").read_text())
    return list(csv.DictReader(lines))


def leaderboard(out):
    return json.loads((out / "leaderboard.json").read_text())


def marked(out, table, row, columns):
    """Whether each of these cells of a page has the mark."""
    page = parse(out / ("evidence.html" if table.startswith("evidence") else f"{table}.html"))
    return ["†" in cell(page, table, row, c).text for c in columns]


def test_without_one_nothing_is_said_of_it(sites):
    _, none, _ = sites
    for path in none.rglob("*"):
        always = path.name.startswith(("results.csv", "leaderboard.schema"))  # the same columns for every ledger
        if path.suffix in (".html", ".json", ".csv", ".md", ".tex", ".svg") and not always:
            text = path.read_text().lower()
            assert "adopted" not in text and "†" not in text and "dagger" not in text, path.name


def test_its_numbers_are_marked_in_tables_and_others_are_not(sites):
    _, _, one = sites
    numbers = ["rgb.top1", "rgb.mean_class", "rgb.train", "rgb.rank"]
    assert all(marked(one, "table2", "Plain", numbers))
    assert not any(marked(one, "table2", "Student", numbers))
    assert not any(marked(one, "table2", "Plain", ["depth.top1"]))
    assert marked(one, "table4", "Base row", ["m.top1"]) == [True]
    assert marked(one, "table4", "Whole row", ["m.top1", "delta", "p"]) == [False, True, True]
    assert marked(one, "evidence", "Whole row", ["m.top1", "base.delta", "full.delta"])[:2] == [False, True]
    for name in ("table2", "table4", "evidence", "runs"):
        notes = [n.text for n in parse(one / f"{name}.html").all("p", cls="note") if n.text.startswith("†")]
        assert notes and all(f"“{SHOWN}” (plain_mgr-dark-rgb s0)" in n for n in notes), name
    assert "†" not in parse(one / "table3.html").text


def test_findings_comparisons_and_statements_say_it_too(sites):
    _, _, one = sites
    assert "Plain†" in parse(one / "table2.html").one("section", cls="comparison").text
    assert "adopted runs among them" in parse(one / "table4.html").one("div", cls="says").text
    said = [x.text for ul in parse(one / "evidence.html").all("ul", cls="verdicts") for x in ul.all("li")]
    assert said and all("adopted runs among them" in text for text in said)
    assert "(adopted)" in parse(one / "figure6.html").text.split("dashed line")[1].split("The numbers")[0]
    assert "(adopted)" in parse(one / "methods.html").text


def test_the_overview_counts_them_and_leads_to_the_runs(sites):
    _, none, one = sites
    total = len(grid(parse(none / "runs.html"), "runs")[1])
    index = parse(one / "index.html")
    (note,) = (p for p in index.all("p", cls="note") if "adopted" in p.text)
    assert note.text.startswith(f"1 of {total} runs behind these pages was adopted") and note.one("a", href="runs.html")


def test_reasons_are_text_and_name_no_place(sites):
    _, _, one = sites
    for path in one.rglob("*.html"):
        assert "<b>names" not in path.read_text(), path.name
    assert not any("/home/jqz" in p.read_text() for p in one.rglob("*") if p.suffix in (".html", ".json", ".csv"))


def test_downloads_say_it(sites):
    _, none, one = sites
    plain, student = (next(r for r in rows(one, "table2") if r["Method"] == m) for m in ("Plain", "Student"))
    (column,) = (c for c in plain if c.startswith("RGB: Adopted"))
    assert plain[column] == f"“{SHOWN}” (plain_mgr-dark-rgb s0)" and student[column] == ""
    assert [r["Adopted from"] for r in rows(one, "runs") if r["Adopted"]] == [OLD[:12]]
    numbers = [{k: v for k, v in r.items() if "dopted" not in k} for r in rows(one, "table2")]
    assert numbers == rows(none, "table2")
    markdown, latex = ((one / "downloads" / f"table2.{s}").read_text() for s in ("md", "tex"))
    line = next(x for x in markdown.splitlines() if x.startswith("| Plain"))
    assert "†" in line and "\n- † made with adopted runs" in markdown
    assert r"$^\dagger$" in next(x for x in latex.splitlines() if x.lstrip().startswith("Plain"))
    after = latex.split(r"\end{tabular}")[1]
    assert r"\footnotesize $^\dagger$ made with adopted runs" in after and r"$<$b$>$names" in after


def test_leaderboard_json_has_reason_and_origin(sites):
    _, none, one = sites
    found = [r for r in leaderboard(one)["runs"] if "adopted" in r]
    assert [(r["cell"], r["seed"], r["adopted_from"]) for r in found] == [("plain_mgr-dark-rgb", 0, OLD)]
    assert found[0]["adopted"].split() == SHOWN.split()
    table = next(t for t in leaderboard(one)["tables"] if t["id"] == "table2")
    cells = {r["cells"]["method"]["text"]: r["cells"] for r in table["rows"]}
    assert cells["Plain"]["rgb.top1"]["mark"] == "†" and "mark" not in cells["Student"]["rgb.top1"]


def test_what_stands_on_an_adopted_stage_says_so(of_stage):
    assert marked(of_stage, "table2", "Student", ["rgb.top1"]) == [True]
    assert marked(of_stage, "table2", "Plain", ["rgb.top1"]) == [False]
    page = parse(next((of_stage / "runs").glob(f"{STUDENT}-s0-*.html"))).text
    assert f"Depends on stages that were adopted: “{SHOWN}” ({TEACHER} s0)" in page
    assert "Adopted from run" not in page
    assert "A † marks a point" in parse(of_stage / "figure6.html").text
    drawn = (of_stage / "downloads" / "figure6.svg").read_text()
    assert drawn.split("<desc")[1].split("</desc>")[0].count("†") == 5  # every point of both sweeps
    assert drawn.split("</desc>")[1].count("†") == 5


def test_commit_and_times_are_those_of_the_run_that_was_made(sites):
    made, none, one = sites
    before, after = (parse(next((out / "runs").glob("plain_mgr-dark-rgb-s0-*.html"))) for out in (none, one))
    said = f"Adopted from run {OLD[:12]} , not run anew. Reason given: “{SHOWN}”"
    assert said in after.text and said not in before.text
    record = load_record(next((made.work_dir / "runs").glob("plain_mgr-dark-rgb-s0-*")))
    for text in (before.text, after.text):
        assert record.commit in text and record.started[:10] in text


def test_a_point_of_a_grid_is_marked_and_the_run_it_was_adopted_from_is_linked(tmp_path):
    made = write(tmp_path, seeds=1, tables=["figure6", "figure6_grid"])
    (origin,) = (made.work_dir / "runs").glob(f"{TEACHER}-s0-*")
    declare(made, f"{STUDENT}+alpha=0,beta=0-s0-*", load_record(origin).key)
    out = site(made, "site")
    drawn = (out / "downloads" / "figure6_grid.svg").read_text()
    assert drawn.count("†") == 2 and "alpha 0 and beta 0: " in drawn.split("†")[0]  # in its words and in the drawing
    page = parse(next(p for p in (out / "runs").glob(f"{STUDENT}*.html") if "Adopted from" in p.read_text()))
    (note,) = (p for p in page.all("p", cls="note") if "Adopted from" in p.text)
    assert note.one("a").attrs["href"] == f"../runs/{origin.name}.html"
