"""The data page: Table 1 as printed, the data at hand as measured, and Figure 4's brightness of the colour frames.

Nothing printed stands beside clips that only have the layout of a data set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.suite.modalities import RECORDED, TITLES
from reports import format as f
from reports.ledger.context import ReportContext
from reports.page import Card, Page, View
from reports.plots import bar_charts as plots
from reports.plots.drawing import Drawing, to_files
from reports.tables.columns import sources_of
from reports.tables.table import Cell, Column, Row, Table, missing


@dataclass(frozen=True)
class DatasetView:
    id: str
    title: str
    synthetic: bool
    facts: list[tuple[str, str]]
    plots: Sequence[tuple[str, str]]  # (title, SVG)
    sheet: str  # image, "" for none
    problem: str = ""  # why nothing was measured
    left_out: tuple[str, ...] = ()  # what could not be read
    unmade: str = ""  # which parts of a synthetic set are not made yet


def build(context: ReportContext) -> Iterator[Page]:
    sheets = _contact_sheets(context)
    datasets = [_dataset(context, d, sheets) for d in _at_hand(context)]
    made = [d.title for d in datasets if d.synthetic]
    others = any(_title(context, d) != declared.title for d, declared in context.benchmark.datasets.items())
    lede = "What the numbers were measured on" + ("." if others else ", beside the data sets that the draft compares.")
    if made:
        lede += f" {' and '.join(made)} at hand are synthetic: real video files in the real layout, "
        lede += "of people who do not exist."
    printed, measured = None if others else table1(context), measured_table(context)
    light = _light(context)
    yield Page(
        "data.html",
        "data.html.j2",
        {
            "lede": lede,
            "table1": printed,
            "measured": measured,
            "any_measured": any(d.facts for d in datasets),
            "light": light.svg if light else "",
            "figure": "" if others else "Figure 4. ",
            "notes": tuple(filter(None, (context.clips.synthetic_note(d.id) for d in datasets))),
            "datasets": datasets,
        },
        tables=(measured,) if printed is None else (printed, measured),
        files={**{f"images/{sheet.name}": sheet for sheet in sheets.values()}, **_files(context, light)},
        card=Card(
            "The data at hand",
            "What was measured on."
            if others
            else "Table 1 and Figure 4: what was measured on, beside the published data sets.",
            image=next((d.sheet for d in datasets if d.sheet), ""),
            alt="Contact sheet of the data at hand",
        ),
    )


def _at_hand(context: ReportContext) -> list[str]:
    """The data sets that a plan or a run measures, or that are there; all, where none is."""
    there = [d for d in context.benchmark.datasets if d in context.datasets or context.statistics.get(d)]
    return there or list(context.benchmark.datasets)


def _files(context: ReportContext, light: Drawing | None) -> dict[str, bytes]:
    """Figure 4 to take away."""
    if light is None:
        return {}
    measured = [d for d in context.benchmark.datasets if context.statistics.get(d, {}).get("rgb")]
    made = (f"{_title(context, d)}{_synthetic(context.statistics[d])}" for d in measured)
    note = f"{', '.join(made)} · measured from the files that the runs read · commit {context.stamp}"
    return {f"downloads/figure4.{kind}": content for kind, content in to_files(light, note).items()}


def _title(context: ReportContext, dataset: str) -> str:
    """What the clips at hand are called; where nothing is known of them, the data set whose place they would have."""
    s, declared = context.statistics.get(dataset, {}), context.benchmark.datasets[dataset]
    if "classes" not in s or s.get("synthetic"):
        return context.clips.title(dataset)
    return declared.title_of_others if declared.is_other(len(s["classes"]), s["subjects"]) else declared.title


def _synthetic(s: Mapping[str, Any]) -> str:
    return " (synthetic)" if s.get("synthetic") else ""


def _contact_sheets(context: ReportContext) -> dict[str, Path]:
    """Data set -> contact sheet of the data at hand in one of the work dirs,
    as ``data synthesize`` and ``run-all`` write them."""
    found = {}
    for dataset, declared in context.benchmark.datasets.items():
        sheets = [w / f"contact_sheet_{dataset}.png" for w in context.ledger.work_dirs]
        sheet = next((s for s in sheets if s.is_file()), None)
        known = context.statistics.get(dataset, {"problem": "not measured"})
        if sheet is not None and not known.get("problem") and declared.pictures:
            found[dataset] = sheet
    return found


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


def measured_table(context: ReportContext) -> Table:
    """The row of Table 1 for the data at hand, counted from its files."""

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
    for dataset in _at_hand(context):
        s, declared = context.statistics.get(dataset, {}), context.benchmark.datasets[dataset]
        rows.append(
            Row(
                dataset,
                {
                    "dataset": Cell(_title(context, dataset), sub="synthetic" if s.get("synthetic") else ""),
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


def _lights(s: dict[str, Any]) -> list[str]:
    return [light for light in s.get("rgb", {}) if light]


def _resolution(s: dict[str, Any], modality: str) -> str:
    size = s.get("resolution", {}).get(modality)
    return " × ".join(str(v) for v in size) if size else ""


def _light(context: ReportContext) -> Drawing | None:
    """Figure 4 for the data at hand: one bar per data set and lighting, coloured by the lighting: that of the clips, or
    else what the benchmark declares for the data set."""
    means, stds, lighting = [], [], []
    for dataset, declared in context.benchmark.datasets.items():
        for light, values in context.statistics.get(dataset, {}).get("rgb", {}).items():
            title = _title(context, dataset)
            label = f"{title} ({light})" if light else title
            means.append((label, float(values["mean"])))
            stds.append((label, float(values["std"])))
            lighting.append(light or declared.lighting)
    if not means:
        return None
    return plots.bars(
        [("RGB mean", means), ("RGB standard deviation", stds)],
        lighting,
        "light",
        "Mean and standard deviation of the colour frames",
    )


def _dataset(context: ReportContext, dataset: str, sheets: Mapping[str, Path]) -> DatasetView:
    s = context.statistics.get(dataset, {})
    title = _title(context, dataset)
    drawn = []
    for key, name in (("clips_per_class", "Clips per class"), ("clips_per_subject", "Clips per subject")):
        if s.get(key):
            ordered = sorted(s[key].items(), key=lambda item: f.natural(item[0]))
            drawn.append((name, plots.counts(ordered, f"{dataset}-{key}", f"{name}, {title}").svg))
    lengths = s.get("lengths") or []
    if len(set(lengths)) > 1:
        counts, edges = np.histogram(np.asarray(lengths, dtype=float), bins=12)
        name = f"Clip length, {title}"
        svg = plots.histogram(edges.tolist(), counts.tolist(), "frames", f"{dataset}-lengths", name).svg
        drawn.append(("Clip length", svg))
    synthetic = bool(s.get("synthetic", context.clips.synthetic(dataset)))
    facts = [(k, v) for k, v in _facts(s) if v] if not s.get("problem") else []
    return DatasetView(
        dataset,
        title,
        synthetic,
        facts,
        drawn,
        f"images/{sheets[dataset].name}" if dataset in sheets else "",
        s.get("problem", ""),
        tuple(s.get("left_out", ())),
        s.get("unmade", ""),
    )


def _facts(s: dict[str, Any]) -> list[tuple[str, str]]:
    """What is known of a data set, in words."""

    def several(key: str) -> str:
        return ", ".join(f"{k} {v:,}" for k, v in s.get(key, {}).items())

    made = f"version {s.get('generator_version')}, seed {s.get('seed')}" if s.get("generator_version") else ""
    rates = ", ".join(f"{TITLES.get(m, m)} {v:g}" for m, v in s.get("fps", {}).items())
    lengths = s.get("lengths")
    return [
        ("Clips", f"{s['clips']:,}" if "clips" in s else ""),
        ("In quarantine, not counted here", f"{s['quarantined']:,}" if s.get("quarantined") else ""),
        ("By split", several("clips_per_split")),
        ("By lighting", several("clips_per_lighting")),
        ("Subjects", str(s.get("subjects", ""))),
        ("Scenes", str(len(s.get("clips_per_scene", {})) or "")),
        ("Frames per second", rates),
        ("Frames per clip", _lengths(lengths or [])),
        ("Length in all", f.seconds(s["seconds"]) if "seconds" in s else ""),
        ("Made by generator", made),
        ("Classes", ", ".join(map(str, s.get("classes", [])))),
    ]


def _lengths(lengths: Sequence[int]) -> str:
    low, high = min(lengths, default=0), max(lengths, default=0)
    return f"{low}, every clip" if low == high and lengths else f"{low} to {high}" if lengths else ""


VIEW = View("Data", 50, build)
