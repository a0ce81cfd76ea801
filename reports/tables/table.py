"""The table model: what pages, downloads and JSON are all written from, so that they cannot disagree.

A claimed value (printed in a paper) and a measured one (from a run in the ledger) never share a column: a
cell that does not fit its column's ``origin`` is an error here, not a matter of care in a template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from reports.ledger.marks import MEANING, in_short, meaning

Origin = Literal["text", "claimed", "measured"]
CLAIMED: Origin = "claimed"
MEASURED: Origin = "measured"


@dataclass(frozen=True, slots=True)
class Bar:
    """A value and its interval on a 0 to 1 scale, drawn in a cell. ``chance`` is the level of guessing."""

    value: float
    low: float | None = None
    high: float | None = None
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    href: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes:
        text: what a reader sees; downloads use it too, unless ``value`` is given.
        value: the number for sorting and for CSV and JSON, unrounded; None is missing and sorts last.
        sub: a second, smaller line.
        title: what it means, for pointer and screen reader; says why where nothing is shown.
        href: where the number comes from: a run page, or the source of a claim.
        links: further runs behind the number.
        state: "" for a value; "missing", "failed" for none; "yes", "no" for marks.
        warn: a line that must be seen with the value.
        mark: behind the text, refers to a note of the table.
    """

    text: str = ""
    value: float | None = None
    sub: str = ""
    title: str = ""
    href: str = ""
    links: tuple[Link, ...] = ()
    state: Literal["", "missing", "failed", "yes", "no"] = ""
    warn: str = ""
    bar: Bar | None = None
    origin: Origin = "text"
    mark: str = ""

    @property
    def plain(self) -> bool:
        """Whether a page shows its text and nothing else."""
        return not (self.href or self.state or self.sub or self.bar or self.links or self.warn or self.mark)

    @property
    def mark_meaning(self) -> str:
        return meaning(self.mark)

    @property
    def mark_in_short(self) -> str:
        return in_short(self.mark)


def marked(cells: Mapping[str, Cell], mark: str) -> dict[str, Cell]:
    """The cells, with ``marks_of`` their runs behind what is measured in them."""
    if not mark:
        return dict(cells)
    return {k: replace(c, mark=mark) if c.origin == MEASURED and c.value is not None else c for k, c in cells.items()}


