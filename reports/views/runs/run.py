"""What is known of a run beyond its record: its stages, who uses it, its charts and predictions."""

from __future__ import annotations

import json
from dataclasses import dataclass

from harness.ledger.record import RunRecord
from reports.ledger.adopted import adopted_runs, reasons_text
from reports.ledger.context import ReportContext
from reports.ledger.ledger import Ledger
from reports.ledger.training import train_seconds
from reports.plots.line_chart import Chart, training_charts
from reports.views.runs.predictions import Predictions, summarise

OLDER = "older config, code or data"


@dataclass(frozen=True)
class Parent:
    stage: str
    key: str
    page: str  # "" where the ledger has no such record
    name: str


@dataclass(frozen=True)
class RunView:
    """One run page."""

    record: RunRecord
    name: str  # of its folder
    page: str
    stage: str  # its declared title
    charts: list[Chart]
    predictions: Predictions | None
    parents: tuple[Parent, ...]
    children: tuple[Parent, ...]
    used_by: tuple[str, ...]  # tables and figures
    state: str  # "" for a run that a number is made of, else why none is: OLDER, or another start
    synthetic: tuple[str, ...] | None  # data sets that it or its stages saw
    adopted: tuple[RunRecord, ...]  # which of it and its stages were adopted
    adopted_page: str  # of the run that it was adopted from, "" where the ledger has it no more
    provisional: bool  # nothing says how another training would have come out
    train_seconds: float | None  # its own and those of its stages
    config: str  # pretty JSON

    @property
    def adopted_stages(self) -> str:
        """The adopted stages that it depends on, and why they were adopted."""
        return reasons_text(r for r in self.adopted if r.key != self.record.key)

    @property
    def csv(self) -> str:
        """The download of its predictions, in the site."""
        return self.page.removesuffix(".html") + ".csv"


def run_views(context: ReportContext) -> list[RunView]:
    """Views of all runs that have a page, in the order of their pages."""
    ledger = context.ledger
    used: dict[str, list[str]] = {}
    for run in ledger.runs:
        used.setdefault(run.cell.key, []).extend(ledger.used_by[run.cell.id])
    known = {key: record for key, (_, record) in ledger.records.items()}
    older = {run.record.key for r in ledger.results.values() if r.older for run in r.runs if run.record is not None}
    children: dict[str, list[Parent]] = {}
    for key, page in ledger.pages.items():
        directory, record = ledger.records[key]
        for stage, parent in record.identity.parents.items():
            children.setdefault(parent, []).append(Parent(stage, key, page, directory.name))
    views = []
    for key, page in sorted(ledger.pages.items(), key=lambda item: item[1]):
        directory, record = ledger.records[key]
        views.append(
            RunView(
                record=record,
                name=directory.name,
                page=page,
                stage=context.stage(record.cell),
                charts=training_charts(record.epochs),
                predictions=_predictions(ledger, key, record),
                parents=tuple(
                    Parent(
                        stage,
                        parent,
                        ledger.pages.get(parent, ""),
                        ledger.records[parent][0].name if parent in ledger.records else parent[:12],
                    )
                    for stage, parent in record.identity.parents.items()
                ),
                children=tuple(sorted(children.get(key, []), key=lambda c: c.name)),
                used_by=tuple(dict.fromkeys(used.get(key, []))),
                state="" if key in ledger.shown and key not in older else _left_out(ledger, key),
                synthetic=ledger.synthetic[key],
                adopted=adopted_runs(key, known),
                adopted_page=ledger.pages.get(record.adopted_from, ""),
                provisional=record.cell.dataset not in ledger.training,
                train_seconds=train_seconds(key, known),
                config=json.dumps(record.identity.config, indent=2, sort_keys=True, ensure_ascii=False),
            )
        )
    return views


def _left_out(ledger: Ledger, key: str) -> str:
    """Why no number is made of a run."""
    other = ledger.other_start.get(key, "")
    return f"not the profile's start (--init {other})" if other and key not in ledger.shown else OLDER


def _predictions(ledger: Ledger, key: str, record: RunRecord) -> Predictions | None:
    if key not in ledger.predictions:
        return None
    classes = record.data.classes if record.data else []
    return summarise(ledger.predictions[key], classes, ledger.training.get(record.cell.dataset))
