"""What is known of a run beyond its record: its stages, who uses it, its charts and predictions."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter

from harness.ledger.record import Epoch, RunRecord
from reports import format as f
from reports.ledger.adopted import adopted_runs, reasons_text
from reports.ledger.answers import Answers
from reports.ledger.clip_pictures import ClipPictures, PicturedClip
from reports.ledger.context import ReportContext
from reports.ledger.kinds import Banner
from reports.ledger.ledger import Ledger
from reports.ledger.log import Log, log_digest, read_log
from reports.ledger.privacy import Privacy
from reports.ledger.shared import epochs_of
from reports.ledger.training import train_seconds
from reports.plots.line_chart import Chart, training_charts
from reports.stats.intervals import accuracy_interval
from reports.stats.training import Training
from reports.tables.method_cells import anchor
from reports.views.runs.predictions import Predictions, summarise, tested

OLDER = "older config, code or data"
EPOCHS = TypeAdapter(list[Epoch])
NAMED = 12  # further runs of a cell that a page names; the others are counted


class Parent(NamedTuple):
    stage: str
    key: str
    page: str  # "" where the ledger has no such record
    name: str


class Sibling(NamedTuple):
    """Another run of the same cell. ``state`` as that of its page. ``key``: its head, "" where the seed tells."""

    name: str
    page: str
    seed: int
    said: str  # its accuracy, or what became of it
    state: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """How many of a run's test clips are right, with the 95 % interval of the accuracy, as on every page."""

    clips: int
    right: int
    interval: tuple[float, float] | None  # None where all of them are right, or none

    @property
    def text(self) -> str:
        """The interval as the page of the run says it."""
        if self.interval is None:
            return "no interval"
        low, high = self.interval
        return f"95 % interval {f.percent(low)} to {f.percent(high)}"


@dataclass(frozen=True, slots=True)
class RunView:
    """What lists say of a run, and what its page follows from beside the files of the run (``RunDetails``)."""

    record: RunRecord
    name: str  # of its folder
    page: str
    stage: str  # its declared title
    method: str  # address of the method, "" where it has no folder
    banner: Banner
    dataset: str  # title of the data set
    data_name: str  # of what it read, "" where it does not say
    scored: Scored | None
    parents: tuple[Parent, ...]
    children: tuple[Parent, ...]
    siblings: tuple[Sibling, ...]  # the first of them
    more_siblings: int
    log_digest: str  # of the log that the page shows, "" for none
    pictures: tuple[PicturedClip, ...]  # of its hardest clips, where there are any
    used_by: tuple[str, ...]  # tables and figures
    shown: bool  # a table or figure shows a number of it
    state: str  # "" for a run of what the last plan asks for, else what it is: OLDER, or of another start
    synthetic: tuple[str, ...] | None  # data sets that it or its stages saw
    adopted: tuple[RunRecord, ...]  # which of it and its stages were adopted
    adopted_page: str  # of the run that it was adopted from, "" where the ledger has it no more
    provisional: bool  # nothing says how another training would have come out
    train_seconds: float | None  # its own and those of its stages

    @property
    def adopted_stages(self) -> str:
        """The adopted stages that it depends on, and why they were adopted."""
        return reasons_text(r for r in self.adopted if r.key != self.record.key)

    @property
    def csv(self) -> str:
        """The download of its predictions, in the site."""
        return self.page.removesuffix(".html") + ".csv"

    @property
    def log_file(self) -> str:
        """Its log, in the site."""
        return self.page.removesuffix(".html") + ".log.txt"

    def made_from(self) -> str:
        """Equal where the page is: of the record and of those adopted the seals stand for the content, and an interval
        counts as it is said: each new run changes all of them a little, by how much trainings vary."""
        own = [getattr(self, f.name) for f in fields(self) if f.name not in ("record", "adopted", "scored")]
        said = (self.scored.clips, self.scored.right, self.scored.text) if self.scored else ()
        return repr([self.record.seal, *own, said, *((a.key, a.seal) for a in self.adopted)])


@dataclass(frozen=True)
class RunDetails:
    """What is read of a run when its page is written, and not kept."""

    epochs: list[Epoch]
    charts: list[Chart]
    predictions: Predictions | None
    log: Log | None


def details(folder: Path, own: Privacy, run: RunView) -> RunDetails:
    """Read them. Raises ValueError where the run was made anew meanwhile."""
    r = run.record
    epochs = EPOCHS.validate_python([e | {"losses": own.all(e.get("losses", {}))} for e in epochs_of(folder, r)])
    predictions = None
    if run.scored is not None:
        predictions = summarise(tested(folder), r.data.classes if r.data else [], listed=run.shown)
    return RunDetails(
        epochs=epochs,
        charts=training_charts(epochs),
        predictions=predictions,
        log=read_log(folder, own) if run.log_digest else None,
    )


