"""The page about the translator: how good pseudo-infrared is, in numbers and in pictures,
beside what needs no training.

Everything was measured and drawn when the clips were rendered; here records are read and pictures copied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.ledger.record import RunRecord
from reports import format as f
from reports.ledger.adopted import MARK, adopted_note, adopted_runs
from reports.ledger.config import section
from reports.ledger.context import ReportContext
from reports.ledger.strips import png_size, read_strips
from reports.page import Page, View
from reports.stats.training import mean_std
from reports.tables.table import MEASURED, Cell, Column, Link, Row, Table, marked, missing

KINDS = {
    "luminance": "Luminance",
    "inverted": "Inverted luminance",
    "gamma": "Brightened luminance",
    "random": "Generator with random weights",
}
TRAINED = "Trained translator"
BASELINES = "Trained translators come first; those that have learnt nothing are what they must be better than."
PSEUDO, INFRARED = "pseudo-infrared", "infrared"
MEASURED_BY = "pseudo_ir"  # prefix of the measures of a rendering of pseudo-infrared
MEASURES = (  # name, title, whether less is better, explanation
    (
        "ir_correlation",
        "Correlation with infrared",
        False,
        "of grey levels at 16 × 16 pixels, per frame; 1 is equal up to brightness and contrast",
    ),
    (
        "ir_distance",
        "Distance to infrared",
        True,
        "mean absolute difference of grey levels at 16 × 16 pixels, from 0 to 1",
    ),
    (
        "ir_histogram",
        "Histogram distance",
        True,
        "earth mover's distance of the grey levels, from 0 to 1; where things are does not count",
    ),
    (
        "flicker",
        "Flicker",
        True,
        "mean change from frame to frame over the clip's standard deviation, relative "
        "to the RGB clip; best near infrared's own",
    ),
)


@dataclass(frozen=True)
class Rendering:
    """One translator's pictures of a data set. ``strips``: clip -> (file, what its rows show)."""

    key: str
    title: str
    record: RunRecord
    page: str
    strips: dict[str, tuple[Path, list[str]]]
    left_out: str = ""  # pictures, and why

    @property
    def trained(self) -> bool:
        """Whether it is known to have learnt something: from a run of these, or as its kind says."""
        return bool(self.record.identity.parents) or self.title == TRAINED


@dataclass(frozen=True)
class Line:
    """One row of pictures: a part of an image."""

    label: str
    href: str
    at: float  # where the row lies in the image, percent as CSS has it
    ratio: float  # width over height of the row


@dataclass(frozen=True)
class Clip:
    clip_id: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class DatasetView:
    title: str
    table: Table
    clips: tuple[Clip, ...]
    untrained: bool  # some of its translators have learnt nothing


def build(context: ReportContext) -> Iterator[Page]:
    views: list[DatasetView] = []
    files: dict[Path, str] = {}
    for dataset in context.benchmark.datasets:
        found = renderings(context, dataset)
        if found:
            shown = _of_the_same_clips(found)
            table = _table(context, dataset, shown, len(found) - len(shown))
            untrained = any(r.title in KINDS.values() for r in shown)
            views.append(DatasetView(context.clips.title(dataset), table, _clips(shown, files), untrained))
    if views:
        yield Page(
            "translator.html",
            "translator.html.j2",
            {"datasets": views, "untrained": any(v.untrained for v in views)},
            tables=tuple(v.table for v in views),
            files={place: file for file, place in files.items()},
        )


def has_renderings(context: ReportContext) -> bool:
    """Whether a translator's pictures are behind a number of these pages."""
    return any(_is_rendering(context, record) for record in context.ledger.shown_records)


def _is_rendering(context: ReportContext, record: RunRecord) -> bool:
    """Whether a run rendered pseudo-infrared; other renderings, as of optical flow, measure other things."""
    of_another = record.measurements and not any(name.startswith(f"{MEASURED_BY}/") for name in record.measurements)
    return record.status == "done" and context.renders(record) and not of_another


def renderings(context: ReportContext, dataset: str) -> list[Rendering]:
    """The renderings behind the runs of these pages, the trained translators first."""
    found = []
    pictures = context.benchmark.datasets[dataset].pictures
    for record in context.ledger.shown_records:
        key, page = record.key, context.ledger.pages[record.key]
        folder = context.ledger.records[key][0]
        if _is_rendering(context, record) and record.cell.dataset == dataset:
            strips = read_strips(folder) if pictures else ({}, "")
            found.append(Rendering(key, _title(context, record), record, page, *strips))
    order = list(KINDS.values())  # what has learnt nothing comes last
    at = {r.key: order.index(r.title) if r.title in order else -1 - r.trained for r in found}
    return sorted(found, key=lambda r: (at[r.key], r.title, r.key))


