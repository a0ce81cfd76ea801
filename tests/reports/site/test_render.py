"""Templates are compiled once, and a table's cells are what its model says."""

import pytest
from jinja2 import Environment
from markupsafe import Markup, escape

from reports.site import render
from reports.tables.table import MEASURED, Cell, Column, Link, Row, Table
from tests.helpers.html_tree import parse


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "mgr-dark-drawings"


def fresh():
    """The templates of a new process."""
    return render.environment.__wrapped__()


def chart_of(env):
    return str(env.get_template("parts.html.j2").module.command("a < b"))


def test_a_template_is_compiled_once(folder, monkeypatch):
    first = chart_of(fresh())
    assert "a &lt; b" in first and len(list(folder.iterdir())) == 1
    monkeypatch.setattr(Environment, "_generate", lambda *a, **k: pytest.fail("compiled again"))
    assert chart_of(fresh()) == first


def test_a_damaged_template_is_compiled_anew_and_one_of_other_code_goes(folder, monkeypatch):
    first = chart_of(fresh())
    (path,) = folder.iterdir()
    path.write_text(path.read_text()[:-9] + "damaged==")
    assert chart_of(fresh()) == first
    monkeypatch.setattr(render, "code_digest", lambda: "0" * 64)
    assert chart_of(fresh()) == first
    (other,) = folder.iterdir()
    assert other.name != path.name
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")  # cannot be written
    assert chart_of(fresh()) == first


@pytest.mark.parametrize("value", ["a < b & \"c\" 'd'", "<" * 300, Markup("<b>"), "<b>", 5, 0.5, None, ["<"]])
def test_what_a_template_says_is_escaped_each_time(value):
    page = fresh().from_string("{{ v }} {{ v }}")
    assert page.render(v=value) == f"{escape(value)} {escape(value)}" == page.render(v=value)


def test_what_templates_say_again_is_escaped_once():
    fresh().from_string("{{ v }}").render(v="a name < of a class")
    before = render._escaped.cache_info()
    fresh().from_string("{{ v }}").render(v="a name < of a class")
    assert render._escaped.cache_info().hits == before.hits + 1


def test_the_cells_of_a_row(tmp_path):
    columns = (
        Column("m", 'The "method"'),
        Column("v", "Top-1", MEASURED, numeric=True, key="value"),
        Column("w", "Why <not>", group="Rest"),
    )
    cells = {
        "m": Cell('A & "B"'),
        "v": Cell("81 %", 81.23456789, origin=MEASURED, href="runs/a.html", sub="<3"),
        "w": Cell("–", state="missing", title="none & nowhere", links=(Link("seed 1", "runs/b.html"),)),
    }
    table = Table("t", "T", "", columns, (Row("r", cells),))
    page = '{% import "parts.html.j2" as parts with context %}{{ parts.table(t) }}'
    path = tmp_path / "page.html"
    path.write_text(fresh().from_string(page).render(t=table, root="../", site={"synthetic": False}))
    tree = parse(path)
    (row,) = tree.one("tbody").all("tr")
    (head,), (value, why) = row.all("th"), row.all("td")
    assert head.attrs["scope"] == "row" and head.classes == {"text"} and "data-label" not in head.attrs
    assert head.text.strip() == 'A & "B"' and head.one("input").attrs["aria-label"] == 'All of A & "B"'
    assert value.attrs["data-v"] == "81.234568" and value.attrs["data-label"] == "Top-1"
    assert value.classes == {"measured", "num", "first", "lead"}
    assert value.one("a").attrs["href"] == "../runs/a.html" and value.one("small").text == "<3"
    assert why.attrs["data-label"] == "Why <not>" and "missing" in why.classes and "data-v" not in why.attrs
    assert why.one("span", title="none & nowhere").text == "–" and why.one("a").attrs["href"] == "../runs/b.html"
