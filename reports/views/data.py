"""The data page: Table 1 as printed, the data at hand as measured, and Figure 4's brightness of the colour frames.

Nothing printed stands beside clips that only have the layout of a data set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import with_others
from harness.suite.modalities import TITLES
from reports import format as f
from reports.ledger.clip_sets import ClipSet
from reports.ledger.context import ReportContext
from reports.page import Card, Page, View
from reports.plots import bar_charts as plots
from reports.plots.drawing import Drawing, to_files
from reports.tables.data_sets import measured_table, set_titles, sets_at_hand, table1

PEOPLE = "real video files in the real layout, of people who do not exist."


@dataclass(frozen=True)
class SetView:
    id: str
    title: str
    synthetic: bool
    facts: list[tuple[str, str]]
    plots: Sequence[tuple[str, str]]  # (title, SVG)
    sheet: str  # image, "" for none
    alt: str  # what it shows
    problem: str = ""  # why nothing was measured
    left_out: tuple[str, ...] = ()  # what could not be read
    unmade: str = ""  # which parts of a synthetic set are not made yet


def build(context: ReportContext) -> Iterator[Page]:
    at_hand = sets_at_hand(context)
    sheets, titles = _contact_sheets(context, at_hand), set_titles(context, at_hand)
    sets = [_view(s, titles[s.id], sheets) for s in at_hand]
    others = any(context.clips.set_title(s) != context.benchmark.datasets[s.dataset].title for s in at_hand)
    printed, measured = None if others else table1(context), measured_table(context, at_hand)
    light = _light(context, at_hand, titles)
    measured_ids = dict.fromkeys(s.dataset for s in at_hand)
    yield Page(
        "data.html",
        "data.html.j2",
        {
            "lede": _lede(context, at_hand, others),
            "banner": context.clips.banner_of_sets(at_hand),
            "table1": printed,
            "measured": measured,
            "any_measured": any(s.facts for s in sets),
            "light": light.svg if light else "",
            "figure": "" if others else "Figure 4. ",
            "notes": tuple(filter(None, (context.clips.synthetic_note(d) for d in measured_ids))),
            "sets": sets,
        },
        tables=(measured,) if printed is None else (printed, measured),
        files={**{f"images/{_sheet_name(i)}": sheet for i, sheet in sheets.items()}, **_files(context, at_hand, light)},
        card=Card(
            "The data at hand",
            "What was measured on."
            if others
            else "Table 1 and Figure 4: what was measured on, beside the published data sets.",
            images={s.sheet: s.alt for s in sets if s.sheet},
        ),
    )


def _lede(context: ReportContext, sets: Sequence[ClipSet], others: bool) -> str:
    """What the page shows, and which of it is synthetic."""
    said = "What the numbers were measured on" + ("." if others else ", beside the data sets that the draft compares.")
    made = dict.fromkeys(context.clips.set_title(s) for s in sets if s.synthetic)
    if any(s.synthetic is False for s in sets) and made:
        return f"{said} What is marked synthetic is {PEOPLE}"
    return said + f" The clips of {' and '.join(made)} at hand are synthetic: {PEOPLE}" * bool(made)


def _files(context: ReportContext, sets: Sequence[ClipSet], light: Drawing | None) -> dict[str, bytes]:
    """Figure 4 to take away."""
    if light is None:
        return {}
    titles = set_titles(context, sets)
    made = (titles[s.id] + " (synthetic)" * bool(s.synthetic) for s in sets if s.about.get("rgb"))
    note = f"{', '.join(made)} · measured from the files that the runs read · commit {context.stamp}"
    return {f"downloads/figure4.{kind}": content for kind, content in to_files(light, note).items()}


def _contact_sheets(context: ReportContext, sets: Sequence[ClipSet]) -> dict[str, Path]:
    """Set -> its contact sheet, as ``data synthesize`` and ``run-all`` write them."""
    shown = (s for s in sets if context.benchmark.datasets[s.dataset].pictures)
    return {s.id: s.sheet for s in shown if s.sheet is not None}


def _sheet_name(i: str) -> str:
    return f"contact_sheet_{i}.png"


def _light(context: ReportContext, sets: Sequence[ClipSet], titles: Mapping[str, str]) -> Drawing | None:
    """Figure 4 for the data at hand: one bar per set and lighting, coloured by the lighting: that of the clips, or else
    what the benchmark declares for the data set. Where some are synthetic, these say so."""
    means, stds, lighting = [], [], []
    both = any(s.synthetic for s in sets) and any(s.synthetic is False for s in sets)
    for s in sets:
        for light, values in s.about.get("rgb", {}).items():
            said = ", ".join(filter(None, ("synthetic" * (both and bool(s.synthetic)), light)))
            label = f"{titles[s.id]} ({said})" if said else titles[s.id]
            means.append((label, float(values["mean"])))
            stds.append((label, float(values["std"])))
            lighting.append(light or context.benchmark.datasets[s.dataset].lighting)
    if not means:
        return None
    return plots.bars(
        [("RGB mean", means), ("RGB standard deviation", stds)],
        lighting,
        "light",
        "Mean and standard deviation of the colour frames",
    )


def _view(found: ClipSet, title: str, sheets: Mapping[str, Path]) -> SetView:
    s = found.about
    drawn = []
    for key, name in (("clips_per_class", "Clips per class"), ("clips_per_subject", "Clips per subject")):
        if s.get(key):
            places = {str(c): i for i, c in enumerate(s.get("classes", ()) if key == "clips_per_class" else ())}
            ordered = sorted(s[key].items(), key=lambda item: (places.get(item[0], len(places)), f.natural(item[0])))
            drawn.append((name, plots.counts(ordered, f"{found.id}-{key}", f"{name}, {title}").svg))
    lengths = s.get("lengths") or []
    if len(set(lengths)) > 1:
        counts, edges = np.histogram(np.asarray(lengths, dtype=float), bins=12)
        name = f"Clip length, {title}"
        svg = plots.histogram(edges.tolist(), counts.tolist(), "frames", f"{found.id}-lengths", name).svg
        drawn.append(("Clip length", svg))
    facts = [(k, v) for k, v in _facts(s) if v] if not s.get("problem") else []
    return SetView(
        found.id,
        title,
        bool(found.synthetic),
        facts,
        drawn,
        f"images/{_sheet_name(found.id)}" if found.id in sheets else "",
        f"Frames of {'synthetic ' * bool(found.synthetic)}{title} by class, lighting and modality",
        s.get("problem", ""),
        tuple(s.get("left_out", ())),
        s.get("unmade", ""),
    )


def _facts(s: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is known of a data set, in words."""

    def several(key: str) -> str:
        return ", ".join(f"{k} {v:,}" for k, v in s.get(key, {}).items())

    made = f"version {s.get('generator_version')}, seed {s.get('seed')}" if s.get("generator_version") else ""
    others = s.get("other_fps", {})
    rates = ", ".join(
        f"{TITLES.get(m, m)} {with_others(f'{v:g}', others.get(m, {}))}" for m, v in s.get("fps", {}).items()
    )
    lengths = s.get("lengths")
    return [
        ("Clips", f"{s['clips']:,}" if "clips" in s else ""),
        ("In quarantine, not counted here", f"{s['quarantined']:,}" if s.get("quarantined") else ""),
        ("By split", several("clips_per_split")),
        ("By lighting", several("clips_per_lighting")),
        ("Subjects", str(s.get("subjects", ""))),
        ("Scenes", str(len(s.get("clips_per_scene", {})) or "")),
        ("Frames per second", rates),
        ("Sizes and rates measured of", f"{s['probed']} clips of each modality" if s.get("probed") else ""),
        ("Frames per clip", _lengths(lengths or [])),
        ("Length in all", f.seconds(s["seconds"]) if "seconds" in s else ""),
        ("Made by generator", made),
        ("Classes", ", ".join(map(str, s.get("classes", [])))),
    ]


def _lengths(lengths: Sequence[int]) -> str:
    low, high = min(lengths, default=0), max(lengths, default=0)
    return f"{low}, every clip" if low == high and lengths else f"{low} to {high}" if lengths else ""


VIEW = View("Data", 50, build)
