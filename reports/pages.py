"""All pages of the site: each is a path, a template and what the template needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.suite import benchmark as suite
from harness.suite.cells import in_methods_table
from reports import plots
from reports import statistics as st
from reports.ablation import ablation_finding
from reports.board import Board
from reports.comparison import Comparison, compare
from reports.data import DataView, data_view
from reports.figure import baseline, claim_text, curves, figure_table
from reports.methods import methods, not_implemented
from reports.model import Table
from reports.overview import index
from reports.protocol import PAPER, READINGS, used_protocol
from reports.run_pages import run_page, runs_table
from reports.runs import RunView, run_views
from reports.site import FigurePage, Page
from reports.tables import build_table


@dataclass(frozen=True)
class Content:
    """Everything that pages and downloads are written from, made once."""

    tables: list[Table]
    figures: list[FigurePage]
    runs: list[RunView]
    all_runs: Table
    data: DataView
    protocol: Table

    @property
    def every_table(self) -> list[Table]:
        figures = [f.table for f in self.figures]
        return [*self.tables, *figures, self.data.table1, self.data.measured, self.all_runs, self.protocol]


def content(board: Board, sheets: dict[str, str]) -> Content:
    """Tables, figures and run views of a board.

    Args:
        sheets: data set -> contact sheet in the site.
    """
    runs = run_views(board.ledger)
    return Content(
        tables=[build_table(board, t) for t in board.benchmark.tables],
        figures=[_figure(board, f) for f in board.benchmark.figures],
        runs=runs,
        all_runs=runs_table(runs),
        data=data_view(board, sheets),
        protocol=used_protocol(board),
    )


def pages(board: Board, made: Content) -> Iterator[Page]:
    """All pages of the site."""
    yield index(board, made.tables, made.figures, made.data)
    for declared, table in zip(board.benchmark.tables, made.tables, strict=True):
        context = {"table": table, "comparisons": _comparisons(board, declared)}
        finding = ablation_finding(table) if declared.layout == "rows" else ""
        yield Page(f"{table.id}.html", "table.html.j2", {**context, "finding": finding})
    for figure in made.figures:
        yield _figure_page(board, figure)
    yield Page("runs.html", "runs.html.j2", {"table": made.all_runs})
    for run in made.runs:
        yield run_page(run)
    yield Page("data.html", "data.html.j2", vars(made.data))
    known = {"methods": methods(board), "absent": not_implemented(board)}
    yield Page("methods.html", "methods.html.j2", known)
    rules = {"paper": PAPER, "used": made.protocol, "draws": st.DRAWS, "readings": READINGS}
    yield Page("protocol.html", "protocol.html.j2", rules)


def _comparisons(board: Board, declared: suite.Table) -> list[Comparison]:
    """Per column of a table of methods: who can be told apart, and by which clips."""
    if declared.layout == "rows":
        return []
    found = []
    for c in declared.columns:
        rows = [
            e
            for e in board.entries.values()
            if in_methods_table(e, declared) and e.test_modality == c.modality
        ]
        rows = [e for e in rows if e.name in board.ledger.results]
        titles = [e.title for e in rows]
        named = {
            e.title if titles.count(e.title) == 1 else e.name: board.ledger.results[e.name] for e in rows
        }
        one = compare(c.title, named)
        found += [one] if one else []
    return found


def _figure(board: Board, figure: suite.Figure) -> FigurePage:
    drawn = curves(board, figure)
    base = baseline(board, figure)
    level = base[1].top1[0] if base else None
    return FigurePage(
        figure=figure,
        table=figure_table(board, figure),
        curves=drawn,
        svg=plots.sweeps(drawn, level, figure.id) if any(c.points for c in drawn) else "",
        baseline=f"{base[0]}, {100 * level:.1f} %" if base else "",
        claim=claim_text(board, figure),
    )


def _figure_page(board: Board, page: FigurePage) -> Page:
    several = any(p.std is not None for c in page.curves for p in c.points)
    if board.synthetic(page.figure.dataset):
        apart = "the measured points come from synthetic data, where it means nothing."
    else:
        apart = "claimed and measured values never share a plot here."
    return Page(
        f"{page.figure.id}.html",
        "figure.html.j2",
        {
            "table": page.table,
            "svg": page.svg,
            "claim": page.claim,
            "why_apart": apart,
            "baseline": page.baseline,
            "spread": "bars are the standard deviation over seeds"
            if several
            else "one seed, so no spread is shown",
            "absent": any(c.absent for c in page.curves),
        },
    )
