"""The page of each table of the benchmark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from harness.suite import benchmark as suite
from reports import format as f
from reports.ledger.context import ReportContext
from reports.ledger.results import by_kind_of_clips
from reports.page import Best, Card, Page, View
from reports.tables.comparison import Comparison, compare, named_results, unranked_note
from reports.tables.layouts import build_table
from reports.tables.order import best_first
from reports.tables.row_verdict import compared_rows, of_rows
from reports.tables.table import MEASURED, Link, Row, Table
from reports.tables.verdict import Verdict, by_column


def build(context: ReportContext) -> Iterator[Page]:
    for declared in context.benchmark.tables:
        if declared.points:  # drawn on the page of its evidence
            continue
        table = build_table(context, declared)
        rows = declared.layout == "rows"
        verdicts = of_rows(context, declared, table) if rows else by_column(context, declared)
        name, path = table.title.split(".")[0], f"{table.id}.html"
        yield Page(
            path,
            "table.html.j2",
            {
                "table": best_first(declared, table).short() if rows else best_first(declared, table),
                "command": "" if _measured(table) else context.command_for(table.id),
                "rest": context.command_for(table.id) if rows and table.unmeasured else "",
                "to_come": declared.id in context.ledger.tables and bool(context.running and context.running.to_come),
                "comparisons": _comparisons(context, declared),
                "verdicts": verdicts,
            },
            nav=name,
            tables=(table,),
            card=_card(context, declared, table, verdicts),
            links={table.id: Link(name, path)},
        )


def _measured(table: Table) -> bool:
    """Whether the ledger has anything of a table, a failure included."""
    measured = (c for row in table.rows for c in row.cells.values() if c.origin == MEASURED)
    return any(c.value is not None or c.state == "failed" for c in measured)


def _comparisons(context: ReportContext, declared: suite.Table) -> list[Comparison]:
    """Per column of a table of methods: significant differences, and the clips that make them."""
    if declared.layout == "rows":
        return []
    found = []
    for column in declared.columns:
        named, family = named_results(context, declared, column)
        for kind, own in by_kind_of_clips(named).items():
            if one := compare(", ".join(filter(None, (column.title, kind))), own, family):
                text = " ".join(filter(None, (one.text, unranked_note(context, declared, column))))
                found.append(replace(one, text=text))
    return found


def _card(context: ReportContext, declared: suite.Table, table: Table, verdicts: tuple[Verdict, ...]) -> Card:
    shown = best_first(declared, table)  # equal numbers stand as on the table's page
    parts = [own for part in _parts(context, declared, shown) for own in _by_clips(*part)]
    ordered = declared.layout != "rows" or declared.compare_groups  # an ablation keeps its order
    blocks = [_best(title, table, column, rows, 5 if len(parts) > 1 else 10, ordered) for title, column, rows in parts]
    kept = tuple(b for b in blocks if b.rows)
    asked = table.id in context.ledger.tables
    said = {table.id: verdicts} if asked else {}
    return Card(
        table.title, table.caption, asked or bool(kept and context.ledger.has_own_runs(table.id)), kept, verdicts=said
    )


def _parts(context: ReportContext, declared: suite.Table, table: Table) -> list[tuple[str, str, Sequence[Row]]]:
    """Title, column and rows of what is ranked apart: per test modality. Of an ablation the rows that are compared."""
    if declared.layout == "by_modality":
        return [(c.title, c.modality + ".top1", table.rows) for c in declared.columns]
    if declared.layout == "by_training":
        tests = list(dict.fromkeys(r.cells["test"].text for r in table.rows))
        return [(f"{t} at inference", "m.top1", [r for r in table.rows if r.cells["test"].text == t]) for t in tests]
    compared = {r.id for r in compared_rows(context, declared)}
    return [("", "m.top1", [r for r in table.rows if r.id in compared])]


def _by_clips(title: str, column: str, rows: Sequence[Row]) -> list[tuple[str, str, Sequence[Row]]]:
    """The same for each kind of clips that its numbers are of."""
    kinds = dict.fromkeys(r.clips for r in rows if r.cells[column].value is not None)
    if len(kinds) < 2:
        return [(title, column, rows)]
    return [(", ".join(filter(None, (title, kind))), column, [r for r in rows if r.clips == kind]) for kind in kinds]


def _best(title: str, table: Table, column: str, rows: Sequence[Row], top: int, ordered: bool) -> Best:
    """The measured rows, the best first where they are to be ``ordered``."""
    common = [r for r in rows if not r.apart]
    shown = [(r.cells[table.columns[0].id].text, r.cells[column]) for r in common if r.cells[column].value is not None]
    if ordered:
        shown.sort(key=lambda pair: -(pair[1].value or 0.0))
    rest = f.count(len(shown) - top, "more row") if len(shown) > top else ""
    return Best(title, tuple(shown[:top]), rest)


VIEW = View("Tables", 10, build)
