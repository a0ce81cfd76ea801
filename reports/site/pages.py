"""All pages of the site, in the order of the navigation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reports.ledger.context import ReportContext
from reports.page import Page
from reports.tables.table import Link, Table
from reports.views import find_views


def build_pages(context: ReportContext) -> list[Page]:
    """The pages of all views that have something to show; ``nav`` is set in each.

    Raises:
        ValueError: two pages, or two tables, would have the same place.
    """
    pages = [
        replace(page, nav=view.title if page.nav is None else page.nav)
        for view in find_views()
        if view.shown(context)
        for page in view.build(context)
    ]
    for what, names in (("page", [p.path for p in pages]), ("table", [t.id for t in tables_of(pages)])):
        if twice := sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"more than one {what} is called {', '.join(twice)}")
    return pages


def tables_of(pages: Sequence[Page]) -> list[Table]:
    return [table for page in pages for table in page.tables]


def navigation(pages: Sequence[Page]) -> list[Link]:
    return [Link(page.nav, page.path) for page in pages if page.nav]