def missing(text: str, title: str, origin: Origin = "text") -> Cell:
    """An empty cell that says why it is empty."""
    return Cell(text=text, title=title, state="missing", origin=origin)


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        group: heading that spans columns; neighbours with the same group are joined.
        detail: shown on demand where there is JavaScript, always shown where there is none.
        page: False for columns of the CSV and JSON downloads alone.
        download: False for columns whose content these have in columns of their own.
        sparse: left out of the downloads where no row has anything in it.
        numeric: right-aligned, sorted as a number, best first.
        explain: one sentence for the legend below the table.
        paper: False for columns that a paper's table (LaTeX) leaves out; those on demand are left out anyway.
        short: the title there, where the caption says the rest.
        unit: of its numbers in downloads, where neither the title nor a count says it; the page writes it in each cell.
        key: on a narrow screen a row shows its first cell and its key cells, and the others on a tap; "beside" for one
            that has room next to the one before. Where no column is a key, all cells stand below each other.
    """

    id: str
    title: str
    origin: Origin = "text"
    group: str = ""
    detail: bool = False
    page: bool = True
    download: bool = True
    sparse: bool = False
    numeric: bool = False
    ascending: bool = False  # the smaller the better: ranks, costs
    explain: str = ""
    toggle: str = ""  # name of the switch that shows a detail column with its like
    paper: bool = True
    short: str = ""
    unit: str = ""
    key: Literal["", "value", "beside"] = ""


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    cells: dict[str, Cell]  # column id -> cell
    group: str = ""  # heading of a block of rows
    ours: bool = False  # a row that no claim names
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # what a page can filter by: name -> values
    field: str = ""  # rows of the same field are compared with each other; "" is compared with none
    clips: str = ""  # what its numbers are measured on, where those of the data set are of several kinds
    apart: str = ""  # the protocol of its own for which its measured values are not ranked in its field
    place: int | None = None  # in the declared order, where the page shows another
    parted: bool = False  # it begins another group of ties than the row before it


@dataclass(frozen=True)
class Span:
    """A heading over neighbouring columns."""

    text: str
    width: int


@dataclass(frozen=True)
class Table:
    """A table with its words.

    ``verdict`` says whether claimed and measured values can be compared; it stands above the table.
    ``notes`` stand below it. Both are at the head of every download, with what the runs on ``dataset`` were made
    with ("": on any)."""

    id: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    sources: tuple[Link, ...] = ()
    verdict: str = ""
    dataset: str = ""
    paper: bool = True  # it has a LaTeX table: not a list that no page holds

    def __post_init__(self) -> None:
        ids = [c.id for c in self.columns]
        if len(set(ids)) != len(ids):
            raise ValueError(f"table {self.id}: a column appears twice among {', '.join(ids)}")
        for row in self.rows:
            if set(row.cells) != set(ids):
                odd = sorted(set(row.cells) ^ set(ids))
                raise ValueError(f"table {self.id}, row {row.id}: cells and columns differ in {', '.join(odd)}")
            for column in self.columns:
                if row.cells[column.id].origin != column.origin:
                    raise ValueError(
                        f"table {self.id}, row {row.id}: a {row.cells[column.id].origin} value in the "
                        f"{column.origin} column {column.id}"
                    )

    @property
    def page_columns(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.page)

    @property
    def download_columns(self) -> tuple[Column, ...]:
        """Columns of CSV and JSON."""
        return tuple(
            c for c in self.columns if c.download and not (c.sparse and not any(r.cells[c.id].text for r in self.rows))
        )

    @property
    def unmeasured(self) -> tuple[Row, ...]:
        """Rows without any number, for which no run failed either."""
        return tuple(
            row
            for row in self.rows
            if not any(c.value is not None or c.state == "failed" for c in row.cells.values() if c.origin != "text")
        )

    def short(self, named: bool = True) -> Table:
        """The table without its ``unmeasured`` rows, which a note names, unless the page does."""
        if not (left := self.unmeasured):
            return self
        first = self.columns[0].id
        titles = "; ".join(dict.fromkeys(row.cells[first].text for row in left))
        rows = tuple(row for row in self.rows if row not in left)
        return replace(self, rows=rows, notes=((f"Not measured: {titles}.",) if named else ()) + self.notes)

    @property
    def mark_notes(self) -> tuple[str, ...]:
        """The notes that explain a mark."""
        return tuple(n for n in self.notes if n.startswith(tuple(MEANING)))

    @property
    def paper_columns(self) -> tuple[Column, ...]:
        """Columns of a paper's table."""
        return tuple(c for c in self.columns if c.page and c.paper and not c.detail)

    @property
    def in_draft(self) -> list[Row]:
        """The rows in the declared order; none where the page has that order anyway."""
        placed = [r for r in self.rows if r.place is not None]
        return sorted(placed, key=lambda r: r.place or 0)

    @property
    def groups(self) -> list[tuple[str, list[Row]]]:
        """Rows in blocks of the same group heading, in order."""
        blocks: list[tuple[str, list[Row]]] = []
        for row in self.rows:
            if not blocks or blocks[-1][0] != row.group:
                blocks.append((row.group, []))
            blocks[-1][1].append(row)
        return blocks

    @property
    def spans(self) -> list[Span]:
        """Group headings over the columns of the page, with the number of columns that each covers."""
        spans: list[Span] = []
        for column in self.page_columns:
            if spans and spans[-1].text == column.group:
                spans[-1] = Span(column.group, spans[-1].width + 1)
            else:
                spans.append(Span(column.group, 1))
        return spans

    @property
    def firsts(self) -> set[str]:
        """Columns at which a group or an origin begins, where the page draws a rule."""
        shown = self.page_columns
        return {b.id for a, b in zip(shown, shown[1:], strict=False) if (a.group, a.origin) != (b.group, b.origin)}

    @property
    def classes(self) -> list[tuple[str, str, str]]:
        """Id of each column of the page, with the classes of its cells before and after that of their state."""
        firsts = self.firsts
        return [
            (
                c.id,
                c.origin + " num" * c.numeric,
                " first" * (c.id in firsts) + " lead" * bool(c.key) + " beside" * (c.key == "beside"),
            )
            for c in self.page_columns
        ]

    @property
    def labels(self) -> dict[str, str]:
        """What stands before each cell on a narrow screen, by column: its title, with the group where titles repeat."""
        titles = [c.title for c in self.page_columns]
        return {
            c.id: f"{c.group}: {c.title[:1].lower()}{c.title[1:]}" if c.group and titles.count(c.title) > 1 else c.title
            for c in self.page_columns
        }

    @property
    def folds(self) -> bool:
        """Whether a row has cells that a narrow screen shows on a tap."""
        rest = self.page_columns[1:]
        return any(c.key for c in rest) and not all(c.key for c in rest)

    @property
    def explained(self) -> list[tuple[str, str]]:
        """Titles of the page's columns with what they mean, each once."""
        return list(dict.fromkeys((c.title, c.explain) for c in self.page_columns if c.explain))
