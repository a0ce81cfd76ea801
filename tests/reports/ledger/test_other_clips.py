"""Real clips that only have the layout of a data set are not called by its name, nor held against its papers."""

import json

import pytest

from harness.suite.benchmark import Published
from reports import build
from tests.helpers.fake_site import write
from tests.helpers.html_tree import parse

PEOPLE, CLASSES = 21, 10  # of the made-up clips


@pytest.fixture
def pages(tmp_path):
    """Writes the site of a made-up ledger where the data set was published with so many classes and subjects."""

    def made(classes: int, subjects: int, synthetic: bool = False):
        given = write(tmp_path, seeds=1, tables=["table2"], profile="paper", synthetic=synthetic)
        published = Published(classes=classes, subjects=subjects)
        first, *others = given.benchmark.tables
        noted = first.model_copy(update={"claims_note": "The draft has 12.34 here."})
        benchmark = given.benchmark.model_copy(update={"tables": type(given.benchmark.tables)([noted, *others])})
        (figure, *more) = benchmark.figures
        figures = [figure.model_copy(update={"claims_note": "Only 56.78 is known."}), *more]
        benchmark = benchmark.model_copy(update={"figures": type(benchmark.figures)(figures)})
        declared = given.benchmark.datasets
        declared["mgr_dark"] = declared["mgr_dark"].model_copy(update={"published": published})
        build(given.work_dir, given.site, benchmark, given.entries)
        return given.site

    return made


def words(path) -> str:
    return " ".join(parse(path).text.split())


@pytest.mark.parametrize(("classes", "subjects"), [(CLASSES, PEOPLE - 1), (CLASSES + 1, PEOPLE)])
def test_clips_of_other_people_or_classes_are_no_data_set_of_the_paper(pages, classes, subjects):
    site = pages(classes, subjects)
    said = words(site / "table2.html")
    assert f"clips in the layout of MGR-Dark (10 classes, 21 subjects) are not MGR-Dark ({classes}, {subjects})" in said
    assert "Measured on clips in the layout of MGR-Dark, not on the data set itself: not comparable" in said
    assert "claimed and measured values can be compared" not in said
    page = parse(site / "table2.html")
    assert page.all("td", cls="measured") and not page.all("td", cls="claimed")
    assert (
        "Sources of claimed values" not in said and "12.34" not in said and "56.7" not in words(site / "figure6.html")
    )
    about = json.loads((site / "leaderboard.json").read_text())
    assert about["datasets"]["mgr_dark"]["title"] == "clips in the layout of MGR-Dark"
    data = words(site / "data.html")
    assert "draft compares" not in data and "Table 1" not in data and "Figure 4" not in data and "4,321" not in data
    assert not (site / "downloads" / "table1.csv").exists() and "table1" not in {t["id"] for t in about["tables"]}
    cells = [td.text for td in parse(site / "methods.html").all("td")]
    assert "clips in the layout of MGR-Dark" in cells and "MGR-Dark" not in cells
    run = words(next((site / "runs").glob("plain_mgr-dark-rgb-s0*.html")))
    assert "Data clips in the layout of MGR-Dark, dark" in run
    assert "not comparable" in (site / "downloads" / "table2.md").read_text()


def test_the_data_set_itself_has_its_name(pages, tmp_path):
    said = words(pages(CLASSES, PEOPLE) / "table2.html")
    assert "Measured on MGR-Dark itself" in said and "in the layout of" not in said and "has 12.34 here" in said
    assert "4,321" in words(tmp_path / "site" / "data.html")


def test_synthetic_clips_are_called_synthetic_whatever_their_numbers(pages):
    said = words(pages(CLASSES, PEOPLE - 1, synthetic=True) / "table2.html")
    assert "MGR-Dark (synthetic)" in said and "Other clips" not in said
