"""``leaderboard.json``: everything on the pages, as data, and the schema that it follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reports.ledger.context import ReportContext
from reports.ledger.numbers import numbers
from reports.ledger.results import Run
from reports.page import Page
from reports.site.pages import tables_of, verdicts_of
from reports.tables import export
from reports.tables.verdict import to_json

SCHEMA_VERSION = 1  # counts up when a field goes or changes its meaning
SCHEMA_PLACE = "downloads/leaderboard.schema.json"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DataSet(_Part):
    title: str
    synthetic: bool | None  # of the runs or any of their stages; null where no run says
    synthetic_data: list[str]


class PresentRun(_Part):
    """What became of the run that the last plan asks for, where an older one is shown in its place."""

    key: str
    status: Literal["failed", "missing", "blocked", "unplanned", "rejected"]
    reason: str
    page: str


class RunLine(_Part):
    """A cell at one seed."""

    cell: str
    method: str
    dataset: str
    test_modality: str
    train_modalities: list[str]
    protocol: str  # "common", or the method's own; "" where no config says
    seed: int
    key: str
    status: Literal["done", "failed", "missing", "blocked", "unplanned", "rejected"]
    reason: str
    page: str
    date: str  # when it ended, ISO 8601; "" where there is no record
    commit: str
    synthetic: list[str] | None  # data sets that it or its stages saw
    older: bool  # of another config, code or data than the last plan's
    metrics: dict[str, float]  # by names that say the unit
    adopted: str = ""
    adopted_from: str = ""
    present: PresentRun | None = None


class Column(_Part):
    id: str
    title: str
    group: str
    origin: Literal["text", "claimed", "measured"]
    numeric: bool
    unit: str = ""  # of its values, where the title does not say it


class Cell(_Part):
    text: str
    value: float | None = None  # unrounded
    sub: str = ""
    state: str = ""
    warn: str = ""
    href: str = ""
    mark: str = ""
    why: str = ""  # why it is empty


class Row(_Part):
    group: str
    apart: str = ""  # the protocol of its own for which it is not ranked with the other rows
    cells: dict[str, Cell]  # by the id of the column


class TableData(_Part):
    id: str
    title: str
    caption: str
    verdict: str
    notes: list[str]
    sources: list[dict[str, str]]
    columns: list[Column]
    rows: list[Row]


class VerdictLine(_Part):
    """The sentence of a table, or of one of its columns (``reports.tables.verdict.Verdict``)."""

    table: str
    title: str
    column: str
    state: Literal["best", "tied", "provisional", "alone", "none"]
    text: str
    basis: str
    best: str
    tied: list[str]
    line: str


class Leaderboard(_Part):
    """The file. ``date`` is that of the newest run: the same ledger gives the same file."""

    schema_version: Literal[1]
    json_schema: str  # where it lies, from the file
    title: str
    date: str
    profile: str
    profiles: dict[str, str] = Field(description="further profiles -> their leaderboard.json")
    seeds: int
    commit: str
    commits: list[str]
    ledgers: list[str]
    rejected: dict[str, int] = Field(description="ledger -> how many of its records are not trusted; none: left out")
    synthetic: bool | None
    synthetic_data: list[str]
    command: str
    datasets: dict[str, DataSet]
    runs: list[RunLine]
    verdicts: list[VerdictLine]
    without_row: dict[str, str] = Field(description="table -> which runs are in no row of it, in a sentence")
    tables: list[TableData]


def leaderboard(context: ReportContext, pages: Sequence[Page]) -> dict[str, Any]:
    """What ``Leaderboard`` describes; fields that are empty for a run or cell may be left out. Runs, tables and their
    rows are iterators: of many runs they are large."""
    return {
        "schema_version": SCHEMA_VERSION,
        "json_schema": SCHEMA_PLACE,
        "title": context.benchmark.title,
        "date": context.date,
        "profile": context.profile,
        "profiles": {p: place.replace("index.html", "leaderboard.json") for p, place in context.profiles.items()},
        "seeds": context.ledger.seeds,
        "commit": context.commit,
        "commits": context.commits,
        "ledgers": context.ledger.names,
        "rejected": context.ledger.rejected_by_name,
        "synthetic": context.clips.synthetic(),
        "synthetic_data": list(context.clips.synthetic_names() or ()),
        "command": context.command,
        "datasets": {
            d: {
                "title": context.clips.title(d),
                "synthetic": context.clips.synthetic(d),
                "synthetic_data": list(context.clips.synthetic_names(d) or ()),
            }
            for d in context.datasets
        },
        "runs": (_run(context, r) for r in context.ledger.runs),
        "verdicts": [v for i, (title, _, said) in verdicts_of(pages).items() for v in to_json(said, i, title)],
        "without_row": context.without_row,
        "tables": (export.to_json(t) for t in tables_of(pages)),
    }


def _run(context: ReportContext, run: Run) -> dict[str, Any]:
    record, cell = run.record, run.cell
    adopted = record is not None and record.adopted_from
    return {
        "cell": cell.id,
        "method": cell.method,
        "dataset": cell.dataset,
        "test_modality": cell.test_modality,
        "train_modalities": list(cell.train_modalities),
        "protocol": context.protocol(cell.model),
        "seed": cell.seed,
        "key": cell.key,
        "status": run.status,
        "reason": run.reason,
        "page": run.page,
        "date": record.finished if record is not None else "",
        "commit": record.commit if record is not None else "",
        "synthetic": None if run.synthetic is None else list(run.synthetic),
        "older": context.ledger.results[cell.id].older and run.status == "done",
        "metrics": numbers(record) if record is not None and run.status == "done" else {},
        **({"adopted": record.adopted, "adopted_from": record.adopted_from} if record is not None and adopted else {}),
        **_present(context, run),
    }


def _present(context: ReportContext, run: Run) -> dict[str, Any]:
    """``RunLine.present``; nothing where the run itself is the present one."""
    present = context.ledger.results[run.cell.id].present
    other = next((x for x in present if x.cell.seed == run.cell.seed and x is not run), None)
    if other is None:
        return {}
    return {
        "present": {"key": other.cell.key, "status": other.status, "reason": other.reason, "page": other.page},
    }
