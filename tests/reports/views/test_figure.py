"""The grid of a figure: a heat map and its numbers, on the figure's page."""

import re
import shutil

import pytest

from reports import build
from reports.ledger.running import Running
from tests.helpers.fake_site import write
from tests.helpers.html_tree import cell, grid, parse


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    missing = {("student_mgr-dark-rgb+alpha=1.5,beta=0", 0)}
    made = write(tmp_path_factory.mktemp("grid"), seeds=1, tables=["figure6", "figure6_grid"], missing=missing)
    build(made.work_dir, made.site, made.benchmark, made.entries)
    return made


def test_every_pair_is_drawn_and_listed(made):
    page = parse(made.site / "figure6.html")
    _, rows = grid(page, "figure6_grid")
    assert len(rows) == 3 * 2
    svg = next(s for s in page.all("svg") if s.all("title") and "every pair" in s.one("title").text)
    assert len(re.findall(r"alpha [\d.]+ and beta", svg.one("desc").text)) == 6
    for alpha, beta in ((0.0, 0.3), (1.5, 0.3)):
        value = float(cell(page, "figure6_grid", f"alpha={alpha:g}, beta={beta:g}", "m.top1").attrs["data-v"])
        assert f"alpha {alpha:g} and beta {beta:g}: {value:.1f}" in svg.one("desc").text
    assert "alpha 1.5 and beta 0: no result" in svg.one("desc").text
    assert [r[0].text for r in rows if any(td.text.startswith("not run") for td in r)] == ["alpha=1.5, beta=0"]
    assert "default" in cell(page, "figure6_grid", "alpha=0.9, beta=0.3", "point").text
    assert "every pair" in (made.site / "downloads" / "figure6_grid.svg").read_text()


def test_a_run_of_the_grid_links_to_it(made):
    page = parse(next((made.site / "runs").glob("student_mgr-dark-rgb_alpha=0_beta=0.3-*.html")))
    assert [a.attrs["href"] for a in page.all("a") if a.text == "Figure 6, grid"] == ["../figure6.html#figure6_grid"]


def test_without_it_the_page_says_how_to_have_it(tmp_path):
    made = write(tmp_path, seeds=1, tables=["figure6"])
    build(made.work_dir, made.site, made.benchmark, made.entries)
    page = parse(made.site / "figure6.html")
    assert "--tables figure6,figure6_grid" in page.text and not page.all(id="figure6_grid")
    assert not (made.site / "downloads" / "figure6_grid.svg").exists()


@pytest.mark.parametrize("running", [True, False])
def test_what_is_not_measured_is_one_line_and_its_command(tmp_path, running):
    made = write(tmp_path, seeds=1, tables=["figure6", "figure6_grid"])
    for run in (made.work_dir / "runs").glob("*"):
        shutil.rmtree(run)
    now = Running(0, 0, (), ("student_mgr-dark-rgb-s0",), "2024-07-20 12:00 UTC", 30) if running else None
    build(made.work_dir, made.site, made.benchmark, made.entries, running=now)
    main = parse(made.site / "figure6.html").one("main")
    assert not main.all("table") and len(main.all("div", cls="command")) == 2
    assert main.text.count("Nothing of this") == 2 and "one seed" not in main.text
    assert main.text.count("its runs are still to come") == 2 * running
    assert main.all(id="figure6_grid")  # the overview links to it
