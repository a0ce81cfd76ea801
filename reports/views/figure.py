"""The page of each figure of the benchmark: its curves, its grid, and their numbers."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from harness.suite import benchmark as suite
from reports import format as f
from reports.ledger.context import ReportContext
from reports.ledger.digits import digits_of
from reports.ledger.marks import MEANING, in_short, marks_of
from reports.ledger.training import origin
from reports.page import Card, File, Page, View
from reports.plots.curves import Curve, baseline, curves, heat_map
from reports.plots.drawing import Drawing, file_writers
from reports.plots.sweep_charts import heat_map as draw_heat_map
from reports.plots.sweep_charts import sweeps as draw_sweeps
from reports.stats.training import Training
from reports.tables.figure import figure_table, grid_table
from reports.tables.row_verdict import of_figure, of_grid
from reports.tables.table import Link, Row, Table
from reports.tables.verdict import Verdict


def build(context: ReportContext) -> Iterator[Page]:
    for figure in context.benchmark.figures:
        yield _page(context, figure)


def _page(context: ReportContext, figure: suite.Figure) -> Page:
    table = figure_table(context, figure)
    values, drawn = _curves(context, figure)
    grid, grid_drawn = _grid(context, figure)
    name, path = table.title.split(".")[0], f"{figure.id}.html"
    links = {figure.id: Link(name, path)}
    if figure.grid is not None:
        anchor = f"#{figure.grid.id}" if grid is not None else ""
        links[figure.grid.id] = Link(figure.grid.title.split(".")[0], path + anchor)
    verdicts = {figure.id: of_figure(context, figure)}
    if figure.grid is not None and grid is not None:
        verdicts[figure.grid.id] = of_grid(context, figure)
    drawings = {figure.id: drawn, figure.grid.id if figure.grid else "": grid_drawn}
    svg = drawn.svg if drawn else ""
    return Page(
        path,
        "figure.html.j2",
        {
            **values,
            "table": table,
            "svg": svg,
            "measured": _measured(table),
            "to_come": _to_come(context, figure.id),
            "command": context.command_for(figure.id),
            "sweeps": _side_by_side(table),
            "verdicts": verdicts[figure.id],
            "claim": "" if context.clips.others_note(figure.dataset) else claim_text(figure),
            "why_apart": "the measured points come from synthetic data, where it means nothing."
            if context.clips.measured_on_synthetic(figure.dataset)
            else "claimed and measured values never share a plot here.",
            "grid": grid,
            "grid_measured": grid is not None and _measured(grid),
            "grid_to_come": figure.grid is not None and _to_come(context, figure.grid.id),
            "grid_svg": grid_drawn.svg if grid_drawn else "",
            "grid_command": _grid_command(context, figure),
        },
        nav=name,
        tables=(table,) if grid is None else (table, grid),
        files=_files(context, figure, drawings),
        card=_card(context, table, svg, verdicts),
        links=links,
    )


def _measured(table: Table) -> bool:
    """Whether any point has a number, or failed."""
    return len(table.unmeasured) < len(table.rows)


def _to_come(context: ReportContext, figure: str) -> bool:
    """Whether runs go on, and a figure was asked of them."""
    return figure in context.ledger.tables and bool(context.running and context.running.to_come)


def _spread(several: bool, training: Training | None) -> str:
    """What shows how much the points would vary."""
    bars = "bars are the standard deviation over seeds" if several else "one seed"
    if training is None:
        return f"{bars}, and nothing says how much another training would change" if not several else bars
    return (
        f"{bars}; the band is the 95 % interval of other trainings on the same clips, from a standard deviation of "
        f"{100 * training.std:.1f} points between trainings (from {origin(training)})"
    )


def _side_by_side(table: Table) -> list[tuple[Row | None, ...]]:
    """The points of all sweeps in one table: the n-th of each in the n-th row, None where a sweep has fewer."""
    return list(zip_longest(*(rows for _, rows in table.groups)))


def _files(context: ReportContext, figure: suite.Figure, drawings: Mapping[str, Drawing | None]) -> dict[str, File]:
    """The drawings to take away, by their places in the site."""
    note = context.figure_note(figure.dataset)
    return {
        place: write
        for i, drawn in drawings.items()
        if drawn
        for place, write in file_writers(drawn, note, f"downloads/{i}").items()
    }


def _card(context: ReportContext, table: Table, svg: str, verdicts: dict[str, tuple[Verdict, ...]]) -> Card:
    asked = context.ledger.tables
    said = {i: found for i, found in verdicts.items() if i in asked}
    own = bool(svg) and context.ledger.has_own_runs(table.id)
    return Card(table.title, table.caption, own or table.id in asked, verdicts=said, svg=svg)


def _curves(context: ReportContext, figure: suite.Figure) -> tuple[dict[str, Any], Drawing | None]:
    """What is said of the curves, and their drawing: None where nothing is measured."""
    found = curves(context, figure)
    base = baseline(context, figure)
    level = base[1].top1[0] if base else None
    training = context.ledger.training.get(figure.dataset)
    several = any(p.std is not None for c in found for p in c.points)
    said = {
        "baseline": f"{base[0]}, {f.percent(level, digits_of(base[1]))} %{in_short(marks_of(base[1]))}" if base else "",
        "spread": _spread(several, training),
        "absent": any(c.absent for c in found),
        "marks": [(m, MEANING[m]) for m in MEANING if any(m in p.mark for c in found for p in c.points)],
    }
    return said, _drawn(found, level, figure.id) if any(c.points for c in found) else None


@functools.lru_cache(maxsize=16)
def _drawn(found: tuple[Curve, ...], level: float | None, name: str) -> Drawing:
    """The drawing of these numbers, kept for the next time that the pages are written."""
    return draw_sweeps(found, level, name)


def _grid(context: ReportContext, figure: suite.Figure) -> tuple[Table | None, Drawing | None]:
    """The table of a figure's grid and its drawing, where it was asked for and measured."""
    if figure.grid is None or figure.grid.id not in context.ledger.tables:
        return None, None
    found = heat_map(context, figure)
    measured = any(v is not None for v in found.values.values())
    return grid_table(context, figure, figure.grid), draw_heat_map(found, figure.grid.id) if measured else None


def _grid_command(context: ReportContext, figure: suite.Figure) -> str:
    """What measures the grid of a figure that has one."""
    if figure.grid is None:
        return ""
    return context.command_for(figure.id, figure.grid.id)


def claim_text(figure: suite.Figure) -> str:
    """The claimed optimum, in words."""
    claim = figure.claim
    if claim is None or claim.value is None:
        return ""
    at = " and ".join(f"{k} = {v:g}" for k, v in claim.at.items())
    return f"{f.printed(claim.value)} %" + (f" at {at}" if at else "")


VIEW = View("Figures", 20, build)