def run_views(context: ReportContext, pictures: ClipPictures) -> list[RunView]:
    """Views of all runs that have a page, in the order of their pages."""
    ledger = context.ledger
    used: dict[str, list[str]] = {}
    for run in (*ledger.runs, *ledger.present_runs):
        used.setdefault(run.cell.key, []).extend(ledger.used_by[run.cell.id])
    known = {key: record for key, (_, record) in ledger.records.items()}
    children: dict[str, list[Parent]] = {}
    for key, page in ledger.pages.items():
        directory, record = ledger.records[key]
        for stage, parent in record.identity.parents.items():
            children.setdefault(parent, []).append(Parent(stage, key, page, directory.name))
    siblings = _siblings(ledger)
    methods = {entry.method for entry in context.entries.values()}
    views = []
    for key, page in sorted(ledger.pages.items(), key=lambda item: item[1]):
        directory, record = ledger.records[key]
        shown = key in ledger.on_tables
        views.append(
            RunView(
                record=record,
                name=directory.name,
                page=page,
                stage=context.stage(record.cell),
                method=f"methods.html#{anchor(record.cell.method)}" if record.cell.method in methods else "",
                banner=context.clips.banner_of(record),
                dataset=context.clips.clips_of(record),
                data_name=context.clips.data_name(record),
                scored=_scored(ledger.answers.get(key), ledger.training_of(record)),
                parents=tuple(_parent(ledger, *named) for named in record.identity.parents.items()),
                children=tuple(sorted(children.get(key, []), key=lambda c: c.name)),
                siblings=tuple(s for s in siblings[_cell(record)][: NAMED + 1] if s.page != page)[:NAMED],
                more_siblings=max(0, len(siblings[_cell(record)]) - 1 - NAMED),
                log_digest=log_digest(directory) if shown or record.status == "failed" else "",
                pictures=pictures.of_run(key) if shown and key in ledger.answers else (),
                shown=shown,
                used_by=tuple(dict.fromkeys(used.get(key, []))),
                state=_left_out(ledger, key),
                synthetic=ledger.synthetic[key],
                adopted=adopted_runs(key, known),
                adopted_page=ledger.pages.get(record.adopted_from, ""),
                provisional=ledger.training_of(record) is None,
                train_seconds=train_seconds(key, known),
            )
        )
    return views


def _parent(ledger: Ledger, stage: str, key: str) -> Parent:
    name = ledger.records[key][0].name if key in ledger.records else key[:12]
    return Parent(stage, key, ledger.pages.get(key, ""), name)


def _cell(record: RunRecord) -> tuple[str, str]:
    return record.cell.model, record.cell.variant


def _siblings(ledger: Ledger) -> dict[tuple[str, str], list[Sibling]]:
    """The runs of each cell, those that count first, by seed."""
    found: dict[tuple[str, str], list[Sibling]] = {}
    for key, page in ledger.pages.items():
        folder, r = ledger.records[key]
        digits = f.percent_digits(len(ledger.answers[key].test.clips) if key in ledger.answers else 0)
        said = f"{f.percent(r.metrics.top1, digits)} %" if r.metrics is not None else r.status
        sibling = Sibling(folder.name, page, r.cell.seed, said, _left_out(ledger, key))
        found.setdefault(_cell(r), []).append(sibling)
    return {
        cell: _told_apart(sorted(runs, key=lambda s: (bool(s.state), s.seed, s.name))) for cell, runs in found.items()
    }


def _told_apart(runs: list[Sibling]) -> list[Sibling]:
    """The runs of a cell, with the head of their keys where several have the same seed."""
    seeds = [s.seed for s in runs]
    return [s._replace(key=s.name[-12:]) if seeds.count(s.seed) > 1 else s for s in runs]


def _left_out(ledger: Ledger, key: str) -> str:
    """Why no number is made of a run, or what must be said with it; "" for a run of what the last plan asks for."""
    if key in ledger.shown:
        return OLDER if key in ledger.older else ""
    if other := ledger.other_start.get(key, ""):
        return f"not the profile's start (--init {other})"
    return "" if key in ledger.planned else OLDER


def _scored(answers: Answers | None, training: Training | None) -> Scored | None:
    if answers is None:
        return None
    correct = answers.correct
    interval = accuracy_interval(correct[None, :], answers.test.subjects, training)
    return Scored(len(correct), int(correct.sum()), interval)
