"""Pages as HTML, and what every page shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import cache, partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports import format as f
from reports.ledger.context import ReportContext
from reports.ledger.shared import Once
from reports.page import Page
from reports.site.citation import citation
from reports.site.pages import idle, navigation, verdicts_of
from reports.tables.table import Link, Table
from reports.tables.verdict import NOTHING_YET, Verdict


@cache  # compiling the templates takes as long as filling in a small ledger's, and a run writes its pages often
def environment() -> Environment:
    """Templates with every string escaped and every undefined name an error; the same object each time."""
    env = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.filters["slug"] = lambda text: re.sub(r"[^A-Za-z0-9]+", "-", text)
    env.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    env.filters["p_value"] = f.p_value
    env.filters["page_title"] = page_title
    env.filters["confusion_cells"] = confusion_cells
    env.filters["pretty"] = partial(json.dumps, indent=2, sort_keys=True, ensure_ascii=False)
    once = Once()
    env.globals["once"] = lambda part, macro: once(part, macro, macro.name)
    return env


def page_title(title: Markup, site: str, longest: int = 70) -> str:
    """A title that the tab of a browser and a search engine show whole: with the site's name where there is room, else
    without it, else its first sentence."""
    own = title.unescape()
    return next((t for t in (f"{own} · {site}", own) if len(t) <= longest), own.split(". ")[0])


def confusion_cells(cells: Iterable[tuple[int, int, bool]]) -> Markup:
    """``ClassRow.cells`` as HTML. A page has hundreds, which take a template longer than the rest of it."""
    own = ' class="diagonal"'
    return Markup(  # noqa: S704  whole numbers alone
        "".join(
            f'<td style="--s:{shade}%"{own * diagonal}>{n}</td>' if n else f"<td{own * diagonal}></td>"
            for n, shade, diagonal in cells
        )
    )


def render(env: Environment, page: Page, site: dict[str, Any]) -> str:
    """A page as HTML; links are relative to where the page lies."""
    depth = page.path.count("/")
    return env.get_template(page.template).render(site=site, root="../" * depth, here=page.path, **page.values)


def site_context(context: ReportContext, pages: Sequence[Page]) -> dict[str, Any]:
    """What every page shows: navigation, and the stamp that says how the numbers were made; and what pages know of each
    other: ``cards`` and ``verdicts`` for the overview, ``links`` to tables and figures by their ids."""
    data = [context.data_label(d) for d in context.datasets]
    said = list(verdicts_of(pages).values())
    return {
        "title": context.benchmark.title,
        "docs": context.benchmark.docs,
        "repository": context.benchmark.repository,
        "citation": citation(context.benchmark.repository or ""),
        "date": context.date[:10],
        "nav": navigation(pages),
        "cards": [(page.path, page.card) for page in pages if page.card is not None],
        "verdicts": [(title, href, found) for title, href, found in said if not _nothing(found)],
        "unmeasured": [Link(title, href) for title, href, found in said if _nothing(found)],
        "idle": idle(pages),
        "links": {i: link for page in pages for i, link in page.links.items()},
        "rows": _rows(pages),
        "running": context.running,
        "quick": _quick(context),
        "synthetic": context.measured_on_synthetic() or context.planned_on_synthetic(),
        "others": context.others_note(),
        "stages_on": ", ".join(context.synthetic_names() or ()),
        "profile": context.profile,
        "profiles": context.profiles,
        "data": ", ".join(data) or "none planned",
        "seeds": context.ledger.seeds_text,
        "commit": context.stamp,
    }


def _nothing(found: Sequence[Verdict]) -> bool:
    """Whether a table has neither a number nor a failure."""
    return all(v.text == NOTHING_YET for v in found)


def _rows(pages: Sequence[Page]) -> dict[str, dict[str, str]]:
    """Page of a run -> table -> its row there."""
    found: dict[str, dict[str, str]] = {}
    for page in pages:
        table = page.values.get("table")
        if isinstance(table, Table):
            for row in (r for r in table.rows if r.place is not None):
                place = f"{page.path}#{table.id}-row-{(row.place or 0) + 1}"
                hrefs = {h for c in row.cells.values() for h in (c.href, *(link.href for link in c.links))}
                for href in hrefs:
                    found.setdefault(href, {})[table.id] = place
    return found


def _quick(context: ReportContext) -> str:
    """Which cells a quick look has; "" for more than that."""
    if not context.quick or context.benchmark.quick is None:
        return ""
    cells = (c.split("+")[0] for c in context.benchmark.quick.cells)
    return ", ".join(dict.fromkeys(context.entries[c].title for c in cells))
