"""What dataset.json says of a set."""

import json

import pytest

from mtcd_plugin.formats.text import is_synthetic


@pytest.mark.parametrize(
    ("described", "synthetic"), [({"synthetic": True}, True), ({"synthetic": False}, False), ({"name": "a set"}, False)]
)
def test_a_set_is_synthetic_where_its_description_says_so(tmp_path, described, synthetic):
    assert is_synthetic(tmp_path) is False  # without a description
    (tmp_path / "dataset.json").write_text(json.dumps(described))
    assert is_synthetic(tmp_path) is synthetic


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "not valid JSON"), ("[true]", "expected an object"), ('{"synthetic": 1}', "'synthetic' is true or false")],
)
def test_descriptions_that_cannot_be_read(tmp_path, text, message):
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(ValueError, match=f"dataset.json: .*{message}"):
        is_synthetic(tmp_path)
