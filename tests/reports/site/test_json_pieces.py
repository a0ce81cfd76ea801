"""JSON that is written piece by piece is that of the whole, with a line for each item of an iterator."""

import json

import pytest

from reports.site.json_pieces import json_pieces


@pytest.mark.parametrize("rows", [[], [1], [{"text": "a\nä", "value": None}, {}, [], "b"]])
def test_pieces_are_the_json_of_the_whole(rows):
    def content(many):
        return {"id": "é", "none": {}, "rows": many(rows), "tables": many([{"rows": many(rows), "n": [1, 2]}, {}])}

    text = "".join(json_pieces(content(iter)))
    assert json.loads(text) == content(list)
    lines = [line.strip() for line in text.splitlines()]
    assert all(lines.count(_line(row)) + lines.count(f"{_line(row)},") >= 2 for row in rows)


def _line(row):
    return json.dumps(row, ensure_ascii=False)


def test_what_has_no_iterators_is_indented():
    content = {"id": "é", "none": {}, "rows": [{"a": [1, None]}]}
    assert "".join(json_pieces(content)) == json.dumps(content, indent=1, ensure_ascii=False)


def test_what_json_cannot_say_is_an_error():
    with pytest.raises(ValueError, match="JSON compliant"):
        "".join(json_pieces({"rows": iter([float("nan")])}))
