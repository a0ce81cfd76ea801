"""Pages are left alone only where nothing that they show has changed, and nothing happened to them."""

import ast
import os
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from harness.site import freshness as pages
from harness.system import libraries
from reports.site.unchanged import code_digest

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def ledger(tmp_path):
    """A work dir, a folder of configs and a site, each with a file or two; the names have spaces and accents."""
    for name, text in {
        "wörk 1/plan.json": "{}",
        "wörk 1/runs/a-1/run.json": "{}",
        "wörk 1/clip_store/x/frames.bin": "0",
        "configs/benchmark.yml": "version: 1",
        "site/index.html": "<html>",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def current(root):
    return pages.are_current(root / "wörk 1", root / "site", pages.sources(root / "wörk 1", root / "configs"))


def remember(root):
    pages.remember(root / "wörk 1", root / "site", pages.sources(root / "wörk 1", root / "configs"))


def test_pages_are_current_once_made_and_not_before(ledger):
    assert not current(ledger)
    remember(ledger)
    assert current(ledger)


@pytest.mark.parametrize(
    "change",
    [
        lambda r: (r / "wörk 1/plan.json").write_text("{ }"),
        lambda r: (r / "wörk 1/runs/a-1/run.json").write_text("{ }"),
        lambda r: (r / "wörk 1/runs/a-1/predictions.parquet").write_text("x"),
        lambda r: (r / "wörk 1/runs/a-1/run.json").unlink(),
        lambda r: os.utime(r / "wörk 1/runs/a-1/run.json", (1, 1)),  # an older clock is a change as well
        lambda r: (r / "configs/benchmark.yml").write_text("version: 2"),
        lambda r: (r / "site/index.html").write_text("<b>edited</b>"),
        lambda r: (r / "site/index.html").unlink(),
        lambda r: (r / "site").rename(r / "elsewhere"),
        lambda r: (r / "wörk 1" / pages.PAGES).write_text("{ half"),
    ],
)
def test_any_change_makes_them_stale(ledger, change):
    remember(ledger)
    change(ledger)
    assert not current(ledger)


def test_the_plan_written_anew_and_the_clip_store_do_not_count(ledger):
    remember(ledger)
    os.utime(ledger / "wörk 1/plan.json", (1, 1))
    (ledger / "wörk 1/clip_store/y").write_text("more")
    assert current(ledger)


def test_a_change_while_the_pages_are_made_is_not_missed(ledger):
    made_from = pages.sources(ledger / "wörk 1", ledger / "configs")
    (ledger / "wörk 1/runs/a-1/run.json").write_text("{ written meanwhile }")
    pages.remember(ledger / "wörk 1", ledger / "site", made_from)
    assert not current(ledger)


def test_another_site_is_not_the_one_that_was_made(ledger, tmp_path):
    remember(ledger)
    made_from = pages.sources(ledger / "wörk 1", ledger / "configs")
    assert not pages.are_current(ledger / "wörk 1", tmp_path / "other", made_from)


def test_the_code_counts(ledger, monkeypatch, tmp_path):
    (tmp_path / "code/reports").mkdir(parents=True)
    monkeypatch.setattr(pages, "CODE", tmp_path / "code")
    remember(ledger)
    assert current(ledger)
    (tmp_path / "code/reports/tables.py").write_text("x = 1")
    assert not current(ledger)


@pytest.mark.parametrize("library", libraries.MADE_WITH)
def test_another_version_of_a_library_makes_them_stale(ledger, monkeypatch, library):
    remember(ledger)
    before, real = code_digest(), libraries.metadata.version
    monkeypatch.setattr(libraries.metadata, "version", lambda name: "0.0" if name == library else real(name))
    code_digest.cache_clear()
    assert not current(ledger) and code_digest() != before
    code_digest.cache_clear()


def test_every_library_that_pages_are_made_with_counts():
    """Whatever a module of reports imports that is neither Python's own nor ours."""
    imported = set()
    for path in (REPOSITORY / "reports").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            imported |= {name.split(".")[0] for name in names}
    foreign = imported - set(sys.stdlib_module_names) - {"harness", "mtcd_plugin", "reports"}
    known = packages_distributions()
    assert {known[name][0].lower() for name in foreign} <= {*libraries.MADE_WITH}
