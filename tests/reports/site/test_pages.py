"""The pages of a made-up ledger: what is on them, what is not, and that they stand alone."""

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import BadUsage
from harness.ledger.planfile import read_plan, write_plan
from harness.ledger.record import Failure
from reports import build
from tests.helpers.fake_benchmark import HOSTILE
from tests.helpers.fake_site import write
from tests.helpers.html_tree import cell, grid, parse
from tests.helpers.site_links import dead_links


@pytest.fixture(scope="module")
def pages(fake):
    return {str(p.relative_to(fake.site)): parse(p) for p in fake.paths if p.suffix == ".html"}


def test_every_page_is_there_and_named(pages, fake):
    assert {
        "index.html",
        "table2.html",
        "table3.html",
        "table4.html",
        "figure6.html",
        "data.html",
        "methods.html",
        "protocol.html",
        "runs.html",
    } <= set(pages)
    for path, page in pages.items():
        assert page.one("html").attrs["lang"] == "en"
        assert len(page.all("h1")) == 1 and page.one("h1").text, path
    titles = [p.one("head").one("title").text for p in pages.values()]
    assert len(set(titles)) == len(pages)


def test_nothing_is_loaded_from_outside(pages, fake):
    loads = {"src", "srcset", "poster", "data", "action", "formaction", "background", "xlink:href"}
    for path, page in pages.items():
        for node in page.all():
            for name, value in node.attrs.items():
                if name in loads or (name == "href" and node.tag != "a"):
                    assert not re.match(r"(?i)\s*([a-z]+:)?//|\s*(https?|data|javascript):", value or ""), (
                        path,
                        node.tag,
                        value,
                    )
            if node.tag == "a":
                assert not (node.attrs.get("href") or "").lower().startswith(("javascript:", "data:")), path
            assert node.tag not in ("iframe", "object", "embed", "base")
    for path in fake.paths:
        if path.suffix in (".css", ".js"):
            text = path.read_text()
            assert "@import" not in text and "url(" not in text
            assert not re.search(r"https?://|fetch\(|XMLHttpRequest|import\s*\(", text), path
        if path.suffix == ".svg":
            assert not re.search(r'(?:href|src)="(?!#)', path.read_text()), path


def test_every_link_leads_somewhere(fake):
    assert not list(dead_links(fake.site))


def test_ids_are_unique_and_references_exist(pages):
    for path, page in pages.items():
        ids = [n.attrs["id"] for n in page.all() if n.attrs.get("id")]
        assert len(ids) == len(set(ids)), (path, [i for i in ids if ids.count(i) > 1])
        for node in page.all():
            for name in ("aria-labelledby", "aria-describedby", "for"):
                assert node.attrs.get(name) is None or node.attrs[name] in ids, (path, name, node.attrs[name])


def test_tables_are_readable_without_eyes(pages):
    for path, page in pages.items():
        for table in page.all("table"):
            assert table.all("caption") and table.one("caption").text, path
            for th in table.all("th"):
                assert th.attrs.get("scope") in ("row", "col", "colgroup", "rowgroup"), (path, th.text)
        for image in page.all("img"):
            assert image.attrs.get("alt")
        for svg in page.all("svg"):
            named = svg.attrs.get("role") == "img" and svg.all("title")
            assert named or svg.attrs.get("aria-hidden") == "true", path
    yes_no = cell(pages["table4.html"], "table4", "Base row", "mark.a")
    assert yes_no.one("span", cls="sr").text == "no"
    assert cell(pages["table4.html"], "table4", "Whole row", "mark.b").one("span", cls="sr").text == "yes"


def test_without_scripts_everything_is_shown(pages):
    for path, page in pages.items():
        assert not page.all("button") and not page.all("template"), path
        assert all("more" in n.classes for n in page.all("input")), path  # style alone acts on these
        assert not [n for n in page.all() if "hidden" in n.attrs], path
    columns, _ = grid(pages["table2.html"], "table2")
    assert {"rgb.mean_class", "rgb.top5", "rgb.params", "rgb.gflops", "rgb.train"} <= {c["data-col"] for c in columns}


