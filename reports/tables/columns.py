"""What the layouts of tables share."""

from __future__ import annotations

from harness.suite import Entry
from harness.suite import benchmark as suite
from reports import format as f
from reports.ledger.context import Board
from reports.ledger.results import Result
from reports.tables.table import Cell, Column, Link, Row, Table, missing


def backbone_name(entry: Entry) -> str:
    """The entry's name without data set and modality: ``i3d_r50`` of ``i3d_r50_mgr-dark-rgb``."""
    return entry.name.split(f"_{entry.dataset.replace('_', '-')}-")[0]


def architecture(entry: Entry) -> str:
    """The family of a method's network, or its parts."""
    family, parts = entry.metadata.get("Family"), entry.metadata.get("Architecture")
    if family:
        return str(family)
    return ", ".join(map(str, parts)) if isinstance(parts, list) else str(parts or f.DASH)


def method_cell(title: str, entry: Entry | None = None, sub: str = "") -> Cell:
    """A method's name, linked to what is said of it."""
    if entry is None:
        return Cell(title, sub=sub)
    return Cell(title, sub=sub, href="methods.html#" + anchor(entry.method), title=str(entry.paper.get("Title", "")))


def anchor(text: str) -> str:
    """An id for a fragment link."""
    return "m-" + "".join(c if c.isalnum() and c.isascii() else "-" for c in text.lower())


def finished(
    board: Board, table: suite.Table, columns: list[Column], rows: list[Row], claims: list, results: list[Result | None]
) -> Table:
    """A table with the words of its declaration, how its single trainings are to be taken, and the sources of its
    claims.
    """
    names = [n for c in claims if c is not None for n in (c.source, c.corrected_source) if n]
    notes = (table.note, board.synthetic_note(table.dataset), board.training_note(results), board.commits_note(results))
    return Table(
        table.id,
        table.title,
        table.caption,
        tuple(columns),
        tuple(rows),
        tuple(note for note in notes if note),
        sources_of(board, *names),
        board.comparability(table.dataset),
    )


def sources_of(board: Board, *names: str) -> tuple[Link, ...]:
    """Sources as links, each once."""
    known = board.benchmark.sources
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
    if value is None or result is None or not result.done or result.interval is None:
        return missing(f.DASH, "not both known")
    low, high = result.interval
    gap = result.top1[0] - value / 100
    inside = low <= value / 100 <= high
    return Cell(f.points(gap, 2), 100 * gap, sub="inside the interval" if inside else "outside the interval")
