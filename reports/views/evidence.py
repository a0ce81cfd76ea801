"""The evidence page: what the paper says, held against the runs of Table 4 and its controls by paired tests."""

from __future__ import annotations

from dataclasses import dataclass

from harness.suite import benchmark as suite
from harness.suite.cells import cell_id
from reports import format as f
from reports.ledger.context import Board
from reports.ledger.results import Result
from reports.tables.cells import absent_cells, measured_cells, measured_columns
from reports.tables.differences import Difference, adjusted, difference, difference_cells, difference_columns
from reports.tables.table import Cell, Column, Row, Table

ALPHA = 0.05
FOUND, NOT_FOUND, UNTESTED, UNMEASURED = "found", "not found", "too few seeds", "not measured"


@dataclass(frozen=True)
class Verdict:
    """A statement and what became of it."""

    statement: suite.Statement
    outcome: str  # FOUND | NOT_FOUND | UNTESTED | UNMEASURED
    text: str  # the whole of it as a sentence
    difference: Difference | None = None


@dataclass(frozen=True)
class EvidenceView:
    """All that a page shows. ``short`` says why this is no evidence yet, "" where it is."""

    id: str
    title: str
    caption: str
    short: str
    command: str
    summary: str
    questions: tuple[tuple[str, tuple[Verdict, ...]], ...]
    rows: Table
    statements: Table


def evidence(board: Board) -> list[EvidenceView]:
    """The pages of a board: those that the benchmark declares and of which something has been measured."""
    views = [_view(board, declared) for declared in board.benchmark.evidence]
    return [v for v in views if v is not None]


def _view(board: Board, declared: suite.Evidence) -> EvidenceView | None:
    rows = _rows(board, declared)
    results = [board.result(cell) for cell, _, _ in rows]
    if not any(r is not None and r.done for r in results):
        return None
    verdicts = judge(board, declared)
    questions: dict[str, list[Verdict]] = {}
    for v in verdicts:
        questions.setdefault(v.statement.question, []).append(v)
    return EvidenceView(
        id=declared.id,
        title=declared.title,
        caption=declared.caption,
        short=_short(board, declared, verdicts),
        command=command(board, declared),
        summary=summary(verdicts),
        questions=tuple((q, tuple(vs)) for q, vs in questions.items()),
        rows=_rows_table(board, declared, rows, results),
        statements=_statements_table(board, declared, verdicts),
    )


def judge(board: Board, declared: suite.Evidence) -> list[Verdict]:
    """What became of each statement. A statement is found where the difference is as large as it says and both tests,
    adjusted for the number of statements, measured or not, give p < 0.05; with fewer seeds than asked for nothing is
    decided."""
    compared = [difference(board.result(s.better), board.result(s.than)) for s in declared.statements]
    known = [i for i, d in enumerate(compared) if isinstance(d, Difference)]
    for i, d in zip(known, adjusted([compared[i] for i in known], len(compared)), strict=True):
        compared[i] = d
    enough = board.profile != "smoke"
    return [_verdict(s, d, declared.seeds, enough) for s, d in zip(declared.statements, compared, strict=True)]


def _verdict(statement: suite.Statement, found: Difference | str, seeds: int, enough: bool) -> Verdict:
    if isinstance(found, str):
        return Verdict(statement, UNMEASURED, f"Not measured: {statement.says} ({found}).")
    n = f.count(len(found.seeds), "seed")
    if len(found.seeds) < seeds or not enough:
        return Verdict(statement, UNTESTED, f"Not decided: {statement.says}. {found.text} so far, {n}.", found)
    tests = f"p {_p(found.p_clips)} over clips, p {_p(found.p_seeds)} over {n}, better in {found.better_in} of them"
    clear = found.p_clips < ALPHA and found.p_seeds < ALPHA
    if clear and found.gap > 0 and 100 * found.gap >= statement.points:
        return Verdict(statement, FOUND, f"Found: {statement.says}. {found.text}; {tests}.", found)
    if clear and found.gap < 0:
        tests += "; the opposite is found"
    elif clear:
        tests += f"; the difference is there, but below {statement.points:g} points"
    return Verdict(statement, NOT_FOUND, f"Not found: {statement.says}. {found.text}; {tests}.", found)