def test_synthetic_data_is_called_synthetic_on_every_page(pages):
    for path, page in pages.items():
        assert "Synthetic data." in page.one("p", cls="synthetic").text
        stamp = page.one("dl", cls="stamp").text
        own = "(synthetic)" in stamp or "Data none recorded" in stamp  # a run has its own
        others = "MGR-Dark (synthetic)" in stamp and "c0ffee" in stamp and "3" in stamp
        assert "demo" in stamp and (own if path.startswith("runs/") else others), path
    assert "not comparable" in pages["table2.html"].one("p", cls="verdict").text


def test_what_no_paper_claims_is_not_compared_with_claims(pages):
    notes = [p.text for p in pages["evidence.html"].all("p", cls="verdict")]
    assert notes and all(n.startswith("Measured on synthetic data") and "claimed" not in n for n in notes)


def test_real_data_with_the_papers_protocol_is_compared(tmp_path):
    real = write(tmp_path, seeds=1, tables=["table2"], profile="paper", synthetic=False)
    build(real.work_dir, real.site, real.benchmark, real.entries)
    page = parse(real.site / "table2.html")
    assert not page.all("p", cls="synthetic")
    assert "can be compared" in page.one("p", cls="verdict").text
    gap = cell(page, "table2", "Student", "rgb.against").text
    assert re.match(r"[+−]\d+\.\d\d (in|out)side the interval", gap)


def test_claimed_and_measured_never_share_a_column(pages, fake):
    claims = {"12.34", "21.3", "31.2", "22.0", "45.6", "56.7"}
    for path in ("table2", "table3", "table4"):
        columns, rows = grid(pages[f"{path}.html"], path)
        for row in rows:
            for column, td in zip(columns, row, strict=True):
                origin = {"claimed", "measured", "text"} & td.classes
                assert origin == {"claimed", "measured", "text"} & column["classes"] and len(origin) == 1
                first = td.text.split(" ")[0]
                assert (first in claims) <= (origin == {"claimed"}), (path, column["data-col"], td.text)
                if td.all("svg", cls="bar"):
                    assert origin == {"measured"}
        for c in columns:
            if "measured" in c["title_text"].lower():
                assert "measured" in c["classes"]
            if "claimed" in c["title_text"].lower():
                assert "claimed" in c["classes"]
    # the claimed optimum of a figure stands beside the plot, not in it
    assert "56.7 %" in pages["figure6.html"].one("aside", cls="claim").text
    assert "56.7" not in (fake.site / "downloads" / "figure6.svg").read_text()


def test_measured_cells_say_mean_deviation_interval_n_and_their_runs(pages, fake):
    for row, column in (("Plain", "rgb.top1"), ("Student", "rgb.top1")):
        td = cell(pages["table2.html"], "table2", row, column)
        assert re.match(r"\d+\.\d ± \d+\.\d ", td.text), td.text
        assert re.search(r"\d+\.\d to \d+\.\d, n = 3", td.text)
        links = [a.attrs["href"] for a in td.all("a")]
        assert len(links) == 4 and len(set(links)) == 3  # the number and three seeds
    record = json.loads(next((fake.work_dir / "runs").glob("plain_mgr-dark-rgb-s0-*/run.json")).read_text())
    values = [
        json.loads(p.read_text())["metrics"]["top1"]
        for p in sorted((fake.work_dir / "runs").glob("plain_mgr-dark-rgb-s*-*/run.json"))
    ]
    td = cell(pages["table2.html"], "table2", "Plain", "rgb.top1")
    assert float(td.attrs["data-v"]) == pytest.approx(100 * sum(values) / 3)
    assert record["metrics"]["top1"] in values


