"""JSON that is written piece by piece, so that what iterators give is never in memory as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_one_line = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode  # many times as fast as with an indent


def json_pieces(value: Any, depth: int = 0) -> Iterator[str]:
    """What ``json.dumps(value, indent=1)`` gives, where iterators in dicts and in other iterators are lists with a line
    for each item."""
    inner, end = "\n" + " " * (depth + 1), "\n" + " " * depth
    if isinstance(value, Iterator):
        start = "["
        for item in value:
            yield start + inner
            yield from json_pieces(item, depth + 1) if _has_iterators(item) else (_one_line(item),)
            start = ","
        yield "[]" if start == "[" else end + "]"
    elif _has_iterators(value):
        start = "{"
        for key, item in value.items():
            yield f"{start}{inner}{json.dumps(key, ensure_ascii=False)}: "
            yield from json_pieces(item, depth + 1)
            start = ","
        yield end + "}"
    else:
        yield json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False).replace("\n", end)


def _has_iterators(value: Any) -> bool:
    return isinstance(value, Iterator) or (
        isinstance(value, Mapping) and any(isinstance(v, Iterator) for v in value.values())
    )