def _of_the_same_clips(found: list[Rendering]) -> list[Rendering]:
    """The most renderings that are of the same clips, and of as many sets of them the one without a variant: those of
    other light or of fewer training clips are other experiments."""
    sets: dict[str, list[Rendering]] = {}
    for r in found:
        sets.setdefault(r.record.data.fingerprint if r.record.data is not None else "", []).append(r)
    return max(sets.values(), key=lambda same: (len(same), any(not r.record.cell.variant for r in same)))


def _title(context: ReportContext, record: RunRecord) -> str:
    """How a rendering's translator is called: by its metafile (``Metadata.Translator``), or by its kind."""
    for parent in _parents(context, record):
        entry = context.entries.get(parent.cell.model)
        if entry is not None and entry.metadata.get("Translator"):
            return str(entry.metadata["Translator"])
    model = section(record.identity.config, "model")
    kind = str(model.get("type"))
    if kind == "TrivialTranslator":
        trivial = str(model.get("kind", "luminance"))
        return KINDS.get(trivial, trivial)
    return TRAINED if kind == "TrainedTranslator" else kind


def _columns() -> tuple[Column, ...]:
    why = (
        "of a frozen network, trained on infrared and tested on this instead; mean over its seeds ± standard deviation"
    )
    return (
        Column("translator", "Translator"),
        *(
            Column(name, title, MEASURED, numeric=True, ascending=less, explain=explain)
            for name, title, less, explain in MEASURES
        ),
        Column("frozen", "Infrared network's top-1 (%)", MEASURED, numeric=True, explain=why),
    )


def _infrared(context: ReportContext, own: list[RunRecord], found: list[Rendering]) -> Row:
    """The true infrared, that the frozen networks' ``own`` runs were tested on, for comparison."""
    seen = next((r.record for r in found if r.record.measurements.get("pseudo_ir/ir_flicker") is not None), None)
    flicker = seen.measurements["pseudo_ir/ir_flicker"] if seen is not None else None
    cells = {"translator": Cell("Infrared itself")}
    cells |= {name: missing(f.DASH, "compared with itself", MEASURED) for name, *_ in MEASURES}
    cells |= marked({"flicker": _number(flicker)}, _mark(context, [seen] if seen is not None else []))
    cells["frozen"] = _accuracy(context, own, "no frozen network was tested")
    return Row("infrared", cells, "For comparison")


def _table(context: ReportContext, dataset: str, found: list[Rendering], left_out: int) -> Table:
    tests = _frozen_tests(context)
    rows = []
    for r in found:
        cells = {"translator": Cell(r.title, sub=_made(context, r), href=r.page)}
        measured = {name: _number(r.record.measurements.get(f"{MEASURED_BY}/{name}")) for name, *_ in MEASURES}
        cells |= marked(measured, _mark(context, [r.record]))
        cells["frozen"] = _accuracy(context, tests.get(r.key, []), "no frozen network was tested on it")
        rows.append(Row(r.key[:12], cells))
    tested = {p.key: p for many in tests.values() for t in many for p in _parents(context, t) if p.metrics is not None}
    own = sorted((p for p in tested.values() if p.cell.dataset == dataset), key=lambda p: (p.cell.seed, p.key))
    rows.append(_infrared(context, own, found))
    tested_on = [t for r in found for t in tests.get(r.key, [])]
    adopted = adopted_note(_adopted(context, [*own, *(r.record for r in found), *tested_on]))
    return Table(
        f"translator_{dataset}",
        f"Pseudo-infrared of {context.clips.title(dataset)}",
        (
            "Means over the clips of the test split, whose people no network has seen. The infrared camera stands "
            "beside the RGB one, so pictures are compared at 16 × 16 pixels."
        ),
        _columns(),
        tuple(rows),
        (
            *(
                [BASELINES]
                if {r.trained for r in found if r.trained or r.title in KINDS.values()} == {True, False}
                else []
            ),
            *([f"Left out: {f.count(left_out, 'rendering')} of other light or fewer clips."] if left_out else []),
            *([adopted] if adopted else []),
        ),
        (),
        context.clips.comparability(dataset, claimed=False),
    )