def test_failures_and_gaps_are_said_where_the_number_would_be(pages):
    table2, table3, table4 = (pages[f"table{i}.html"] for i in (2, 3, 4))
    broken = cell(table2, "table2", "Broken", "rgb.top1")
    assert broken.text.startswith("failed") and "out of memory: fake: 9 GiB <b>needed</b>" in broken.text
    assert "failed" in broken.classes and broken.all("a")[0].attrs["href"].startswith("runs/broken")
    partly = cell(table2, "table2", "Plain", "depth.top1")
    assert "n = 2 of 3" in partly.text and "seed 1 failed: killed: fake: killed by signal 9" in partly.text
    assert cell(table2, "table2", "Absent", "rgb.top1").text.startswith("not implemented yet")
    assert cell(table2, "table2", "Student", "depth.top1").text.startswith("no config")
    assert cell(table3, "table3", "<script>", "m.top1").text.startswith("not run")
    assert cell(table4, "table4", "Half row", "m.top1").text.startswith("not planned: 1 ")
    assert "Not planned, 1: fake: unknown key model.alhpa (1 cell)." in table4.text
    assert cell(table2, "table2", "Plain", "rgb.claimed").text.startswith("lost")
    gaps = pages["index.html"].text
    for reason in ("fake: killed by signal 9", "fake: unknown key model.alhpa", "no run in the ledger yet"):
        assert reason in gaps
    tally = pages["index.html"].one("ul", cls="tally").text
    assert "4 failed" in tally and "6 not run" in tally and "3 could not be planned" in tally


def test_measured_rows_come_first_the_best_at_the_head_and_ties_end_at_a_rule(pages):
    page = pages["table2.html"]
    columns, rows = grid(page, "table2")
    assert [r[0].text for r in rows] == ["Student trains with IR as well", "Plain", HOSTILE, "Absent", "Broken"]
    index = [c["data-col"] for c in columns].index("rgb.top1")
    values = [float(r[index].attrs["data-v"]) for r in rows if "data-v" in r[index].attrs]
    assert values == sorted(values, reverse=True) and len(values) == 3
    blocks = [tr.text for tr in page.one("table", **{"data-table": "table2"}).all("tr", cls="group")]
    assert blocks == ["Measured, best first on RGB", "Nothing measured: claimed values alone, and what was not run"]
    groups = [cell(page, "table2", name, "rgb.rank").text[-1] for name in ("Student", "Plain", "<script>")]
    parted = [tr.attrs["id"] for tr in page.all("tr", cls="parted")]
    assert groups == ["A", "B", "B"] and parted == ["table2-row-1"]  # Plain is the first row of the draft
    assert [tr.text for tr in pages["table3.html"].all("tr", cls="group")][0] == "RGB at inference, best first"


def test_the_draft_s_order_is_there_without_scripts_and_in_the_downloads(pages, fake):
    listed = pages["table2.html"].one("details", cls="draft")
    titles = [th.text for th in listed.all("th", scope="row")]
    assert titles[:3] == ["Plain", "Absent", "Student"] and set(titles[3:]) == {HOSTILE, "Broken"}
    assert "12.34" in listed.text and [a.attrs["href"] for a in listed.all("a")][0] == "#table2-row-1"
    saved = list(csv.DictReader(io.StringIO((fake.site / "downloads" / "table2.csv").read_text())))
    assert [next(iter(r.values())) for r in saved][:3] == titles[:3]
    assert not pages["table4.html"].all("details", cls="draft")  # an ablation is in the draft's order anyway
    assert not any("daylight" in t.lower() for t in titles)


def test_a_column_is_ranked_among_equal_clips_alone(pages):
    assert re.match(r"\d(–\d)? group [A-C]", cell(pages["table2.html"], "table2", "Plain", "rgb.rank").text)
    assert cell(pages["table2.html"], "table2", "Plain", "depth.rank").text.startswith("–")  # alone in its column
    light = cell(pages["table4.html"], "table4", "Daylight", "delta").text
    assert light == "– (tested on different clips)"
    assert re.match(
        r"[+−]\d+\.\d [+−]\d+\.\d to [+−]\d+\.\d", cell(pages["table4.html"], "table4", "Whole", "delta").text
    )


def test_table3_keeps_corrections_beside_the_claim(pages):
    page = pages["table3.html"]
    assert cell(page, "table3", "Absent", "claimed").text == "21.3"
    assert cell(page, "table3", "Absent", "corrected").text == "31.2"
    assert cell(page, "table3", "Absent", "remark").text == "Two fake numbers."
    assert cell(page, "table3", "Absent", "corrected").all("a")[0].attrs["href"] == "https://example.org/own"
    assert cell(page, "table3", "Plain", "test").text == "RGB"
    assert cell(page, "table3", "Plain", "m.top1").attrs.get("data-v")


