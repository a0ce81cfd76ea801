"""Only addresses of the web become links."""

import pytest
import yaml

from harness.suite import load_benchmark, load_entries
from harness.suite.address import web_address

BAD = (
    "javascript:alert(1)",
    "JavaScript://x.org/%0aalert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "//x.org",
    "x.org",
    "https://",
    "https:// x.org",
    "https://x.org/\njavascript:alert(1)",
    "https://x.org/\n",
    "https://x.org/' onclick='alert(1)",
    'https://x.org/">',
    " https://x.org",
    7,
)


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_address_of_the_web_is_refused_where_it_stands(text, small_configs):
    with pytest.raises(ValueError, match="is no web address"):
        web_address(text)
    path = small_configs / "benchmark.yml"
    benchmark = yaml.safe_load(path.read_text())
    source = next(iter(benchmark["sources"]))
    benchmark["sources"][source]["url"] = text
    path.write_text(yaml.safe_dump(benchmark))
    with pytest.raises(ValueError, match=rf"benchmark.yml: sources.{source}.url"):
        load_benchmark(path)


@pytest.mark.parametrize("text", BAD)
@pytest.mark.parametrize("place", ["Paper", "Code"])
def test_a_metafiles_addresses_are_held_to_the_same(text, place, small_configs):
    benchmark = load_benchmark(small_configs / "benchmark.yml")
    path = small_configs / "i3d" / "metafile.yml"
    meta = yaml.safe_load(path.read_text())
    meta["Collections"][0][place]["URL"] = text
    path.write_text(yaml.safe_dump(meta))
    with pytest.raises(ValueError, match=rf"metafile.yml: Collections.0.{place}.URL: .*is no web address"):
        load_entries(small_configs, benchmark)


def test_addresses_and_empty_ones_pass(small_configs):
    for text in (
        "https://arxiv.org/abs/1705.07750",
        "http://[::1]:80/a?b=c&d=(e)#f",
        "https://xn--bcher-kva.example/ü",
    ):
        assert web_address(text) == text
    path = small_configs / "i3d" / "metafile.yml"
    meta = yaml.safe_load(path.read_text())
    meta["Collections"][0]["Paper"]["URL"] = ""
    path.write_text(yaml.safe_dump(meta))
    assert load_entries(small_configs, load_benchmark(small_configs / "benchmark.yml"))
