"""The page of accuracy against cost: a figure and its table for each column of methods."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from reports.ledger.context import ReportContext
from reports.ledger.digits import digits_of
from reports.page import File, Page, View
from reports.plots.cost_charts import Mark, Panel, against_cost
from reports.plots.drawing import Drawing, file_writers
from reports.tables.cost import MEASURES, CostField, Measure, cost_fields, cost_table, hardware
from reports.tables.table import Table


@dataclass(frozen=True)
class Drawn:
    """A figure with its table. ``svg``: "" where no cost is recorded."""

    title: str
    svg: Markup | str
    note: str
    table: Table


def build(context: ReportContext) -> Iterator[Page]:
    found: list[Drawn] = []
    files: dict[str, File] = {}
    for field in cost_fields(context):
        drawing, note = draw(field), context.figure_note(field.dataset, field.clips)
        found.append(Drawn(field.title, drawing.svg if drawing else "", note, cost_table(context, field)))
        if drawing:
            note += f" · trained on {hardware(context, field.points)}"
            note += f" · {field.unranked[:1].lower()}{field.unranked[1:].rstrip('.')}" * bool(field.unranked)
            files |= file_writers(drawing, note, f"downloads/{field.id}")
    if found:
        tables = tuple(d.table for d in found)
        yield Page("cost.html", "cost.html.j2", {"figures": found}, tables=tables, files=files)


def draw(field: CostField) -> Drawing | None:
    """The panels of a column; None where nothing of it has a cost."""
    panels = tuple(_panel(field, m) for m in MEASURES)
    if not any(p.marks for p in panels):
        return None
    return _drawn(panels, tuple(p.name for p in field.points), field.id, f"{field.title}: top-1 accuracy against cost")


@functools.lru_cache(maxsize=32)
def _drawn(panels: tuple[Panel, ...], names: tuple[str, ...], name: str, title: str) -> Drawing:
    """The drawing of these numbers, kept for the next time that the pages are written."""
    return against_cost(panels, names, name, title)


def _panel(field: CostField, measure: Measure) -> Panel:
    known = [(p, cost) for p in field.points if (cost := p.costs[measure.id])]
    scale, unit = measure.axis(max((cost for _, cost in known), default=0.0))
    marks = tuple(
        Mark(scale * cost, p.accuracy, p.number, measure.id in p.front, digits_of(p.result)) for p, cost in known
    )
    return Panel(measure.title, unit, marks, len(field.points) - len(known))


VIEW = View("Accuracy against cost", 22, build, menu="Figures")
