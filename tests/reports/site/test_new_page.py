"""A page is one module: it is found in the folder of pages, listed and written, and gone with its module."""

import json
import sys
from pathlib import Path

import pytest
from jinja2 import ChoiceLoader, DictLoader

import reports.views
from reports import build
from reports.page import Page
from reports.site import render
from tests.helpers.fake_site import write
from tests.helpers.html_tree import cell, parse

MODULE = """
from reports.page import Card, Page, View
from reports.tables.table import Cell, Column, Row, Table


def build(context):
    row = Row("one", {"what": Cell("made up")})
    table = Table("made_up", "Made up", "A table.", (Column("what", "What"),), (row,))
    yield Page("made_up.html", "table.html.j2", {"table": table}, tables=(table,), files={"made_up.txt": "so"},
               card=Card("A made-up card", "It says nothing."))


VIEW = View("Made-up page", 55, build, shown=lambda context: context.profile == "demo")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder in which modules are pages of the site."""
    folder = tmp_path / "more_views"
    folder.mkdir()
    monkeypatch.setattr(reports.views, "__path__", [*reports.views.__path__, str(folder)])
    yield folder
    for name in [n for n in sys.modules if n.startswith("reports.views.made_up")]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write(tmp_path_factory.mktemp("made"), seeds=1, tables=["table2"])


def texts(page):
    return [a.text for a in page.one("nav").all("a")]


def test_a_module_is_a_page_and_nothing_else_has_to_know(folder, made):
    path = folder / "made_up.py"
    path.write_text(MODULE)
    build(made.work_dir, made.site, made.benchmark, made.entries)
    page = parse(made.site / "made_up.html")
    listed = texts(page)
    assert listed[listed.index("Made-up page") - 1 :][:3] == ["Data", "Made-up page", "Methods"]
    assert texts(parse(made.site / "index.html")) == listed
    assert "made up" in page.text and (made.site / "made_up.txt").read_text() == "so"
    assert "A made-up card" in parse(made.site / "index.html").text
    assert (made.site / "downloads" / "made_up.csv").is_file()
    tables = json.loads((made.site / "leaderboard.json").read_text())["tables"]
    assert "made_up" in [t["id"] for t in tables]
    path.unlink()
    build(made.work_dir, made.site, made.benchmark, made.entries)
    assert not list(made.site.rglob("made_up*")) and "Made-up page" not in texts(parse(made.site / "index.html"))


def test_the_page_of_the_guide_for_contributors(folder, made):
    guide = (Path(__file__).parents[3] / "CONTRIBUTING.md").read_text()
    (folder / "made_up_machines.py").write_text(guide.split("## Add a page")[1].split("```python\n")[1].split("```")[0])
    build(made.work_dir, made.site, made.benchmark, made.entries)
    page = parse(made.site / "machines.html")
    listed = texts(page)
    assert listed[listed.index("Machines") - 1 :][:3] == ["Methods", "Machines", "Runs"]
    assert cell(page, "machines", "a fake processor", "runs").text.isdigit()


def test_the_template_of_the_guide_for_contributors(folder, made, monkeypatch):
    guide = (Path(__file__).parents[3] / "CONTRIBUTING.md").read_text()
    template = guide.split("## Add a page")[1].split("```html+jinja\n")[1].split("```")[0]
    (folder / "made_up_runs.py").write_text(
        "from reports.page import Page, View\n\n\ndef build(context):\n"
        '    yield Page("my_page.html", "my_page.html.j2", {"runs": context.ledger.shown_records})\n\n\n'
        'VIEW = View("My page", 35, build)\n'
    )
    env = render.environment.__wrapped__()
    env.loader = ChoiceLoader([DictLoader({"my_page.html.j2": template}), env.loader])
    monkeypatch.setattr("reports.site.build.environment", lambda: env)
    build(made.work_dir, made.site, made.benchmark, made.entries)
    page = parse(made.site / "my_page.html")
    assert "plain_mgr-dark-rgb" in page.one("main").text and "My page" in texts(page)


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        ("{% block main %}Mine{% endblock %}", "no block title; "),
        ("{% block title %}Mine{% endblock %}{% block content %}Mine{% endblock %}", "no block main; "),
    ],
)
def test_a_template_without_what_every_page_has_is_named_with_what_to_write(blocks, said):
    env = render.environment.__wrapped__()
    env.loader = ChoiceLoader([DictLoader({"mine.html.j2": '{% extends "base.html.j2" %}' + blocks}), env.loader])
    with pytest.raises(ValueError, match="^reports/templates/mine.html.j2: ") as error:
        render.render(env, Page("mine.html", "mine.html.j2", {}), {})
    assert said in str(error.value) and "fills its blocks title and main" in str(error.value)


def test_a_page_that_is_not_shown_is_neither_built_nor_listed(folder, made):
    (folder / "made_up_other.py").write_text(MODULE.replace('== "demo"', '== "paper"'))
    build(made.work_dir, made.site, made.benchmark, made.entries)
    assert not (made.site / "made_up.html").exists() and "Made-up page" not in texts(parse(made.site / "index.html"))


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("", TypeError, "made_up_wrong declares no VIEW"),
        (MODULE.replace("made_up.html", "data.html"), ValueError, "more than one page is called data.html"),
        (MODULE.replace('"made_up"', '"runs"'), ValueError, "more than one table is called runs"),
    ],
)
def test_a_module_that_is_no_page_of_its_own_is_an_error(folder, made, text, error, words):
    (folder / "made_up_wrong.py").write_text(text)
    with pytest.raises(error, match=words):
        build(made.work_dir, made.site, made.benchmark, made.entries)
