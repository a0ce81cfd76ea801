"""Tables of an evidence page that are drawn: what a method adds, by what its data are like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.suite import benchmark as suite
from reports.ledger.context import ReportContext
from reports.ledger.marks import marks_of
from reports.page import File
from reports.plots.drawing import Drawing, file_writers
from reports.plots.point_charts import GAIN, OTHER, REFERENCE, At, Line, points
from reports.tables.by_points import by_points, gain_title, gains_of, of_points, result_at
from reports.tables.differences import Difference
from reports.tables.table import Table
from reports.tables.verdict import Verdict


@dataclass(frozen=True)
class Drawn:
    """A table with its drawing, None where nothing of its own is measured, and the command that measures it."""

    table: Table
    drawing: Drawing | None
    command: str
    verdicts: tuple[Verdict, ...]

    @property
    def svg(self) -> str:
        return self.drawing.svg if self.drawing else ""


def drawn_tables(context: ReportContext, declared: suite.Evidence) -> Iterator[Drawn]:
    """The tables that a page draws."""
    for table in context.benchmark.tables:
        if table.id in declared.drawn:
            shown = by_points(context, table)
            command = context.command_for(table.id)
            yield Drawn(shown, _drawing(context, table, shown), command, of_points(context, table))


def files(context: ReportContext, declared: suite.Evidence, found: tuple[Drawn, ...]) -> dict[str, File]:
    """The drawings to take away, by their places in the site."""
    note = context.figure_note(declared.dataset)
    return {
        place: write
        for one in found
        if one.drawing
        for place, write in file_writers(one.drawing, note, f"downloads/{one.table.id}").items()
    }


def _drawing(context: ReportContext, table: suite.Table, shown: Table) -> Drawing | None:
    lines = tuple(_line(context, table, line) for line in table.series)
    own = {i for i, p in enumerate(table.points) if p.data}  # a point without data is one of another table as well
    if table.gain is None or not any(p.place in own for line in lines for p in line.points):
        return None
    gains = [_gain(i, d) for i, d in enumerate(gains_of(context, table)) if isinstance(d, Difference)]
    clips = [row.cells["clips"] for row in shown.rows]
    vary = len({c.value for c in clips if c.value is not None}) > 1
    places = tuple(
        f"{p.title}\n{c.text} clips" if vary and c.value is not None else p.title
        for p, c in zip(table.points, clips, strict=True)
    )
    return points(places, table.axis, lines, Line(gain_title(table), GAIN, tuple(gains)), table.id)


def _gain(place: int, d: Difference) -> At:
    low, high = (100 * d.interval[0], 100 * d.interval[1]) if d.interval else (None, None)
    return At(place, 100 * d.gap, low, high, d.mark)


def _line(context: ReportContext, table: suite.Table, line: suite.Row) -> Line:
    """Means over seeds; bars are the standard deviation."""
    found = []
    for i, point in enumerate(table.points):
        result = result_at(context, table, point, line)
        if result is not None and result.done:
            mean, std = result.top1
            low, high = (None, None) if std is None else (100 * (mean - std), 100 * (mean + std))
            found.append(At(i, 100 * mean, low, high, marks_of(result)))
    gain = table.gain
    role = GAIN if gain and line.id == gain.of else REFERENCE if gain and line.id == gain.over else OTHER
    return Line(line.title, role, tuple(found))
