"""All pages of the site: each is a path, a template and what the template needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.suite import benchmark as suite
from harness.suite.cells import in_methods_table
from reports.ledger.context import Board
from reports.plots import svg as plots
from reports.plots.sweep import baseline, claim_text, curves, figure_table, grid_asked, grid_table, heat_map
from reports.site.render import FigurePage, Page
from reports.stats import statistics as st
from reports.tables.by_rows import ablation_finding
from reports.tables.comparison import Comparison, compare
from reports.tables.methods import build_table
from reports.tables.table import Link, Table
from reports.views.data import DataView, data_view
from reports.views.evidence import EvidenceView, evidence
from reports.views.interpretations import used_readings
from reports.views.methods import methods, not_implemented
from reports.views.overview import index
from reports.views.protocol import PAPER, used_protocol
from reports.views.run import run_page, runs_table
from reports.views.run_view import RunView, run_views
from reports.views.translator import TranslatorView, translator_view


@dataclass(frozen=True)
class Content:
    """Everything that pages and downloads are written from, made once."""

    tables: list[Table]
    figures: list[FigurePage]
    runs: list[RunView]
    all_runs: Table
    data: DataView
    protocol: Table
    evidence: list[EvidenceView]
    translator: TranslatorView | None

    @property
    def every_table(self) -> list[Table]:
        figures = [f.table for f in self.figures] + [f.grid for f in self.figures if f.grid is not None]
        evidence = [t for view in self.evidence for t in (view.statements, view.rows)]
        pictures = [d.table for d in self.translator.datasets] if self.translator else []
        rest = [self.data.table1, self.data.measured, self.all_runs, self.protocol]
        return [*self.tables, *figures, *evidence, *pictures, *rest]

    @property
    def extra(self) -> tuple[Link, ...]:
        """Pages that are there only where there is something to show."""
        pages = [Link(view.title, f"{view.id}.html") for view in self.evidence]
        return (*pages, *([Link("Translator", "translator.html")] if self.translator is not None else []))


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
        evidence=evidence(board),
        translator=translator_view(board),
    )


def pages(board: Board, made: Content) -> Iterator[Page]:
    """All pages of the site."""
    yield index(board, made.tables, made.figures, made.data, made.evidence)
    for declared, table in zip(board.benchmark.tables, made.tables, strict=True):
        context = {"table": table, "comparisons": _comparisons(board, declared)}
        finding = ablation_finding(table) if declared.layout == "rows" else ""
        yield Page(f"{table.id}.html", "table.html.j2", {**context, "finding": finding})
    for figure in made.figures:
        yield _figure_page(board, figure)
    for view in made.evidence:
        yield Page(f"{view.id}.html", "evidence.html.j2", {"view": view})
    if made.translator:
        yield Page("translator.html", "translator.html.j2", {"datasets": made.translator.datasets})
    yield Page("runs.html", "runs.html.j2", {"table": made.all_runs})
    for run in made.runs:
        yield run_page(run)
    yield Page("data.html", "data.html.j2", vars(made.data))
    known = {"methods": methods(board), "absent": not_implemented(board)}
    yield Page("methods.html", "methods.html.j2", known)
    trainings = [
        f"{board.benchmark.datasets[d].title}: {100 * t.std:.1f} points, {t.freedom} degrees of freedom"
        + (f" ({t.source})." if t.source else f" ({t.cells} cells).")
        for d, t in board.ledger.training.items()
    ]
    rules = {
        "trainings": trainings,
        "paper": PAPER,
        "used": made.protocol,
        "draws": st.DRAWS,
        "readings": used_readings(board),
    }
    yield Page("protocol.html", "protocol.html.j2", rules)


def _comparisons(board: Board, declared: suite.Table) -> list[Comparison]:
    """Per column of a table of methods: who can be told apart, and by which clips."""
    if declared.layout == "rows":
        return []
    found = []
    for c in declared.columns:
        rows = [e for e in board.entries.values() if in_methods_table(e, declared) and e.test_modality == c.modality]
        family = len(rows)
        rows = [e for e in rows if e.name in board.ledger.results]
        titles = [e.title for e in rows]
        named = {e.title if titles.count(e.title) == 1 else e.name: board.ledger.results[e.name] for e in rows}
        one = compare(c.title, named, family)
        found += [one] if one else []
    return found


def _figure(board: Board, figure: suite.Figure) -> FigurePage:
    drawn = curves(board, figure)
    base = baseline(board, figure)
    level = base[1].top1[0] if base else None
    grid = heat_map(board, figure) if grid_asked(board, figure) else None
    return FigurePage(
        figure=figure,
        table=figure_table(board, figure),
        curves=drawn,
        svg=plots.sweeps(drawn, level, figure.id) if any(c.points for c in drawn) else "",
        baseline=f"{base[0]}, {100 * level:.1f} %" if base else "",
        claim=claim_text(board, figure),
        grid=grid_table(board, figure) if grid else None,
        grid_svg=plots.heat_map(grid, figure.grid.id)
        if grid and any(v is not None for v in grid.values.values())
        else "",
    )


def _figure_page(board: Board, page: FigurePage) -> Page:
    several = any(p.std is not None for c in page.curves for p in c.points)
    if board.measured_on_synthetic(page.figure.dataset):
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
            "spread": "bars are the standard deviation over seeds" if several else "one seed, so no spread is shown",
            "absent": any(c.absent for c in page.curves),
            "grid": page.grid,
            "grid_svg": page.grid_svg,
            "grid_command": _grid_command(board, page),
        },
    )


def _grid_command(board: Board, page: FigurePage) -> str:
    """What measures the grid of a figure that has one."""
    grid = page.figure.grid
    if grid is None:
        return ""
    data = " --data-root DIR" if board.real_data else ""
    return f"python -m harness run-all --profile {board.profile} --tables {page.figure.id},{grid.id}{data}"
