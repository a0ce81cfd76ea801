"""All pages of the site, in the order of the navigation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from reports.ledger.context import ReportContext
from reports.page import Page
from reports.tables.table import Link, Table
from reports.tables.verdict import Verdict
from reports.views import find_views


@dataclass(frozen=True)
class Menu:
    """An entry of the navigation: a page, or several under one word."""

    text: str
    links: tuple[Link, ...]


def build_pages(context: ReportContext) -> list[Page]:
    """The pages of all views that have something to show; ``nav`` and ``menu`` are set in each.

    Raises:
        ValueError: two pages, or two tables, would have the same place.
    """
    pages = [
        replace(page, nav=view.title if page.nav is None else page.nav, menu=view.menu or view.title)
        for view in find_views()
        if view.shown(context)
        for page in view.build(context)
    ]
    for what, names in (("page", [p.path for p in pages]), ("table", [t.id for t in tables_of(pages)])):
        if twice := sorted(n for n, times in Counter(names).items() if times > 1):
            raise ValueError(f"more than one {what} is called {', '.join(twice)}")
    return pages


def tables_of(pages: Sequence[Page]) -> list[Table]:
    return [table for page in pages for table in page.tables]


def verdicts_of(pages: Sequence[Page]) -> dict[str, tuple[str, str, tuple[Verdict, ...]]]:
    """Id of each table and figure that was asked for -> its short title, its place, and what it says."""
    links = {i: link for page in pages for i, link in page.links.items()}
    cards = [page.card for page in pages if page.card is not None]
    return {i: (links[i].text, links[i].href, said) for card in cards for i, said in card.verdicts.items()}


def navigation(pages: Sequence[Page]) -> list[Menu]:
    """The pages that have an entry, but for those of ``idle``; what stands alone in its menu is no menu."""
    left_out = {link.href for link in idle(pages)}
    menus: dict[str, list[Link]] = {}
    for page in pages:
        if page.nav and page.path not in left_out:
            menus.setdefault(page.menu, []).append(Link(page.nav, page.path))
    return [Menu(text if len(links) > 1 else links[0].text, tuple(links)) for text, links in menus.items()]


def idle(pages: Sequence[Page]) -> list[Link]:
    """Tables and figures that nobody asked for: the overview alone leads to them. A page that has a finding of its own
    is none, whichever of its figures were asked for."""
    found = [p for p in pages if p.card is not None and p.links and not (p.card.verdicts or p.card.finding)]
    return [Link(p.nav or p.path, p.path) for p in found]
