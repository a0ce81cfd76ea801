"""What a page of the site is, and what a module of ``reports.views`` declares to add one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reports.ledger.context import ReportContext
from reports.tables.table import Cell, Link, Table
from reports.tables.verdict import Verdict

File = str | bytes | Path | Callable[[Path], None]


@dataclass(frozen=True)
class Best:
    """The best rows of a table, for its card. ``rest``: how many more there are, in words."""

    title: str
    rows: tuple[tuple[str, Cell], ...]
    rest: str


@dataclass(frozen=True)
class Card:
    """What the overview shows of a page.

    Attributes:
        asked: it was asked for, or something of it was run that no other table brought.
        finding: its result in one sentence. verdicts: what its tables and figures say, by their ids,
            where they were asked for.
        svg: a drawing. images: path in the site of each picture -> what it shows.
    """

    title: str
    caption: str
    asked: bool = True
    blocks: tuple[Best, ...] = ()
    finding: str = ""
    verdicts: Mapping[str, tuple[Verdict, ...]] = field(default_factory=dict)
    svg: str = ""
    images: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """One page of the site.

    Attributes:
        path: in the site, e.g. ``data.html``. template: a file of ``reports/templates``; ``values`` are its variables.
        nav: its entry in the navigation; None: the title of its view, "": it has none. menu: what the entry stands
            under, where that has several; set from its view.
        tables: shown on it; each has its downloads and a place in ``leaderboard.json``.
        files: what it links to beside them: path in the site -> content, a file to copy, or what writes it to a path.
        card: what the overview shows of it.
        links: id of a table or figure of the benchmark -> how other pages link to it.
        later: makes values and files when the page is written, for kinds of which there are thousands; files are named
            as the page, with other endings. Where there are many, other processes make them: it can be pickled. Of
            ``site`` the template sees nothing that each new run changes: no cards, verdicts and stamp, not that jobs
            run, and of its rows those that lead here.
        made_from: gives what such a page follows from beside ``site``; None where it is always written anew.
    """

    path: str
    template: str
    values: Mapping[str, Any]
    nav: str | None = None
    menu: str = ""
    tables: tuple[Table, ...] = ()
    files: Mapping[str, File] = field(default_factory=dict)
    card: Card | None = None
    links: Mapping[str, Link] = field(default_factory=dict)
    later: Callable[[], tuple[Mapping[str, Any], Mapping[str, str]]] | None = None
    made_from: Callable[[], str] | None = None


def always(_: ReportContext) -> bool:
    return True


@dataclass(frozen=True)
class View:
    """A kind of page: what a module of ``reports.views`` declares as ``VIEW``.

    Attributes:
        title: its entry in the navigation, for pages that name none of their own.
        order: its place there, the smallest first.
        menu: what it stands under there together with other views and pages; "": its title.
        build: makes its pages; they may be none.
        shown: whether it is built at all.
    """

    title: str
    order: int
    build: Callable[[ReportContext], Iterable[Page]]
    shown: Callable[[ReportContext], bool] = always
    menu: str = ""
