"""The first page: the state of the ledger, previews of all tables and figures, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.suite import benchmark as suite
from reports import format as f
from reports.ledger.context import Board
from reports.ledger.results import STATUS
from reports.site.render import FigurePage, Page
from reports.tables.by_rows import ablation_finding
from reports.tables.table import Link, Table
from reports.views.data import DataView
from reports.views.evidence import EvidenceView


@dataclass(frozen=True)
class Preview:
    title: str
    href: str
    caption: str
    asked: bool
    blocks: list[dict[str, Any]]
    svg: str = ""
    finding: str = ""


def index(
    board: Board, tables: list[Table], figures: list[FigurePage], data: DataView, evidence: list[EvidenceView]
) -> Page:
    source = next(iter(board.benchmark.sources.values()), None)
    tally = [
        {"status": s, "n": n, "text": STATUS[s] if s != "blocked" else "blocked by a failure"}
        for s, n in board.tally.items()
        if n or s in ("done", "failed", "missing")
    ]
    return Page(
        "index.html",
        "index.html.j2",
        {
            "paper": Link(source.title if source else "", source.url if source else ""),
            "tally": tally,
            "summary": _summary(board),
            "other_commits": [f.short_commit(c) for c in board.commits] if len(board.commits) > 1 else [],
            "previews": [
                *(_preview(board, d, t) for d, t in zip(board.benchmark.tables, tables, strict=True)),
                *(_figure_preview(board, p) for p in figures),
                *map(_evidence_preview, evidence),
            ],
            "sheet": next((d.sheet for d in data.datasets if d.sheet), ""),
            "command": board.command,
            "gaps": _gaps(board),
            "rejected": [r.reason for r in board.ledger.rejected] + board.ledger.problems,
            "sources": _sources(board),
        },
    )


def _summary(board: Board) -> str:
    """How many runs there are, each number with its word."""
    ledger = board.ledger
    asked, stages = sum(board.tally.values()), len(ledger.stages)
    cells = len(ledger.runs)
    text = f"Tables and figures ask for {f.count(asked, 'run')}"
    if cells != asked:
        text += f" ({cells} cells and seeds, some of which share one)"
    text += f"; {f.count(board.tally['done'], 'is', 'are')} done."
    if stages:
        text += f" They stand on {f.count(stages, 'more run')} of stages."
    older = len(ledger.records) - len(ledger.shown)
    if older:
        is_ = "is" if older == 1 else "are"
        text += f" {f.count(older, 'run')} of an older config, code or data {is_} listed and not counted."
    return text


def _sources(board: Board) -> list[str]:
    """What the pages were read from, where that is more than one plan of one ledger."""
    ledger = board.ledger
    said = []
    if len(ledger.work_dirs) > 1:
        names = ", ".join(ledger.names)
        said.append(f"Read from {len(ledger.work_dirs)} ledgers: {names}. A run that lies in several counts once.")
    checked = {c.key for plan in ledger.plans for c in plan.cells} | {c.id for plan in ledger.plans for c in plan.cells}
    unchecked = [
        i
        for i, r in ledger.results.items()
        if ledger.used_by.get(i) and i not in checked and not any(run.cell.key in checked for run in r.runs)
    ]
    if unchecked:
        said.append(
            f"The last plan did not ask for {f.count(len(unchecked), 'cell')} that "
            f"{'has' if len(unchecked) == 1 else 'have'} "
            "runs: whether config, code or data have changed since is not known. "
            "python -m harness status with their tables "
            "(--tables) tells."
        )
    older = [i for i, r in ledger.results.items() if r.older and ledger.used_by.get(i)]
    if older:
        shows = "shows" if len(older) == 1 else "show"
        said.append(f"{f.count(len(older), 'cell')} {shows} runs of an older config, code or data; each says so.")
    return said


def _preview(board: Board, declared: suite.Table, table: Table) -> Preview:
    """The best measured rows, per test modality; an ablation keeps its order."""
    if declared.layout == "by_modality":
        parts = [(c.title, c.modality + ".top1", table.rows) for c in declared.columns]
    elif declared.layout == "by_training":
        tests = list(dict.fromkeys(r.cells["test"].text for r in table.rows))
        parts = [(f"{t} at inference", "m.top1", [r for r in table.rows if r.cells["test"].text == t]) for t in tests]
    else:
        parts = [("", "m.top1", table.rows)]
    blocks = []
    for title, column, rows in parts:
        shown = [(r, r.cells[column]) for r in rows if r.cells[column].value is not None]
        if declared.layout != "rows":
            shown.sort(key=lambda pair: -pair[1].value)
        top = 5 if len(parts) > 1 else 10
        rest = f.count(len(shown) - top, "more row") if len(shown) > top else ""
        named = [{"title": r.cells[table.columns[0].id].text, "cell": c} for r, c in shown[:top]]
        blocks += [{"title": title, "rows": named, "rest": rest}] if shown else []
    asked = bool(blocks) or table.id in board.ledger.tables
    finding = ablation_finding(table) if declared.layout == "rows" else ""
    return Preview(table.title, f"{table.id}.html", table.caption, asked, blocks, finding=finding)


def _figure_preview(board: Board, page: FigurePage) -> Preview:
    asked = bool(page.svg) or page.figure.id in board.ledger.tables
    return Preview(page.table.title, f"{page.figure.id}.html", page.table.caption, asked, [], page.svg)


def _evidence_preview(view: EvidenceView) -> Preview:
    return Preview(view.title, f"{view.id}.html", view.caption, True, [], finding=view.short or view.summary)


def _gaps(board: Board) -> list[dict[str, Any]]:
    """Runs without a result, one line per cell and reason."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for run in board.ledger.runs:
        if run.status == "done":
            continue
        gap = found.setdefault(
            (run.cell.id, run.status, run.reason),
            {
                "cell": run.cell.id,
                "seeds": [],
                "status": run.status,
                "text": STATUS[run.status],
                "reason": run.reason,
                "href": run.page,
                "used_by": ", ".join(run.cell.used_by),
            },
        )
        gap["seeds"].append(run.cell.seed)
    return [{**g, "seeds": ", ".join(map(str, g["seeds"]))} for g in found.values()]
