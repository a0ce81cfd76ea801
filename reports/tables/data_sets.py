"""Table 1 of the draft, and its rows for the sets of clips at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import with_others
from harness.suite.modalities import RECORDED, TITLES
from reports import format as f
from reports.ledger.clip_sets import ClipSet
from reports.ledger.context import ReportContext
from reports.tables.columns import sources_of
from reports.tables.table import Cell, Column, Row, Table, missing


def sets_at_hand(context: ReportContext) -> list[ClipSet]:
    """The sets of clips that a plan or a run measures, or that are there; one of each data set, where none is."""
    there = [s for d in context.benchmark.datasets for s in context.clip_sets.get(d, ())]
    known = {s.dataset for s in there}
    there += [ClipSet(d) for d in context.datasets if d not in known]
    order = list(context.benchmark.datasets)
    return sorted(there, key=lambda s: order.index(s.dataset)) or [ClipSet(d) for d in order]


def set_titles(context: ReportContext, sets: Sequence[ClipSet]) -> dict[str, str]:
    """What each of these sets is called, by its id; with its ledger, where others of its kind are called the same."""
    named = {s.id: (context.clips.set_title(s), bool(s.synthetic)) for s in sets}
    several = {name for name in named.values() if list(named.values()).count(name) > 1}
    return {s.id: named[s.id][0] + f", {s.ledger}" * (named[s.id] in several and bool(s.ledger)) for s in sets}


def table1(context: ReportContext) -> Table:
    """Table 1 as printed: every number is a claim."""

    def column(i: str, title: str, group: str = "", **kw) -> Column:
        return Column(i, title, origin="claimed", group=group, **kw)

    columns = (
        Column("dataset", "Data set"),
        column("classes", "Classes", numeric=True, key="beside"),
        column("instances", "Instances", numeric=True, key="beside"),
        column("light", "Light"),
        column("distance", "Distance"),
        *(column(m, TITLES[m], "Resolution") for m in RECORDED),
    )
    t = context.benchmark.table1
    rows = tuple(
        Row(
            r.dataset,
            {
                "dataset": Cell(r.dataset),
                "classes": _claim(str(r.classes), r.classes),
                "instances": _claim(f"{r.instances:,}", r.instances),
                "light": _claim(r.light),
                "distance": _claim(r.distance),
                **{
                    m: _claim(getattr(r, m)) if getattr(r, m) else missing(f.DASH, "has no such stream", "claimed")
                    for m in RECORDED
                },
            },
        )
        for r in t.rows
    )
    return Table(
        "table1",
        "Table 1. Gesture data sets, as printed",
        "Claimed values only; the data at hand is below.",
        columns,
        rows,
        (t.note,) if t.note else (),
        sources_of(context, t.source),
    )


def _claim(text: str, value: float | None = None) -> Cell:
    return Cell(text, value, origin="claimed")


def measured_table(context: ReportContext, sets: Sequence[ClipSet]) -> Table:
    """The rows of Table 1 for the data at hand, counted from its files."""
    titles = set_titles(context, sets)

    def column(i: str, title: str, group: str = "", **kw) -> Column:
        return Column(i, title, origin="measured", group=group, **kw)

    columns = (
        Column("dataset", "Data set"),
        column("classes", "Classes", numeric=True, key="beside"),
        column("clips", "Clips", numeric=True, key="beside"),
        column("subjects", "Subjects", numeric=True, key="beside"),
        column("light", "Light"),
        *(column(m, TITLES[m], "Resolution") for m in RECORDED),
    )
    rows = []
    for found in sets:
        s, declared = found.about, context.benchmark.datasets[found.dataset]
        rows.append(
            Row(
                found.id,
                {
                    "dataset": Cell(titles[found.id], sub="synthetic" if found.synthetic else ""),
                    "classes": _number(_size(s.get("classes"))),
                    "clips": _number(_size(s.get("clips"))),
                    "subjects": _number(_size(s.get("subjects"))),
                    "light": _words(" and ".join(_lights(s)) or (declared.lighting if s.get("rgb") else "")),
                    **{
                        m: _words(_resolution(s, m), "none at hand" if "clips" in s else "not measured")
                        for m in RECORDED
                    },
                },
            )
        )
    return Table(
        "data",
        "The data at hand, measured",
        "Counted and measured from the files that the runs read.",
        columns,
        tuple(rows),
    )


def _number(value: int | None) -> Cell:
    return (
        missing(f.DASH, "not measured", "measured") if value is None else Cell(f"{value:,}", value, origin="measured")
    )


def _words(text: str, reason: str = "not measured") -> Cell:
    return Cell(text, origin="measured") if text else missing(f.DASH, reason, "measured")


def _size(value: Any) -> int | None:
    """A count given as a number or as the list of things counted."""
    return len(value) if isinstance(value, (list, tuple, dict)) else value


def _lights(s: Mapping[str, Any]) -> list[str]:
    return [light for light in s.get("rgb", {}) if light]


def _resolution(s: Mapping[str, Any], modality: str) -> str:
    size = s.get("resolution", {}).get(modality)
    if not size:
        return ""
    others = s.get("other_resolution", {}).get(modality, {})
    return with_others(" × ".join(map(str, size)), {k.replace(" x ", " × "): n for k, n in others.items()})