def _adopted(context: ReportContext, behind: Sequence[RunRecord]) -> list[RunRecord]:
    """The adopted runs among these and their stages."""
    records = {key: record for key, (_, record) in context.ledger.records.items()}
    return [a for r in behind for a in adopted_runs(r.key, records)]


def _mark(context: ReportContext, behind: Sequence[RunRecord]) -> str:
    return MARK * bool(_adopted(context, behind))


def _made(context: ReportContext, r: Rendering) -> str:
    """What a rendering was made with, in few words."""
    model = section(r.record.identity.config, "model")
    parents = [p.cell.model for p in _parents(context, r.record)]
    brightened = model.get("pre_enhance", "none")
    made = ", ".join([*parents, f"input: {brightened}" if brightened != "none" else "input as it is"])
    return "; ".join(filter(None, (made, r.left_out)))


def _frozen_tests(context: ReportContext) -> dict[str, list[RunRecord]]:
    """Rendering -> the tests on it of networks that were trained before, by seed."""
    found: dict[str, list[RunRecord]] = {}
    for record in context.ledger.shown_records:
        if record.kind == "render" and record.metrics is not None:
            for parent in _parents(context, record):
                if _is_rendering(context, parent):
                    found.setdefault(parent.key, []).append(record)
    return {key: sorted(many, key=lambda r: r.cell.seed) for key, many in found.items()}


def _parents(context: ReportContext, record: RunRecord) -> list[RunRecord]:
    """The runs that a run stands on, as far as the ledger has them."""
    records = context.ledger.records
    return [records[key][1] for key in record.identity.parents.values() if key in records]


def _accuracy(context: ReportContext, records: Sequence[RunRecord], why: str) -> Cell:
    if not records:
        return missing(f.DASH, why, MEASURED)
    mean, std = mean_std([r.metrics.top1 for r in records if r.metrics is not None])
    digits = f.percent_digits(max((r.data.test_clips for r in records if r.data is not None), default=0))
    pages = [(r, context.ledger.pages[r.key]) for r in records if r.key in context.ledger.pages]
    return Cell(
        f.percent(mean, digits) + (f" ± {f.percent(std, digits)}" if std is not None else ""),
        100 * mean,
        sub=f"n = {len(records)}",
        links=tuple(Link(f"s{r.cell.seed}", page, f"run page of seed {r.cell.seed}") for r, page in pages),
        origin=MEASURED,
        mark=_mark(context, records),
    )


def _number(value: float | None) -> Cell:
    if value is None:
        return missing(f.DASH, "not measured", MEASURED)
    return Cell(f"{value:.3f}".replace("-", "\u2212"), value, origin=MEASURED)


def _clips(found: list[Rendering], files: dict[Path, str]) -> tuple[Clip, ...]:
    """The clips of the first rendering: its whole strip, with the pseudo-infrared of the others in it."""
    first, *others = found
    clips = []
    for clip_id, (file, rows) in first.strips.items():
        names = {PSEUDO: f"{PSEUDO}: {_small(first.title)}"}
        lines = [_line(names.get(row, row), file, rows, row, files) for row in rows]
        between = [
            _line(f"{PSEUDO}: {_small(o.title)}", *o.strips[clip_id], PSEUDO, files)
            for o in others
            if clip_id in o.strips and PSEUDO in o.strips[clip_id][1]
        ]
        place = rows.index(INFRARED) if INFRARED in rows else len(rows)
        clips.append(Clip(clip_id, (*lines[:place], *between, *lines[place:])))
    return tuple(clips)


def _small(title: str) -> str:
    """A title within a sentence: names with capitals in them (of classes, say) stay."""
    first = title.split(" ")[0]
    return title if first[1:] != first[1:].lower() else title[:1].lower() + title[1:]


def _line(label: str, file: Path, rows: list[str], row: str, files: dict[Path, str]) -> Line:
    href = files.setdefault(file, f"images/strips/{f.slug(file.parents[1].name)}/{f.slug(file.name)}")
    width, height = png_size(file)
    last = len(rows) - 1
    return Line(label, href, 100 * rows.index(row) / last if last else 0.0, width * len(rows) / height)


VIEW = View("Translator", 52, build, shown=has_renderings, menu="Data")