def test_hostile_titles_stay_text(pages, fake):
    for path in fake.paths:
        if path.suffix == ".html":
            text = path.read_text()
            assert "<script>alert" not in text and "<b>needed</b>" not in text and "<b>&amp; every" not in text
    scripts = [s for p in pages.values() for s in p.all("script")]
    for script in scripts:
        if script.attrs.get("type") == "application/json":
            assert "<" not in script.children[0]
        else:
            assert script.attrs.get("src", "").endswith(("static/app.js", "static/compare.js")) and not script.text
    assert any(h.text == HOSTILE for h in pages["methods.html"].all("h2"))


def test_figure_has_points_baseline_and_numbers(pages, fake):
    page = pages["figure6.html"]
    svg = (fake.site / "downloads" / "figure6.svg").read_text()
    assert "baseline" in svg and "alpha, fake" in svg and "beta, fake" in svg
    assert "the baseline: Base row" in page.one("figure", cls="plot").text
    numbers = page.one("table", cls="points")
    shown = {td.attrs["data-label"]: td for td in numbers.all("td", cls="measured")}
    values = {
        r["Weight"]: r["Measured top-1 (%)"] for r in csv.DictReader((fake.site / "downloads/figure6.csv").open())
    }
    assert set(shown) == set(values) and shown["alpha = 0.9"].attrs["data-v"] == values["alpha = 0.9"]
    assert shown["alpha = 1.5"].text.startswith("not run")
    first, *_ = numbers.one("tbody").all("tr")
    assert [td.text for td in first.all("td", cls="weight")] == ["alpha = 0", "beta = 0"], "side by side"


def test_run_pages_say_how_a_number_was_made(pages, fake):
    path = next(p for p in pages if p.startswith("runs/student_mgr-dark-rgb-s1"))
    page = pages[path]
    for said in (
        "python -m harness run --cell student_mgr-dark-rgb --seed 1",
        "a fake processor",
        "these numbers are fake",
        "FakeRecognizer",
        "MGR-Dark, dark (synthetic)",
        "loss_kd_fusion",
        "2024-07-20T10:00:00Z",
    ):
        assert said in page.text, said
    parents = [a.attrs["href"] for a in page.all("a") if "fake_teacher" in a.text]
    assert parents and (fake.site / "runs" / parents[0]).resolve().is_file()
    teacher = next(p for p in pages if p.startswith("runs/fake_teacher_mgr_dark-s1"))
    assert any("student_mgr-dark-rgb-s1" in a.text for a in pages[teacher].all("a"))
    failed = pages[next(p for p in pages if p.startswith("runs/broken_mgr-dark-rgb-s0"))]
    assert "last <line>" in failed.one("section", cls="failure").text


def test_a_stage_that_predicts_no_class_has_a_page_too(pages):
    page = pages[next(p for p in pages if p.startswith("runs/fake_translator-s0"))]
    assert "fake_flicker" in page.text and "0.125" in page.text and not page.all("table", cls="confusion")
    assert "The record names no command." in page.text
    _, rows = grid(pages["runs.html"], "runs")
    row = next(r for r in rows if r[0].text.startswith("fake_translator"))
    assert any("predicts no class" in c.text for c in row)


def test_a_run_that_failed_before_it_knew_anything_has_a_page(tmp_path):
    from harness.ledger.record import CellInfo, Identity, RunRecord
    from tests.helpers.fake_ledger import save

    cell_id, seed = "plain_nvgesture-rgb", 0
    made = write(tmp_path, seeds=1, tables=["table3"], missing={(cell_id, seed)})
    info = CellInfo(
        model=cell_id,
        method="Plain",
        stage="single",
        dataset="nvgesture",
        train_modalities=["rgb"],
        test_modality="rgb",
        seed=seed,
        profile="demo",
    )
    identity = Identity(version=1, config={}, data={}, parents={"teacher": "e" * 64}, code={}, seed=seed)
    failure = Failure(kind="data_error", message="fake: no videos")
    record = save(
        made.work_dir, RunRecord(key="", status="failed", cell=info, identity=identity, failure=failure), None
    )
    path = made.work_dir / "plan.json"
    plan = read_plan(path)
    cells = [c.model_copy(update={"key": record.key}) if c.id == cell_id else c for c in plan.cells]
    write_plan(path, plan.model_copy(update={"cells": cells}))
    build(made.work_dir, made.site, made.benchmark, made.entries)
    assert "data error: fake: no videos" in cell(parse(made.site / "table3.html"), "table3", "Plain", "m.top1").text
    page = parse(next((made.site / "runs").glob("plain_nvgesture-rgb-s0-*.html")))
    assert "This run failed: data error" in page.text and "not in this ledger" in page.text


