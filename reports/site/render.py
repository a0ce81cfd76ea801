"""Pages as HTML, and what every page shows."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined, Template
from jinja2.bccache import Bucket
from markupsafe import Markup, escape

from reports import format as f
from reports.cache_folder import cache_folder, keep, read_kept
from reports.ledger.context import ReportContext
from reports.ledger.shared import Once
from reports.page import Page
from reports.site.citation import citation
from reports.site.pages import idle, navigation, verdicts_of
from reports.site.unchanged import code_digest
from reports.tables.table import Cell, Link, Row, Table
from reports.tables.verdict import NOTHING_YET, Verdict


class Compiled(BytecodeCache):
    """Templates as an earlier report with the same code and libraries compiled them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.code = folder, code_digest()[:16]

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError, ValueError):  # none, or damaged: compiled anew
            bucket.bytecode_from_string(b64decode(read_kept(self._path(bucket))))

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):  # read-only or full: the next report compiles itself
            keep(self._path(bucket), b64encode(bucket.bytecode_to_string()).decode())
            for other in self.folder.glob("template-*"):
                if not other.name.startswith(f"template-{self.code}-"):
                    other.unlink(missing_ok=True)

    def _path(self, bucket: Bucket) -> Path:
        return self.folder / f"template-{self.code}-{bucket.key}"


class Escaping(Template):
    """A template that escapes what its pages say again and again (names of classes, say) once."""

    @classmethod
    def from_code(cls, *args: Any, **kwargs: Any) -> Template:
        template = super().from_code(*args, **kwargs)
        template.root_render_func.__globals__["escape"] = escaped
        return template


LONG = 200  # characters of a text that is not worth remembering


def escaped(value: Any) -> str:
    """What a template writes: ``markupsafe.escape``, remembered for short texts. A page of a run has some 600."""
    kind = type(value)
    if kind is str:
        return _escaped(value) if len(value) < LONG else escape(value)
    if kind is Markup:
        return value
    return str(value) if kind is int or kind is float else escape(value)


_escaped = lru_cache(maxsize=20_000)(escape)


@cache  # compiling the templates takes as long as filling in a small ledger's, and a run writes its pages often
def environment() -> Environment:
    """Templates with every string escaped and every undefined name an error; the same object each time."""
    env = Environment(
        loader=PackageLoader("reports"),
        auto_reload=False,  # they are looked for once, not for every page
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        bytecode_cache=Compiled(folder) if (folder := cache_folder()) else None,
    )
    env.template_class = Escaping
    env.filters["slug"] = lambda text: re.sub(r"[^A-Za-z0-9]+", "-", text)
    env.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    env.filters["joined"] = lambda text: text.replace(" %", "\u00a0%")
    env.filters["breakable"] = lambda text: Markup(str(escape(text)).replace("_", "_<wbr>"))  # noqa: S704  escaped
    env.filters["code"] = lambda text: Markup(re.sub("`([^`]*)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  escaped
    env.filters["p_value"] = f.p_value
    env.filters["page_title"] = page_title
    env.filters["cell_heads"], env.filters["row_cells"] = cell_heads, row_cells
    env.filters["confusion_cells"] = confusion_cells
    env.filters["pretty"] = partial(json.dumps, indent=2, sort_keys=True, ensure_ascii=False)
    once = Once()
    env.globals["once"] = lambda part, macro: once(part, macro, macro.name)
    return env


DIAGONAL = ' class="diagonal"'  # of a confusion matrix
FILLED = ("title", "main")  # blocks of ``base.html.j2``


def page_title(title: Markup, site: str, longest: int = 70) -> str:
    """A title that the tab of a browser and a search engine show whole: with the site's name where there is room, else
    without it, else its first sentence."""
    own = title.unescape()
    return next((t for t in (f"{own} · {site}", own) if len(t) <= longest), own.split(". ")[0])


def cell_heads(table: Table) -> list[tuple[str, str, str]]:
    """Id of each column of the page, with the tag of its cells before and after what is a cell's own."""
    labels = table.labels
    return [
        (column, f'<td class="{escape(before)}', f'{escape(after)}" data-label="{escape(labels[column])}"')
        if number
        else (column, f'<th scope="row" class="{escape(before)}', f'{escape(after)}"')
        for number, (column, before, after) in enumerate(table.classes)
    ]


def row_cells(row: Row, heads: Sequence[tuple[str, str, str]], folds: bool, body: Callable[[Cell], str]) -> Markup:
    """The cells of a row as HTML. A table has thousands, which take a template longer than the rest of the page.

    Args:
        heads: ``cell_heads``. body: what is in a cell that is not plain, as HTML.
    """
    parts = []
    for number, (column, before, after) in enumerate(heads):
        cell = row.cells[column]
        state, value = f" {cell.state}" * bool(cell.state), "" if cell.value is None else f' data-v="{cell.value:.8g}"'
        more = f'<input type="checkbox" class="more" aria-label="All of {escape(cell.text)}">' * (folds and not number)
        content = escape(cell.text) if cell.plain else body(cell)
        parts.append(f"{before}{state}{after}{value}>{content}{more}</{'td' if number else 'th'}>")
    return Markup("".join(parts))  # noqa: S704  all that is not markup is escaped above


def confusion_cells(cells: Mapping[int, tuple[int, int]], own: int, classes: int) -> Markup:
    """``ClassRow.cells`` as HTML, and the empty ones. A page has hundreds, which take a template longer than the rest
    of it.

    Args:
        own: number of the true class.
    """
    made = ["<td></td>"] * classes
    made[own] = '<td class="diagonal"></td>'
    for i, (n, shade) in cells.items():
        made[i] = f'<td style="--s:{shade}%"{DIAGONAL * (i == own)}>{n}</td>'
    return Markup("".join(made))  # noqa: S704  whole numbers alone


def render(env: Environment, page: Page, site: dict[str, Any]) -> str:
    """A page as HTML; links are relative to where the page lies.

    Raises:
        ValueError: its template lacks a block that every page fills; what stands in others of its own is never shown.
    """
    template = env.get_template(page.template)
    if lacking := [name for name in FILLED if name not in template.blocks]:
        raise ValueError(
            f"reports/templates/{page.template}: no block {' and no block '.join(lacking)}; a page's template extends "
            f"base.html.j2 and fills its blocks {' and '.join(FILLED)}"
        )
    depth = page.path.count("/")
    values = {"root": "../" * depth, "here": page.path, **page.values}
    if "banner" not in values:
        values["banner"] = site["banners"].get(page.path, site["banners"][""])
    return template.render(site=site, **values)


def site_context(context: ReportContext, pages: Sequence[Page]) -> dict[str, Any]:
    """What every page shows: navigation, and the stamp that says how the numbers were made; and what pages know of each
    other: ``cards`` and ``verdicts`` for the overview, ``links`` to tables and figures by their ids."""
    data = [context.clips.label(d) for d in context.datasets]
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
        "titles": {
            t.id: t.title.split(".")[0] for t in context.benchmark.tables
        },  # of those without a page yet as well
        "rows": _rows(pages),
        "running": context.running,
        "quick": _quick(context),
        "banners": {"": context.clips.banner()} | {p.path: context.clips.banner(p.links) for p in pages if p.links},
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
