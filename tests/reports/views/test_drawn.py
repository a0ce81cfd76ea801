"""Tables of points on an evidence page: the drawing, its numbers, and what is not measured."""

import copy
import json
import re

import pytest

from harness.ledger.record import Failure
from harness.suite import Benchmark
from reports import build
from tests.helpers import fake_site
from tests.helpers.fake_benchmark import BENCHMARK
from tests.helpers.html_tree import cell, parse
from tests.helpers.site_links import dead_links

PLAIN, STUDENT = "plain_mgr-dark-rgb", "student_mgr-dark-rgb"
BY_LIGHT = {
    "id": "by_light",
    "layout": "points",
    "optional": True,
    "title": "By fake light. What the fake student adds",
    "caption": "A fake caption of points.",
    "dataset": "mgr_dark",
    "axis": "Fake light",
    "points": [
        {"id": "dim", "title": "dim", "data": {"data_root": "data/dim"}},
        {"id": "usual", "title": "usual"},
        {"id": "bright", "title": "bright", "data": {"data_root": "data/bright"}},
    ],
    "series": [{"id": "base", "title": "Plain", "model": PLAIN}, {"id": "full", "title": "Student", "model": STUDENT}],
    "gain": {"of": "full", "over": "base"},
}


def made_with(folder, monkeypatch, **kw):
    declared = copy.deepcopy(BENCHMARK)
    declared["tables"].append(BY_LIGHT)
    declared["evidence"][0]["drawn"] = ["by_light"]
    monkeypatch.setattr(fake_site, "fake_benchmark", lambda: Benchmark.model_validate(declared))
    made = fake_site.write(folder, **kw)
    build(made.work_dir, made.site, made.benchmark, made.entries)
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    missing = {(f"{STUDENT}+bright", seed) for seed in range(3)}
    with pytest.MonkeyPatch.context() as patch:
        yield made_with(tmp_path_factory.mktemp("points"), patch, seeds=3, tables=["by_light"], missing=missing)


def top1(made, name: str) -> list[float]:
    """The accuracies of a cell in percent, by seed, from its records."""
    records = [json.loads(p.read_text()) for p in made.work_dir.glob("runs/*/run.json")]
    model, _, variant = name.partition("+")
    own = [r for r in records if (r["cell"]["model"], r["cell"]["variant"]) == (model, variant)]
    return [100 * r["metrics"]["top1"] for r in sorted(own, key=lambda r: r["cell"]["seed"])]


def test_the_table_has_each_series_and_the_gain_at_each_point(made):
    page = parse(made.site / "evidence.html")
    for point, variant in (("dim", "+dim"), ("usual", "")):
        plain, student = top1(made, PLAIN + variant), top1(made, STUDENT + variant)
        assert len(plain) == len(student) == 3
        for column, values in (("base.top1", plain), ("full.top1", student)):
            shown = float(cell(page, "by_light", point, column).attrs["data-v"])
            assert shown == pytest.approx(sum(values) / 3)
        gain = cell(page, "by_light", point, "gain.delta")
        each = [b - a for a, b in zip(plain, student, strict=True)]
        assert float(gain.attrs["data-v"]) == pytest.approx(sum(each) / 3)
        assert f"better in {sum(e > 0 for e in each)} of 3" in gain.text
        assert cell(page, "by_light", point, "clips").text == "640"
    assert "data-v" not in cell(page, "by_light", "bright", "gain.delta").attrs


def test_the_drawing_says_its_numbers_and_marks_what_is_missing(made):
    page = parse(made.site / "evidence.html")
    svg = next(s for s in page.all("svg") if s.all("title") and "Fake light" in s.one("title").text)
    said = svg.one("desc").text
    for title, name in (("Plain", PLAIN), ("Student", STUDENT)):
        values = top1(made, name)
        assert re.search(rf"{title}: [^;]*\busual {sum(values) / 3:.1f} ", said)
    gain = float(cell(page, "by_light", "dim", "gain.delta").attrs["data-v"])
    assert re.search(rf"Student against Plain: dim {gain:.1f} \(", said) and svg.text.count("×") == 1
    for kind in ("pdf", "png", "svg"):
        assert (made.site / "downloads" / f"by_light.{kind}").stat().st_size
    files = (made.site / "downloads" / "by_light.svg").read_text()
    assert "synthetic" in files and "var(--" not in files and "#c2410c" in files
    assert "dim,640" in (made.site / "downloads" / "by_light.csv").read_text()


def test_it_has_no_page_of_its_own_and_says_its_sentence(made):
    assert not (made.site / "by_light.html").exists()
    page = parse(made.site / "evidence.html")
    gain = float(cell(page, "by_light", "usual", "gain.delta").attrs["data-v"])
    number = f"{gain:+.1f}".replace("-", "\u2212")
    assert re.search(rf"Student against Plain, in points: \S+ at dim, {re.escape(number)} at usual", page.text)
    assert "2 of 3 points measured" in page.text


def test_without_it_the_page_says_how_to_have_it(tmp_path, monkeypatch):
    made = made_with(tmp_path, monkeypatch, seeds=1, tables=["table4"])
    page = parse(made.site / "evidence.html")
    assert "--tables by_light" in page.text and page.one(id="by_light").tag == "h2"
    assert not list(dead_links(made.site))
    nav = [a.attrs["href"] for a in parse(made.site / "table4.html").one("nav").all("a")]
    assert "evidence.html" in nav  # statements of a table that was asked for stand there, whether or not it is drawn
    assert "Evidence" not in parse(made.site / "index.html").text.partition("Not asked for:")[2].partition(".")[0]


def test_a_run_of_a_table_without_its_page_names_it_and_links_nowhere(tmp_path, monkeypatch):
    """Nothing is measured, so there is no evidence page; the runs that failed have theirs."""
    failed = {
        (model + point, 0): Failure(kind="killed", message="fake")
        for model in (PLAIN, STUDENT)
        for point in ("", "+dim")
    }
    missing = {(f"{model}+bright", 0) for model in (PLAIN, STUDENT)}
    made = made_with(tmp_path, monkeypatch, seeds=1, tables=["by_light"], failed=failed, missing=missing)
    assert not (made.site / "evidence.html").exists() and not list(dead_links(made.site))
    page = parse(next((made.site / "runs").glob(f"{PLAIN}_dim-*.html")))
    assert "By fake light" in page.text and not [a for a in page.all("a") if a.text == "By fake light"]