def test_confusion_and_predictions_agree_with_the_record(pages, fake):
    path = next(p for p in pages if p.startswith("runs/plain_mgr-dark-rgb-s0"))
    record = json.loads(next((fake.work_dir / "runs").glob("plain_mgr-dark-rgb-s0-*/run.json")).read_text())
    rows = list(csv.DictReader(io.StringIO((fake.site / path).with_suffix(".csv").read_text())))
    right = sum(r["label"] == r["predicted"] for r in rows)
    assert right / len(rows) == pytest.approx(record["metrics"]["top1"])
    matrix = pages[path].one("table", cls="confusion")
    diagonal = [int(td.text or 0) for td in matrix.all("td", cls="diagonal")]
    assert sum(diagonal) == right
    cells = [int(td.text) for td in matrix.all("td") if "recall" not in td.classes and td.text]
    assert sum(cells) == len(rows)


def test_same_ledger_same_bytes_also_in_another_process(fake, tmp_path):
    again = build(fake.work_dir, tmp_path / "again", fake.benchmark, fake.entries, [fake.statistics])
    assert {p.relative_to(tmp_path / "again"): p.read_bytes() for p in again} == {
        p.relative_to(fake.site): p.read_bytes() for p in fake.paths
    }
    code = (
        "import sys; sys.path[:0] = [sys.argv[4]]\n"
        "from pathlib import Path\nfrom tests.helpers.fake_benchmark import fake_benchmark, fake_entries\n"
        "from tests.helpers.fake_site import FAKE_STATISTICS\nfrom reports import build\n"
        "work, site, configs = map(Path, sys.argv[1:4])\n"
        "build(work, site, fake_benchmark(), fake_entries(configs), [FAKE_STATISTICS])\n"
        "heavy = {'torch', 'mmengine', 'mmaction', 'mtcd_plugin.register', 'harness.plan', 'harness.worker.attempt'}\n"
        "assert not heavy & set(sys.modules)\n"
    )
    other = tmp_path / "other"
    args = [fake.work_dir, other, fake.work_dir.parent / "configs", Path(__file__).parents[3]]
    subprocess.run([sys.executable, "-c", code, *map(str, args)], check=True, env={"PYTHONHASHSEED": "7", "PATH": ""})
    assert {p.relative_to(other): p.read_bytes() for p in other.rglob("*") if p.is_file()} == {
        p.relative_to(fake.site): p.read_bytes() for p in fake.paths
    }


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A ledger with one table and one seed."""
    return write(tmp_path_factory.mktemp("small"), seeds=1, tables=["table3"])


@pytest.mark.parametrize("left", [0, 900])
def test_a_site_whose_list_is_damaged_is_left_as_it_is(small, tmp_path, left):
    site = tmp_path / "site"
    build(small.work_dir, site, small.benchmark, small.entries)
    (site / "mine.txt").write_text("mine")
    manifest = (site / ".leaderboard").read_text()[:left]
    (site / ".leaderboard").write_text(manifest)
    with pytest.raises(BadUsage, match=".leaderboard: is damaged.*which are your own; move these away"):
        build(small.work_dir, site, small.benchmark, small.entries)
    assert (site / "mine.txt").read_text() == "mine" and (site / ".leaderboard").read_text() == manifest
    assert [p.name for p in tmp_path.iterdir()] == ["site"]


def test_a_site_is_replaced_whole_and_nothing_else_is(small, tmp_path):
    site = tmp_path / "site"
    build(small.work_dir, site, small.benchmark, small.entries)
    written = json.loads((site / ".leaderboard").read_text())
    assert set(written["files"]) == {p.relative_to(site).as_posix() for p in site.rglob("*") if p.is_file()} - {
        ".leaderboard"
    }
    for page in ("runs/stale.html", "runs/mine.html"):
        (site / page).write_text("old")
    written["files"]["runs/stale.html"] = "of an earlier report"
    (site / ".leaderboard").write_text(json.dumps(written))
    build(small.work_dir, site, small.benchmark, small.entries)
    assert not (site / "runs" / "stale.html").exists() and (site / "runs" / "mine.html").read_text() == "old"
    assert "runs/mine.html" not in (site / ".leaderboard").read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["site"]  # no temporary folder is left
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("do not lose")
    with pytest.raises(ValueError, match="not a leaderboard"):
        build(small.work_dir, mine, small.benchmark, small.entries)
    assert (mine / "thesis.txt").read_text() == "do not lose"
    with pytest.raises(ValueError, match="is a file"):
        build(small.work_dir, mine / "thesis.txt", small.benchmark, small.entries)
    with pytest.raises(ValueError, match="holds the work dir"):
        build(tmp_path / "w" / "x", tmp_path / "w", small.benchmark, small.entries)


@pytest.mark.parametrize("there", [True, False])
def test_pages_go_where_a_link_points(small, tmp_path, there):
    host, link = tmp_path / "host" / "pages", tmp_path / "site"
    (host if there else host.parent).mkdir(parents=True)
    link.symlink_to(host)
    for _ in range(2):
        build(small.work_dir, link, small.benchmark, small.entries)
        assert link.is_symlink() and (host / "index.html").is_file()
        assert {p.name for p in tmp_path.iterdir()} == {"host", "site"}
        assert [p.name for p in host.parent.iterdir()] == ["pages"]


def test_a_failing_build_leaves_the_old_site(small, tmp_path, monkeypatch):
    site = tmp_path / "site"
    build(small.work_dir, site, small.benchmark, small.entries)
    before = {p: p.read_bytes() for p in site.rglob("*") if p.is_file()}
    monkeypatch.setattr("reports.site.build._downloads", lambda *a: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build(small.work_dir, site, small.benchmark, small.entries)
    assert {p: p.read_bytes() for p in site.rglob("*") if p.is_file()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["site"]


def test_no_plan_is_one_clear_line(tmp_path, fake):
    with pytest.raises(FileNotFoundError, match="nothing planned here yet"):
        build(tmp_path / "empty", tmp_path / "site", fake.benchmark, fake.entries)


def test_a_plan_without_a_single_run_still_makes_pages(tmp_path, fake):
    from harness.suite import expand

    cells = {(c.id, c.seed) for c in expand(fake.benchmark, fake.entries, "demo", None, 1)}
    empty = write(tmp_path, seeds=1, missing=cells)
    build(empty.work_dir, empty.site, empty.benchmark, empty.entries)
    page = parse(empty.site / "table2.html")
    assert cell(page, "table2", "Plain", "rgb.top1").text.startswith("not run")
    assert "Nothing of this figure has been measured yet" in parse(empty.site / "figure6.html").text
    assert not page.all("p", cls="synthetic")


def test_tables_that_were_not_asked_for_say_so(tmp_path):
    part = write(tmp_path, seeds=1, tables=["table4"])
    build(part.work_dir, part.site, part.benchmark, part.entries)
    assert cell(parse(part.site / "table3.html"), "table3", "Plain", "m.top1").text.startswith("not asked for")
    assert "--tables table4" in parse(part.site / "index.html").text


def test_a_rejected_record_is_listed_and_never_shown(tmp_path):
    made = write(tmp_path, seeds=1, tables=["table2"])
    record = next((made.work_dir / "runs").glob("plain_mgr-dark-rgb-s0-*/run.json"))
    data = json.loads(record.read_text())
    data["metrics"]["top1"] = 0.999
    record.write_text(json.dumps(data))
    build(made.work_dir, made.site, made.benchmark, made.entries)
    td = cell(parse(made.site / "table2.html"), "table2", "Plain", "rgb.top1")
    assert "record rejected" in td.text and "disagree" in td.text
    index = parse(made.site / "index.html").text
    assert "Records that were not trusted" in index and "99.9" not in td.text


def test_a_blocked_cell_names_what_it_waits_for(tmp_path):
    made = write(tmp_path, seeds=1, tables=["table2"], missing={("plain_mgr-dark-rgb", 0)})
    path = made.work_dir / "plan.json"
    plan = read_plan(path)
    blocked = {"key": "f" * 64, "error": "fake: its teacher failed"}
    cells = [c.model_copy(update=blocked) if c.id == "plain_mgr-dark-rgb" else c for c in plan.cells]
    write_plan(path, plan.model_copy(update={"cells": cells}))
    build(made.work_dir, made.site, made.benchmark, made.entries)
    td = cell(parse(made.site / "table2.html"), "table2", "Plain", "rgb.top1")
    assert td.text.startswith("not run") and "fake: its teacher failed" in td.text


def test_data_page_measures_beside_what_is_printed(pages, fake):
    page = pages["data.html"]
    assert cell(page, "table1", "Fakes", "instances").text == "4,321"
    assert cell(page, "data", "MGR-Dark", "clips").text == "1,234"
    assert cell(page, "data", "MGR-Dark", "rgb").text == "192 × 108"
    assert cell(page, "data", "MGR-Dark", "depth").text == "– (none at hand)"  # its clips were measured
    assert cell(page, "data", "NvGesture", "clips").text == "– (not measured)"
    assert cell(page, "data", "NvGesture", "depth").text == "– (not measured)"
    for said in ("train 1,000", "version fake 1, seed 7", "45 to 210", "1 h 2 min", "<i>fake two</i>"):
        assert said in page.text, said
    assert (fake.site / "images" / "contact_sheet_mgr_dark.png").read_bytes() == b"fake image"
    titled = {s.one("title").text: s.one("desc").text for s in page.all("svg") if s.all("title")}
    light = titled["Mean and standard deviation of the colour frames"]
    assert "MGR-Dark (dark) 0.042" in light and "MGR-Dark (daylight) 0.457" in light and "0.235" in light
    assert titled["Clips per subject, MGR-Dark"] == "s1: 500, s2: 334, s10: 400"


def test_a_note_on_synthetic_data_stands_with_its_tables_and_on_the_data_page_alone(pages, fake, tmp_path):
    """How darkness was set stands beside the numbers that follow from it."""
    note = "Fakes are as dark as 12.34."
    assert {p for p in ("table2", "table3", "table4", "data") if note in pages[f"{p}.html"].text} == {
        "table2",
        "table4",
        "data",
    }
    real = write(tmp_path, seeds=1, tables=["table2", "table4"])
    for path in (real.work_dir / "runs").glob("*/run.json"):
        record = json.loads(path.read_text())
        if record["data"]:
            record["data"]["synthetic"] = False
        path.write_text(json.dumps(record))
    build(real.work_dir, real.site, real.benchmark, real.entries, [{"mgr_dark": {"synthetic": False}}])
    assert not any(note in parse(real.site / f"{p}.html").text for p in ("table2", "table4", "data"))


def test_what_could_not_be_read_is_said_on_the_data_page(fake, tmp_path):
    told = {
        "mgr_dark": {
            **fake.statistics["mgr_dark"],
            "quarantined": 3,
            "left_out": ["clip <b>c1</b>, rgb: is empty"],
            "unmade": "not made yet: dark depth; `run-all` makes it",
        },
        "nvgesture": {"name": "NvGesture", "problem": "the lists are <i>gone</i>"},
    }
    build(fake.work_dir, tmp_path / "site", fake.benchmark, fake.entries, [told])
    page = parse(tmp_path / "site" / "data.html")
    assert "Could not be read, and left out here: 1" in page.text and "clip <b>c1</b>, rgb: is empty" in page.text
    assert "Not measured: the lists are <i>gone</i>." in page.text
    assert "In quarantine, not counted here" in page.text
    assert page.text.count("Synthetic clips not made yet: dark depth; run-all makes it.") == 1
    assert "run-all" in [code.text for code in page.all("code")]
    assert cell(page, "data", "NvGesture", "clips").text == "– (not measured)"


def test_methods_page_reads_the_readme_and_says_which_weights(pages):
    page = pages["methods.html"]
    assert "A plain <i>network</i>, see its paper." in page.text
    student = next(tr for tr in page.all("tr") if tr.all("th") and tr.all("th")[0].text == "student_mgr-dark-rgb")
    assert "https://example.org/weights.pth: absent, so trained from scratch" in student.text
    assert "Absent" in page.all("section")[-1].text
