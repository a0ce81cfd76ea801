"""Tables with a row for each method and pair of training and inference modalities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.suite import Entry
from harness.suite import benchmark as suite
from harness.suite.modalities import DERIVED_FROM
from reports import format as f
from reports.ledger.context import ReportContext
from reports.tables.claimed import claimed, corrected
from reports.tables.columns import against, against_column, finished, remark_cells, remark_columns
from reports.tables.measured import absent_cells, measured_columns
from reports.tables.method_cells import (
    NO_FOLDER,
    PROTOCOL,
    Standings,
    asked,
    backbone_name,
    clips_of,
    entry_cells,
    facets,
    fused,
    listed_entries,
    method_cell,
    own_protocol,
    protocol_of,
    ranked,
    unranked_protocol,
)
from reports.tables.ranking import RANK, rank
from reports.tables.table import Cell, Column, Row, Table
from reports.tables.training import row_start


@dataclass(frozen=True)
class _Line:
    """A row to be: a claim, the entry that answers it, or both."""

    title: str
    method: str
    train: Sequence[str]
    test: str
    claim: suite.MethodClaim | None
    entry: Entry | None


def by_training(context: ReportContext, table: suite.Table) -> Table:
    """The table of a declaration with this layout. Only rows with the same inference modalities are ranked together."""
    entries = listed_entries(context, table)
    by_test: dict[str, list[Entry]] = {}
    for e in entries:
        by_test.setdefault(e.test_modality, []).append(e)
    standings: Standings = {}
    for own in by_test.values():
        found = [r for e in ranked(own) if (r := context.result(e.name)) is not None]
        standings |= rank(found, asked(context, own))
    rows = [
        Row(
            f"{line.title}/{i}",
            _cells(context, table, line, standings),
            ours=line.claim is None,
            facets=facets(context, [line.entry])
            if line.entry
            else {"Modality": (f.modalities(line.test),), "Training streams": (f.modalities(line.train),)},
            field=line.test,
            clips=clips_of([line.entry.name] if line.entry else [], context),
            apart=unranked_protocol(context, [line.entry] if line.entry else []),
        )
        for i, line in enumerate(_lines(table, entries))
    ]
    results = [context.result(e.name) for own in by_test.values() for e in own]
    return finished(context, table, _columns(context, table), rows, table.claims, results)


def _columns(context: ReportContext, table: suite.Table) -> list[Column]:
    return [
        Column("method", "Method"),
        PROTOCOL,
        Column("train", "Training"),
        Column("test", "Inference", key="beside"),
        Column(
            "claimed",
            "Claimed top-1 (%)",
            origin="claimed",
            group="Claimed",
            numeric=True,
            short="Draft",
            explain="printed in the draft; the number links to its source",
        ),
        Column(
            "corrected",
            "In its own paper (%)",
            short="Own paper",
            origin="claimed",
            group="Claimed",
            numeric=True,
            explain="where the method's own paper differs from the draft",
        ),
        *measured_columns(
            "m.", "Measured", RANK + "; only rows with the same inference modalities are ranked together"
        ),
        *([against_column()] if context.clips.comparable(table.dataset) else []),
        *remark_columns(table),
    ]


def _lines(table: suite.Table, entries: list[Entry]) -> Iterator[_Line]:
    """The paper's rows with the entry that answers each, then the entries that the paper's table lacks."""
    taken: set[str] = set()
    for claim in table.claims:
        answers = (e for e in entries if _same_regime(claim, e) and e.name not in taken)
        own = min(answers, key=lambda e: bool(e.protocol), default=None)  # the common protocol first
        taken |= {own.name} if own else set()
        yield _Line(claim.title, claim.method, claim.train, claim.test, claim, own)
    rest = (e for e in entries if e.name not in taken)
    for e in sorted(rest, key=lambda e: (e.title.lower(), bool(e.protocol), e.test_modality != "rgb")):
        yield _Line(e.title, e.method, e.train_modalities, e.test_modality, None, e)


def _same_regime(claim: suite.MethodClaim, entry: Entry) -> bool:
    """Whether an entry answers a claim. What is computed from RGB is no modality of its own."""
    trained = set(entry.train_modalities) - set(DERIVED_FROM)
    return (claim.method, set(claim.train), claim.test) == (entry.method, trained, entry.test_modality)


def _cells(context: ReportContext, table: suite.Table, line: _Line, standings: Standings) -> dict[str, Cell]:
    claim, entry = line.claim, line.entry
    sub = backbone_name(entry) if entry and _has_several(context, table, entry) else ""
    start = row_start(context, [context.result(entry.name)] if entry else ())
    cells = {
        "method": method_cell(
            line.title, entry, "; ".join(filter(None, (own_protocol(entry) or sub, fused(entry), start)))
        ),
        "protocol": Cell(protocol_of([entry] if entry else [])),
        "train": Cell(f.modalities(line.train)),
        "test": Cell(f.modalities(line.test)),
        "claimed": claimed(claim, context.benchmark),
        "corrected": corrected(claim, context.benchmark),
    }
    cells |= remark_cells(table, [claim] if claim else [])
    if entry is not None:
        cells |= entry_cells(context, entry, "m.", standings)
    elif any(e.method == line.method for e in context.entries.values()):
        cells |= absent_cells("no config", "no config of this method with these modalities", "m.")
    else:
        cells |= absent_cells(*NO_FOLDER, "m.")
    if context.clips.comparable(table.dataset):
        cells["against"] = against(context.result(entry.name) if entry and not entry.protocol else None, claim)
    return cells


def _has_several(context: ReportContext, table: suite.Table, entry: Entry) -> bool:
    """Whether the table shows the method with more than one backbone."""
    return len({backbone_name(e) for e in ranked(listed_entries(context, table)) if e.method == entry.method}) > 1
