"""Runs on a data set that the benchmark does not declare, as once its package or its lines are gone."""

import json

from reports import build
from tests.helpers.fake_site import FAKE_STATISTICS, write
from tests.helpers.html_tree import parse
from tests.helpers.site_links import dead_links


def test_runs_on_a_data_set_that_is_gone_from_the_benchmark_are_shown_by_their_own_name(tmp_path):
    made = write(tmp_path, seeds=1)
    kept = {name: declared for name, declared in made.benchmark.datasets.items() if name != "nvgesture"}
    tables = [t for t in made.benchmark.tables if t.dataset != "nvgesture"]
    less = made.benchmark.model_copy(update={"datasets": kept, "tables": tables})
    gone = ("nvgesture", "Broken")  # a method without its folder as well
    entries = {name: e for name, e in made.entries.items() if not {e.dataset, e.method} & set(gone)}
    assert len(kept) < len(made.benchmark.datasets) and len(entries) < len(made.entries)
    build(made.work_dir, made.site, less, entries, [FAKE_STATISTICS])
    about = json.loads((made.site / "leaderboard.json").read_text())
    assert "mgr_dark" in about["datasets"]
    pages = [page for page in (made.site / "runs").glob("*nvgesture*.html") if "NvGesture" in parse(page).text]
    assert pages and "nvgesture" not in less.datasets
    assert any((made.site / "runs").glob("broken_*.html")) and not list(dead_links(made.site))