def _p(p: float) -> str:
    text = f.p_value(p)
    return text.replace(" ", "\u00a0") if text.startswith("<") else f"=\u00a0{text}"


def summary(verdicts: list[Verdict]) -> str:
    """How many statements came out which way."""
    counts = {o: sum(v.outcome == o for v in verdicts) for o in (FOUND, NOT_FOUND, UNTESTED, UNMEASURED)}
    names = {FOUND: "found", NOT_FOUND: "not found", UNTESTED: "not decided", UNMEASURED: "not measured"}
    said = [f"{n} {names[o]}" for o, n in counts.items() if n]
    return f"Of {f.count(len(verdicts), 'statement')}: {', '.join(said)}."


def command(board: Board, declared: suite.Evidence) -> str:
    """The command that makes the evidence."""
    profile = "demo" if board.profile == "smoke" else board.profile
    data = " --data-root DIR" if board.real_data else ""
    seeds = max(declared.seeds, board.ledger.seeds)
    return f"python -m harness run-all --profile {profile} --tables {','.join(declared.tables)} --seeds {seeds}{data}"


def _short(board: Board, declared: suite.Evidence, verdicts: list[Verdict]) -> str:
    if board.profile == "smoke":
        return "The smoke profile trains for a few steps: it shows that everything runs, and is evidence of nothing."
    fewest = min((len(v.difference.seeds) for v in verdicts if v.difference is not None), default=0)
    if fewest < declared.seeds:
        return f"This is not evidence yet: {fewest} of {f.count(declared.seeds, 'seed')}."
    return ""


def _rows(board: Board, declared: suite.Evidence) -> list[tuple[str, suite.Row, str]]:
    """Cell, row and heading of all rows of the tables, each cell once."""
    found: dict[str, tuple[str, suite.Row, str]] = {}
    for table in board.benchmark.tables:
        if table.id in declared.tables:
            for row in table.rows:
                cell = cell_id(row.model, row.variant)
                found.setdefault(cell, (cell, row, row.group or table.title.split(".")[0]))
    order = list(dict.fromkeys(group for _, _, group in found.values()))
    return sorted(found.values(), key=lambda r: order.index(r[2]))


def _rows_table(board: Board, declared: suite.Evidence, rows: list, results: list) -> Table:
    references = {"base": declared.baseline, "full": declared.method}
    named = {cell: row.title for cell, row, _ in rows}
    columns = [Column("row", "Row"), Column("cell", "Cell", page=False), *measured_columns("m.")]
    for prefix, cell in references.items():
        columns += difference_columns(prefix, f"Against {named.get(cell, cell)}")
    columns.append(Column("shows", "What it shows", page=False))
    compared = {prefix: _column(cell, board.result(cell), rows, results) for prefix, cell in references.items()}
    made = []
    for i, ((cell, row, group), result) in enumerate(zip(rows, results, strict=True)):
        cells = {"row": Cell(row.title), "cell": Cell(cell), "shows": Cell(row.shows)}
        cells |= (
            measured_cells(result, "m.")
            if result is not None
            else absent_cells("not asked for", board.not_asked, "m.", rank=False)
        )
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
        tuple(note for note in [board.training_note(results)] if note),
        (),
        board.comparability(declared.dataset),
    )


def _column(own: str, reference: Result | None, rows: list, results: list) -> list[Difference | str]:
    """Every row against a reference, p values adjusted within the column."""
    found = [
        "the row that the others are compared with" if cell == own else difference(result, reference)
        for (cell, _, _), result in zip(rows, results, strict=True)
    ]
    known = [i for i, d in enumerate(found) if isinstance(d, Difference)]
    for i, d in zip(known, adjusted([found[i] for i in known], len(found) - 1), strict=True):
        found[i] = d
    return found


def _statements_table(board: Board, declared: suite.Evidence, verdicts: list[Verdict]) -> Table:
    columns = (
        Column("statement", "Statement"),
        Column("outcome", "Outcome"),
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
    return Table(
        f"{declared.id}_statements",
        "The statements in numbers",
        summary(verdicts),
        columns,
        rows,
        (),
        (),
        board.comparability(declared.dataset),
    )
