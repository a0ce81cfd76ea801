"""JSON that is written piece by piece is that of the whole."""

import json

import pytest

from reports.site.json_pieces import json_pieces


@pytest.mark.parametrize("rows", [[], [1], [{"text": "a\nä", "value": None}, {}, [], "b"]])
def test_pieces_are_the_json_of_the_whole(rows):
    def content(many):
        return {"id": "é", "none": {}, "rows": many(rows), "tables": many([{"rows": many(rows), "n": [1, 2]}, {}])}

    assert "".join(json_pieces(content(iter))) == json.dumps(content(list), indent=1, ensure_ascii=False)


def test_what_json_cannot_say_is_an_error():
    with pytest.raises(ValueError, match="JSON compliant"):
        "".join(json_pieces({"rows": iter([float("nan")])}))
