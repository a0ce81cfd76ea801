"""The link from the pages to the documentation."""

import pytest
from pydantic import ValidationError

from harness.suite.benchmark import Benchmark
from reports import build
from tests.helpers.fake_site import write
from tests.helpers.html_tree import parse


def documentation(site, page):
    return [a.attrs["href"] for a in parse(site / page).one("footer").all("a") if a.text == "Documentation"]


def test_pages_link_to_the_documentation_where_the_benchmark_gives_its_address(tmp_path):
    made = write(tmp_path, seeds=1, tables=["table2"])
    build(made.work_dir, made.site, made.benchmark, made.entries)
    assert documentation(made.site, "index.html") == []
    given = made.benchmark.model_copy(update={"docs": "https://example.org/docs/?a=1&b=2"})
    build(made.work_dir, made.site, given, made.entries)
    run = next((made.site / "runs").glob("*.html")).relative_to(made.site)
    assert (
        documentation(made.site, "index.html") == ["https://example.org/docs/?a=1&b=2"] == documentation(made.site, run)
    )


def test_the_address_of_the_documentation_is_one_of_the_web(tmp_path):
    raw = write(tmp_path, seeds=1, tables=["table2"]).benchmark.model_dump()
    with pytest.raises(ValidationError, match="no web address"):
        Benchmark.model_validate({**raw, "docs": "javascript:alert(1)"})
