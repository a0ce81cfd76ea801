"""The evidence page: what the paper says, held against the runs of Table 4 and its controls by paired tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.suite import benchmark as suite
from harness.suite.cells import cell_id
from reports import format as f
from reports.ledger.command import given
from reports.ledger.context import ReportContext
from reports.ledger.results import Result
from reports.page import Card, Page, View
from reports.tables.differences import Difference, adjusted, difference, difference_cells, difference_columns
from reports.tables.measured import cells_or_absent, measured_columns
from reports.tables.table import Cell, Column, Link, Row, Table
from reports.views.evidence.claims import UNMEASURED, Verdict, evaluate_claims, summary
from reports.views.evidence.drawn import Drawn, drawn_tables, files

Listed = tuple[str, suite.Row, str]  # cell, row, heading


@dataclass(frozen=True)
class EvidenceView:
    """All that a page shows. ``short`` says why this is no evidence yet, "" where it is."""

    id: str
    title: str
    caption: str
    short: str
    seeds: int  # that are asked for
    command: str
    summary: str
    questions: tuple[tuple[str, tuple[Verdict, ...]], ...]
    rows: Table
    statements: Table
    drawn: tuple[Drawn, ...]
    tables: tuple[str, ...]  # whose runs it is about


def build(context: ReportContext) -> Iterator[Page]:
    """A page for each declaration of which something has been measured; one alone has the short entry "Evidence"."""
    made = [(d, view) for d in context.benchmark.evidence if (view := _view(context, d)) is not None]
    for declared, view in made:
        yield Page(
            f"{view.id}.html",
            "evidence.html.j2",
            {"view": view, "unmeasured": UNMEASURED},
            nav=view.title if len(made) > 1 else VIEW.title,
            tables=(view.statements, view.rows, *(d.table for d in view.drawn)),
            files=files(context, declared, view.drawn),
            card=_card(context, view),
            links={d.table.id: Link(_name(d), f"{view.id}.html#{d.table.id}") for d in view.drawn},
        )


def _name(drawn: Drawn) -> str:
    return drawn.table.title.split(".")[0]


def _card(context: ReportContext, view: EvidenceView) -> Card:
    """What the overview says of the page, and of the tables drawn on it that were asked for."""
    tables = [*view.tables, *(d.table.id for d in view.drawn)]
    asked = any(t in context.ledger.tables or context.ledger.has_own_runs(t) for t in tables)
    said = {d.table.id: d.verdicts for d in view.drawn if d.table.id in context.ledger.tables}
    return Card(view.title, view.caption, asked, finding=view.short or view.summary, verdicts=said)


def _view(context: ReportContext, declared: suite.Evidence) -> EvidenceView | None:
    rows = _rows(context, declared)
    results = [context.result(cell) for cell, _, _ in rows]
    drawn = tuple(drawn_tables(context, declared))
    if not any(r is not None and r.done for r in results) and not any(d.drawing for d in drawn):
        return None
    verdicts = evaluate_claims(context, declared)
    questions: dict[str, list[Verdict]] = {}
    for v in verdicts:
        questions.setdefault(v.statement.question, []).append(v)
    return EvidenceView(
        id=declared.id,
        title=declared.title,
        caption=declared.caption,
        short=_short(context, declared, verdicts),
        seeds=declared.seeds,
        command=command(context, declared),
        summary=summary(verdicts),
        questions=tuple((q, tuple(vs)) for q, vs in questions.items()),
        rows=_rows_table(context, declared, rows, results),
        statements=_statements_table(context, declared, verdicts),
        drawn=drawn,
        tables=tuple(declared.tables),
    )


def command(context: ReportContext, declared: suite.Evidence) -> str:
    """The command that makes the evidence."""
    profile = "demo" if context.profile == "smoke" else context.profile
    seeds = max(declared.seeds, context.ledger.seeds)
    asked = [f"--tables {','.join(declared.tables)}", f"--seeds {seeds}", *given(context.ledger)]
    asked += ["--data-root DIR"] if context.clips.real_data else []
    return " ".join([f"python -m harness run-all --profile {profile}", *asked])


def _short(context: ReportContext, declared: suite.Evidence, verdicts: list[Verdict]) -> str:
    if context.profile == "smoke":
        return "The smoke profile trains for a few steps: it shows that everything runs, and is evidence of nothing."
    fewest = min((len(v.difference.seeds) for v in verdicts if v.difference is not None), default=0)
    if fewest < declared.seeds:
        return f"This is not evidence yet: {fewest} of {f.count(declared.seeds, 'seed')}."
    return ""


def _rows(context: ReportContext, declared: suite.Evidence) -> list[Listed]:
    """All rows of the tables, each cell once."""
    found: dict[str, Listed] = {}
    for table in context.benchmark.tables:
        if table.id in declared.tables:
            for row in table.rows:
                cell = cell_id(row.model, row.variant)
                found.setdefault(cell, (cell, row, row.group or table.title.split(".")[0]))
    order = list(dict.fromkeys(group for _, _, group in found.values()))
    return sorted(found.values(), key=lambda r: order.index(r[2]))


def _rows_table(
    context: ReportContext, declared: suite.Evidence, rows: list[Listed], results: list[Result | None]
) -> Table:
    references = {"base": declared.baseline, "full": declared.method}
    named = {cell: row.title for cell, row, _ in rows}
    columns = [Column("row", "Row"), Column("cell", "Cell", page=False), *measured_columns("m.")]
    for prefix, cell in references.items():
        columns += difference_columns(prefix, f"Against {named.get(cell, cell)}")
    columns.append(Column("shows", "What it shows", page=False))
    compared = {prefix: _column(cell, context.result(cell), rows, results) for prefix, cell in references.items()}
    made = []
    for i, ((cell, row, group), result) in enumerate(zip(rows, results, strict=True)):
        cells = {"row": Cell(row.title), "cell": Cell(cell), "shows": Cell(row.shows)}
        cells |= cells_or_absent(result, context.absent(cell), "m.")
        for prefix in references:
            cells |= difference_cells(prefix, compared[prefix][i])
        made.append(Row(cell, cells, group, ours=row.claim is None))
    return Table(
        declared.id,
        "Every row and its differences",
        "Rows of Table 4 and its controls; differences in points over the seeds "
        "that both rows have, on the same clips.",
        tuple(columns),
        tuple(made),
        tuple(note for note in (context.training_note(results), *context.mark_notes(results)) if note),
        (),
        context.clips.comparability(declared.dataset, claimed=False),
    )


def _column(
    own: str, reference: Result | None, rows: list[Listed], results: list[Result | None]
) -> list[Difference | str]:
    """Every row against a reference, p values adjusted within the column."""
    found = [
        "the row that the others are compared with" if cell == own else difference(result, reference)
        for (cell, _, _), result in zip(rows, results, strict=True)
    ]
    return adjusted(found, len(found) - 1)


def _statements_table(context: ReportContext, declared: suite.Evidence, verdicts: list[Verdict]) -> Table:
    columns = (
        Column("statement", "Statement"),
        Column("outcome", "Outcome", key="value"),
        *difference_columns("d", ""),
        Column("compared", "Compared", page=False),
    )
    rows = tuple(
        Row(
            str(i),
            {
                "statement": Cell(v.statement.says[:1].upper() + v.statement.says[1:]),
                "outcome": Cell(v.outcome),
                **difference_cells("d", v.difference or v.text),
                "compared": Cell(f"{v.statement.better} against {v.statement.than}"),
            },
            v.statement.question,
        )
        for i, v in enumerate(verdicts)
    )
    decided = [v.statement for v in verdicts if v.difference is not None]
    compared = [context.result(cell) for s in decided for cell in (s.better, s.than)]
    return Table(
        f"{declared.id}_statements",
        "The statements in numbers",
        summary(verdicts),
        columns,
        rows,
        context.mark_notes(compared),
        (),
        context.clips.comparability(declared.dataset, claimed=False),
    )


VIEW = View("Evidence", 30, build, shown=lambda context: bool(context.benchmark.evidence))
