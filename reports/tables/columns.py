"""What the layouts of tables share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from harness.suite import benchmark as suite
from reports import format as f
from reports.ledger.context import ReportContext
from reports.ledger.marks import marks_of
from reports.ledger.results import Result
from reports.tables.table import CLAIMED, Cell, Column, Link, Row, Table, missing
from reports.tables.unplanned import reasons_below


def finished(
    context: ReportContext,
    table: suite.Table,
    columns: list[Column],
    rows: list[Row],
    claims: list,
    results: list[Result | None],
) -> Table:
    """A table with the words of its declaration, how its single trainings are to be taken,
    and the sources of its claims; measured on clips that are not the data set itself, it has no claimed values.
    """
    names = [n for c in claims if c is not None for n in (c.source, c.corrected_source) if n]
    claimed = not context.clips.others_note(table.dataset)
    if not claimed:
        columns, rows, names = *_measured_alone(columns, rows), []
    rows, reasons = reasons_below(rows)
    notes = (
        *reasons,
        f"{left_out}." if (left_out := context.without_row.get(table.id)) else "",
        table.note,
        table.claims_note if claimed else "",
        context.clips.synthetic_note(table.dataset),
        context.training_note(results),
        context.commits_note(results),
        *context.mark_notes(results),
    )
    return Table(
        table.id,
        table.title,
        table.caption,
        tuple(columns),
        tuple(rows),
        tuple(note for note in notes if note),
        sources_of(context, *names),
        context.clips.comparability(table.dataset),
        table.dataset,
    )


def _measured_alone(columns: list[Column], rows: list[Row]) -> tuple[list[Column], list[Row]]:
    """Columns and rows without what papers claim."""
    kept = [c for c in columns if c.origin != CLAIMED]
    return kept, [replace(r, cells={c.id: r.cells[c.id] for c in kept}) for r in rows]


def sources_of(context: ReportContext, *names: str) -> tuple[Link, ...]:
    """Sources as links, each once."""
    known = context.benchmark.sources
    return tuple(Link(known[n].title, known[n].url) for n in dict.fromkeys(names) if n in known)


def against_column(prefix: str = "", group: str = "") -> Column:
    """The column of ``against``."""
    return Column(
        prefix + "against",
        "Measured − claimed",
        group=group,
        numeric=True,
        explain="in points; whether the claimed value lies in the measured 95 % interval",
    )


def against(result: Result | None, claim: suite.Claim | None) -> Cell:
    """The gap between measured and claimed; asked for only where the two are comparable."""
    value = None if claim is None else claim.corrected or claim.value
    if value is None or result is None or not result.done:
        return missing(f.DASH, "not both known")
    gap, sub = result.top1[0] - value / 100, "no interval"
    if result.interval is not None:
        low, high = result.interval
        sub = "inside the interval" if low <= value / 100 <= high else "outside the interval"
    return Cell(f.points(gap, 2), 100 * gap, sub=sub, mark=marks_of(result))


def remark_columns(table: suite.Table) -> list[Column]:
    """What is remarked on claims, shown on demand; no column where nothing is."""
    return [Column("remark", "Remark", detail=True, toggle="Remarks")] if _remarked(table) else []


def remark_cells(table: suite.Table, claims: Iterable[suite.Claim]) -> dict[str, Cell]:
    """The cell of a row's claims in that column, by its id."""
    text = "; ".join(dict.fromkeys(claim.remark for claim in claims if claim.remark))
    return {"remark": Cell(text)} if _remarked(table) else {}


def _remarked(table: suite.Table) -> bool:
    return any(claim.remark for claim in table.claims)
