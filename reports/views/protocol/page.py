"""The protocol page: what the paper prescribes, and what the runs really used."""

from __future__ import annotations

from collections.abc import Iterator

from reports import format as f
from reports.ledger.context import ReportContext
from reports.ledger.training import origin
from reports.page import Page, View
from reports.stats.intervals import DRAWS
from reports.tables.settings import settings, started_from
from reports.tables.table import Cell, Column, Link, Row, Table
from reports.views.protocol.interpretations import used_interpretations

PAPER = (
    ("Frames", "32 per clip, uniformly in time"),
    ("Frame size", "resized to 256 × 256"),
    ("Crop", "224 × 224, random in training, centre in test"),
    ("Batch size", "32"),
    ("Epochs", "80"),
    ("Optimiser", "SGD, learning rate 0.0001"),
    ("Schedule", "× 0.1 after 20 epochs"),
    ("Loss weights", "alpha 0.9, beta 0.3"),
)


def build(context: ReportContext) -> Iterator[Page]:
    used = used_protocol(context)
    yield Page(
        "protocol.html",
        "protocol.html.j2",
        {
            "trainings": _trainings(context),
            "paper": PAPER,
            "used": used,
            "draws": DRAWS,
            "interpretations": used_interpretations(context),
        },
        tables=(used,),
    )


def _trainings(context: ReportContext) -> list[str]:
    """How much accuracy varies between trainings, per data set, in words."""
    return [
        f"{context.clips.title(d)}: {100 * t.std:.1f} points, {f.count(t.freedom, 'degree')} of freedom, "
        f"from {origin(t)}."
        for d, t in context.ledger.training.items()
    ]


def used_protocol(context: ReportContext) -> Table:
    """What the runs used, read from their resolved configs; configs with the same settings share a row."""
    columns = (
        Column("stage", "Stage"),
        Column("frames", "Frames", numeric=True),
        Column("size", "Size"),
        Column("crop", "Crop", paper=False),
        Column("batch", "Batch", numeric=True),
        Column("epochs", "Epochs", numeric=True),
        Column("optimiser", "Optimiser"),
        Column("schedule", "Schedule"),
        Column("weights", "Pretrained weights"),
        Column("models", "Configs", paper=False),
    )
    found: dict[tuple, tuple[dict[str, Cell], dict[str, str]]] = {}
    for record in context.ledger.shown_records:
        page = context.ledger.pages[record.key]
        cells = {
            "stage": Cell(context.stage(record.cell)),
            **settings(record.identity.config),
            "weights": Cell(started_from(record)),
        }
        _, models = found.setdefault(tuple(c.text for c in cells.values()), (cells, {}))
        models.setdefault(record.cell.model, page)
    rows = [
        Row(
            str(i),
            cells
            | {"models": Cell(f.count(len(models), "config"), links=tuple(Link(m, p) for m, p in models.items()))},
        )
        for i, (cells, models) in enumerate(found.values())
    ]
    return Table(
        "protocol",
        "What the runs used",
        "Read from the resolved configs of the runs on these pages.",
        columns,
        tuple(rows),
    )


VIEW = View("Protocol", 80, build)
