"""Links of a site that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from tests.helpers.html_tree import parse


def dead_links(site: Path) -> Iterator[str]:
    """Page and target of each link inside of a site whose file, or whose place on a page, is not there."""

    @cache
    def places(page: Path) -> set[str | None]:
        return {node.attrs.get("id") for node in parse(page).all()}

    for page in sorted(site.rglob("*.html")):
        tree = parse(page)
        for node in tree.all("a") + tree.all("link") + tree.all("script") + tree.all("img"):
            target = node.attrs.get("href") or node.attrs.get("src")
            if not target or target.startswith("http"):
                continue
            file, _, fragment = target.partition("#")
            goal = (page.parent / unquote(file)).resolve() if file else page.resolve()
            if not goal.is_file() or (fragment and goal.suffix == ".html" and fragment not in places(goal)):
                yield f"{page.relative_to(site)} links to {target}"
