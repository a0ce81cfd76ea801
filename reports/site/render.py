"""A page of the site, its template, and what every page shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.suite import benchmark as suite
from reports import format as f
from reports.ledger.context import Board
from reports.plots.sweep import Curve
from reports.tables.table import Link, Table


@dataclass(frozen=True)
class Page:
    """``path`` is relative to the site; ``context`` goes to ``template``."""

    path: str
    template: str
    context: dict[str, Any]


@dataclass(frozen=True)
class FigurePage:
    """A figure of the benchmark, ready to show."""

    figure: suite.Figure
    table: Table
    curves: tuple[Curve, ...]
    svg: str
    baseline: str
    claim: str
    grid: Table | None = None  # every pair of weights, where it was asked for
    grid_svg: str = ""


def environment() -> Environment:
    """Templates with every string escaped and every undefined name an error."""
    env = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.filters["slug"] = lambda text: re.sub(r"[^A-Za-z0-9]+", "-", text)
    env.filters["p_value"] = f.p_value
    return env


def render(env: Environment, page: Page, site: dict[str, Any]) -> str:
    """A page as HTML; links are relative to where the page lies."""
    depth = page.path.count("/")
    return env.get_template(page.template).render(site=site, root="../" * depth, here=page.path, **page.context)


def site_context(
    board: Board, tables: list[Table], figures: list[FigurePage], extra: tuple[Link, ...] = ()
) -> dict[str, Any]:
    """What every page shows: navigation and the stamp that says how the numbers were made.

    Args:
        extra: pages that are there only where there is something to show.
    """
    shown = [(t.id, t.title) for t in tables] + [(p.figure.id, p.figure.title) for p in figures]
    names = {i: title.split(".")[0] for i, title in shown}
    places = {i: f"{i}.html" for i in names}
    for p in figures:
        if p.figure.grid is not None:
            grid = p.figure.grid
            names[grid.id] = grid.title.split(".")[0]
            places[grid.id] = f"{p.figure.id}.html" + (f"#{grid.id}" if p.grid is not None else "")
    nav = [
        Link("Overview", "index.html"),
        *(Link(names[i], f"{i}.html") for i, _ in shown),
        *extra,
        Link("Data", "data.html"),
        Link("Methods", "methods.html"),
        Link("Runs", "runs.html"),
        Link("Protocol", "protocol.html"),
    ]
    data = [board.benchmark.datasets[d].title + _made(board, d) for d in board.datasets]
    return {
        "title": board.benchmark.title,
        "nav": nav,
        "names": names,
        "places": places,
        "synthetic": board.measured_on_synthetic(),
        "stages_on": ", ".join(board.synthetic_names() or ()),
        "profile": board.profile,
        "profiles": board.profiles,
        "data": ", ".join(data) or "none planned",
        "seeds": board.ledger.seeds,
        "commit": board.stamp,
    }


def _made(board: Board, dataset: str) -> str:
    names = board.synthetic_names(dataset)
    if names is None:
        return " (no run yet)"
    if board.measured_on_synthetic(dataset):
        return " (synthetic)"
    return f" (stages on synthetic {', '.join(names)})" if names else ""
