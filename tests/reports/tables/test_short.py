"""What is not measured takes a line and a command, not a table of dashes."""

import pytest

from reports import build
from reports.format import ordinal
from reports.plots.curves import curves
from tests.helpers.fake_site import write
from tests.helpers.html_tree import grid, parse


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    missing = {("student_mgr-dark-rgb+half", 0)}
    made = write(tmp_path_factory.mktemp("part"), seeds=1, tables=["table4"], missing=missing)
    build(made.work_dir, made.site, made.benchmark, made.entries)
    return made


def test_a_table_that_was_not_run_says_what_runs_it(part):
    page = parse(part.site / "table3.html")
    assert page.one("main").one("pre").text.endswith("--profile demo --tables table3")
    assert not page.one("main").all("p", cls="says") and grid(page, "table3")  # it can still be unfolded


def test_rows_without_a_number_are_named_in_one_line(part):
    page = parse(part.site / "evidence.html")
    _, rows = grid(page, "evidence")
    assert all("Half" not in row[0].text for row in rows)
    assert any(p.text.startswith("Not measured:") and "Half" in p.text for p in page.all("p", cls="note"))


def test_one_seed_has_a_band_where_the_variance_of_trainings_is_known(fake):
    from scipy.stats import t

    from reports.site.build import _contexts

    context = _contexts([fake.work_dir], fake.benchmark, fake.entries, {}, [])[0]
    training = context.ledger.training["mgr_dark"]
    point = curves(context, fake.benchmark.figures[0])[0].points[0]
    assert point.band == pytest.approx(t.ppf(0.975, training.freedom) * training.std / point.n**0.5)


def test_ordinals():
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 112)] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th")
    ]
