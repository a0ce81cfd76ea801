"""What stands around every page: navigation, description, and the foot with date, licence, citation and addresses."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from harness.ledger.planfile import read_plan, write_plan
from reports import build
from reports.site import citation
from tests.helpers.fake_site import write
from tests.helpers.html_tree import parse

CITATION = yaml.safe_load((Path(__file__).parents[3] / "CITATION.cff").read_text())


@pytest.fixture(scope="module")
def pages(fake):
    return {str(p.relative_to(fake.site)): parse(p) for p in fake.paths if p.suffix == ".html"}


def test_tables_stand_in_one_menu_and_what_is_alone_in_none(pages):
    for path, page in pages.items():
        nav = page.one("nav")
        menus = {d.one("summary").text: [a.text for a in d.all("a")] for d in nav.all("details")}
        assert menus == {
            "Tables": ["Table 2", "Table 3", "Table 4"],
            "Figures": ["Figure 6", "Accuracy against cost"],
        }, path
        assert {"Overview", "Figure 6", "Evidence", "Runs"} <= {a.text for a in nav.all("a")}
        current = [a.text for a in nav.all("a", **{"aria-current": "page"})]
        assert len(current) == (0 if path.startswith("runs/") else 1), path
        assert bool(nav.all("summary", cls="here")) == path.startswith(("table", "figure", "cost")), path


def test_every_page_describes_itself(pages):
    said = {path: page.one("meta", name="description").attrs["content"] for path, page in pages.items()}
    assert all(len(text) > 9 and "  " not in text for text in said.values())
    assert said["table2.html"] == "A fake caption."
    assert len({said[p] for p in said if "/" not in p}) == sum("/" not in p for p in said)


def test_the_foot_says_when_under_which_licence_and_how_to_cite(pages):
    for path, page in pages.items():
        foot = page.one("footer")
        when = r"Finished: 2024-0|is not recorded" if path.startswith("runs/") else r"Newest run: 2024-07-20\."
        assert re.search(when, foot.text) and f"licence {CITATION['license']}" in foot.text, path
        cite, add = foot.all("details")
        assert (
            cite.one("summary").text == "Cite" and CITATION["title"] in cite.text and CITATION["version"] in cite.text
        )
        assert CITATION["references"][0]["title"] in cite.text
        assert "harness models new" in add.text and "CONTRIBUTING.md" in add.text
        assert not re.search(r"year|url", cite.text)  # the file has neither


def test_the_smoke_profile_says_what_its_numbers_are_worth(tmp_path, pages):
    made = write(tmp_path, seeds=1, tables=["table2"], profile="smoke")
    paths = build(made.work_dir, made.site, made.benchmark, made.entries)
    said = "their accuracies say nothing about the methods"
    assert all(said in parse(p).text for p in paths if p.suffix == ".html")
    assert not any(said in page.text for page in pages.values())


def test_the_address_of_the_repository_is_that_of_the_benchmark(tmp_path):
    made = write(tmp_path, seeds=1, tables=["table2"])
    address = "https://example.org/benchmark"
    build(made.work_dir, made.site, made.benchmark.model_copy(update={"repository": address}), made.entries)
    foot = parse(made.site / "table2.html").one("footer")
    assert [a.attrs["href"] for a in foot.all("a") if a.text == "Repository"] == [address]
    assert f"url = {{{address}}}" in foot.text


def test_bibtex_keeps_names_of_groups_and_escapes(monkeypatch):
    text = yaml.safe_dump(
        {
            "title": "50 % of {A} & B",
            "type": "article",
            "year": 2001,
            "authors": [{"name": "A group"}, {"family-names": "Doe", "given-names": "J."}],
        }
    )
    monkeypatch.setattr(citation, "_text", lambda: text)
    said = citation.citation().bibtex
    assert said.startswith("@article{50--of-a--b,") and "author = {{A group} and Doe, J.}" in said
    assert r"title = {{50 \% of \{A\} \& B}}" in said and "year = {2001}" in said
    monkeypatch.setattr(citation, "_text", lambda: "just text")
    with pytest.raises(ValueError, match="no citation file"):
        citation.citation()
    monkeypatch.setattr(citation, "_text", lambda: "")
    assert citation.citation() is None


def test_the_stamp_of_a_run_is_its_own(pages):
    path = next(p for p in pages if p.startswith("runs/plain_mgr-dark-rgb-s1-"))
    said = {d.one("dt").text: d.one("dd").text for d in pages[path].one("dl", cls="stamp").all("div")}
    assert said == {"Profile": "demo", "Data": "MGR-Dark, dark (synthetic)", "Seed": "1", "Commit": "c0ffeec0ffee"}


def test_the_stamp_says_that_rows_differ_in_their_seeds(tmp_path, pages):
    def seeds(page):
        return next(d.one("dd").text for d in page.one("dl", cls="stamp").all("div") if d.one("dt").text == "Seeds")

    made = write(tmp_path, seeds=2, tables=["table2"])
    plan = read_plan(made.work_dir / "plan.json")
    once = [c for c in plan.cells if c.seed == 0 or not c.id.startswith("plain_mgr-dark-depth")]
    folder = next((made.work_dir / "runs").glob("plain_mgr-dark-depth-s1-*"))
    shutil.rmtree(folder)
    write_plan(made.work_dir / "plan.json", plan.model_copy(update={"cells": once}))
    build(made.work_dir, made.site, made.benchmark, made.entries)
    assert seeds(parse(made.site / "index.html")) == "1 to 2" and seeds(pages["index.html"]) == "3"
