"""Rows of ``benchmark.yml`` that are some series at some points."""

from __future__ import annotations

from typing import Any

from harness.suite.dotted import DATA


def crossed(own: dict[str, Any]) -> dict[str, Any]:
    """A table of layout ``points`` with its rows: each series at each point, whose data are overrides of it.

    A series at a point without data of its own is the cell of its model and variant: one run, whichever table asks.

    Raises:
        ValueError: it lists rows itself.
    """
    if own.get("layout") != "points":
        return own
    if own.get("rows"):
        raise ValueError(f"{own.get('id')}: rows are made of points and series; leave them out")
    places, lines = (_listed(own, name) for name in ("points", "series"))
    return {**own, "rows": [_row(line, place, str(own.get("dataset"))) for place in places for line in lines]}


def _listed(own: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The points or series of a table. ValueError for one without an id, or with that of another."""
    found = own.get(name) or []
    ids = [str(item.get("id", "")) for item in found]
    if bad := [i for i in ids if not i or ids.count(i) > 1]:
        raise ValueError(f"{own.get('id')}.{name}: " + (f"id '{bad[0]}' occurs twice" if bad[0] else "one has no id"))
    return list(found)


def _row(line: dict[str, Any], place: dict[str, Any], dataset: str) -> dict[str, Any]:
    data = place.get("data") or {}
    variant = ",".join(filter(None, (line.get("variant"), str(place["id"]) if data else "")))
    given = {f"{DATA}{dataset}.{name}": value for name, value in data.items()}
    return {
        **line,
        "id": f"{line['id']}@{place['id']}",
        "variant": variant,
        "overrides": {**(line.get("overrides") or {}), **given},
        "group": place.get("title", ""),
    }
