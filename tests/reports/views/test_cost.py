"""Accuracy against cost: the Pareto front by its definition, and the page."""

import json

import pytest

from reports.plots.bar_charts import counts
from reports.plots.cost_charts import Mark, Panel, against_cost
from reports.plots.drawing import to_files
from reports.tables.cost import front
from tests.helpers.html_tree import cell, parse


def test_the_front_is_what_nothing_dominates():
    found = [(1.0, 0.5), (2.0, 0.7), (3.0, 0.6), (2.0, 0.6), (None, 0.9), (1.0, 0.5)]
    assert front(found) == [True, True, False, False, False, True]
    assert front([]) == []


def test_the_table_says_what_is_recorded_and_on_which_machine(fake):
    page = parse(fake.site / "cost.html")
    record = json.loads(next((fake.work_dir / "runs").glob("student_mgr-dark-rgb-s0-*/run.json")).read_text())
    assert cell(page, "cost_table2_rgb", "Student", "params").attrs["data-v"] == f"{record['cost']['params']:.8g}"
    assert cell(page, "cost_table2_rgb", "Student", "params").text == "● 1.23 M"  # the best of equal costs
    assert cell(page, "cost_table2_rgb", "Plain", "params").text == "1.23 M"
    plain = float(cell(page, "cost_table2_rgb", "Plain", "train").attrs["data-v"])
    assert plain == pytest.approx(36.5)  # one stage
    # a stage of the student does not say how long it took: then the sum is not known either
    assert cell(page, "cost_table2_rgb", "Student", "train").text == "– (not recorded)"
    assert "a fake processor" in page.text and "Accuracies are of synthetic data" in page.text
    assert "MGR-Dark (synthetic)" in page.text
    for kind in ("pdf", "png", "svg"):
        assert (fake.site / "downloads" / f"cost_table2_rgb.{kind}").stat().st_size > 1000
    assert "1 not recorded" in (page.one("figure", id="cost_table2_rgb").text + (fake.site / "cost.html").read_text())


def test_a_drawing_names_its_front_in_words():
    marks = (Mark(1.0, 0.5, 2, True), Mark(2.0, 0.75, 1, True), Mark(2.0, 0.4, 3, False))
    drawn = against_cost((Panel("Weights", "M", marks, 0),), ("Good", "Cheap", "Bad"), "x", "A fake title")
    assert drawn.description == "Weights, on the front: Cheap 50.0 at 1, Good 75.0 at 2"


@pytest.mark.parametrize("costs", [[1.0] * 12, [1.0, 1.01, 1.02, 1.0, 50.0, 51.0]])
def test_numbers_of_equal_marks_stand_apart(costs):
    """Boxes as wide and high as the numbers, where matplotlib draws them."""
    marks = tuple(Mark(cost, 0.1, i + 1, False) for i, cost in enumerate(costs))
    drawn = against_cost.__wrapped__((Panel("Weights", "M", marks, 0),) * 3, ["x"] * 12, "x", "A fake title")
    ax = drawn.figure.axes[0]
    renderer = drawn.figure.canvas.get_renderer() if hasattr(drawn.figure.canvas, "get_renderer") else None
    boxes = [t.get_window_extent(renderer) for t in ax.texts]
    assert len(boxes) == len(costs)
    assert not [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :] if a.overlaps(b)]


@pytest.mark.parametrize("name", ["cost $5 or $6", r"a $\frac$ b"])
def test_a_dollar_in_a_name_is_a_dollar(name):
    drawn = counts([(name, 3), ("b", 4)], "p", name)
    assert name in str(drawn.svg).split("</desc>")[1] and name in drawn.title
    assert to_files(drawn, name)["png"]
