"""Tables with a row for each method and, per test modality, its claimed and its measured columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.suite import Entry
from harness.suite import benchmark as suite
from reports import format as f
from reports.ledger.context import ReportContext
from reports.tables.claimed import claimed
from reports.tables.columns import against, against_column, finished, remark_cells, remark_columns
from reports.tables.measured import absent_cells, measured_columns
from reports.tables.method_cells import (
    NO_FOLDER,
    OWN_PROTOCOL,
    PROTOCOL,
    Standings,
    architecture,
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

Group = dict[str, Entry]  # test modality -> entry


@dataclass(frozen=True)
class _Line:
    """A row to be: a method as the paper's table lists it, as there are configs of it, or both."""

    title: str
    claims: list[suite.MethodClaim]
    group: Group
    listed: bool  # the paper's table has it
    sub: str = ""


def by_modality(context: ReportContext, table: suite.Table) -> Table:
    """The table of a declaration with this layout."""
    groups = _entry_groups(context, table)
    entries = {c.modality: [g[c.modality] for g in groups.values() if c.modality in g] for c in table.columns}
    standings = {}
    for m, own in entries.items():
        found = [r for e in ranked(own) if (r := context.result(e.name)) is not None]
        standings[m] = rank(found, asked(context, own))
    rows = [
        Row(
            f"{line.title}/{i}",
            _cells(context, table, line, standings),
            ours=not line.listed,
            facets=facets(context, list(line.group.values()), line.claims[0].backbone if line.claims else ""),
            field=table.id,
            clips=clips_of([e.name for e in line.group.values()], context),
            apart=unranked_protocol(context, line.group.values()),
        )
        for i, line in enumerate(_lines(table, groups))
    ]
    results = [context.result(e.name) for own in entries.values() for e in own]
    return finished(context, table, _columns(context, table), rows, table.claims, results)


def _columns(context: ReportContext, table: suite.Table) -> list[Column]:
    comparable = context.clips.comparable(table.dataset)
    columns = [Column("method", "Method"), Column("backbone", "Backbone", detail=True, toggle="Backbone"), PROTOCOL]
    for c in table.columns:
        p = c.modality + "."
        columns.append(
            Column(
                p + "claimed",
                "Claimed top-1 (%)",
                origin="claimed",
                group=c.title,
                numeric=True,
                short="Claimed",
                explain="printed in a paper; the number links to its source",
            )
        )
        columns += measured_columns(p, c.title, RANK)
        columns += [against_column(p, c.title)] if comparable else []
    return columns + remark_columns(table)


def _entry_groups(context: ReportContext, table: suite.Table) -> dict[tuple[str, str], Group]:
    """Entries of one method and backbone, by test modality; those of a protocol of their own apart, and last."""
    groups: dict[tuple[str, str], Group] = {}
    for entry in sorted(listed_entries(context, table), key=lambda e: bool(e.protocol)):
        key = (entry.method, own_protocol(entry) or backbone_name(entry))
        if entry.test_modality in groups.get(key, {}):
            key = (entry.method, "; ".join(filter(None, (own_protocol(entry), entry.name))))
        groups.setdefault(key, {})[entry.test_modality] = entry
    return groups


def _lines(table: suite.Table, groups: dict[tuple[str, str], Group]) -> Iterator[_Line]:
    """The paper's rows, each followed by further backbones of its method; then the methods that only we have.

    A protocol of its own answers a claim only where nothing of the common one does.
    """
    by_title: dict[tuple[str, str], list[suite.MethodClaim]] = {}
    for claim in table.claims:
        by_title.setdefault((claim.method, claim.title), []).append(claim)
    taken = set()
    for (method, title), claims in by_title.items():
        own = [k for k in groups if k[0] == method and k not in taken]
        taken.update(own)
        answer = own[0] if own else (method, "")
        apart = answer[1] if answer[1].startswith(OWN_PROTOCOL) else ""
        yield _Line(title, claims, groups.get(answer, {}), True, apart)
        for k in own[1:]:
            yield _Line(title, [], groups[k], False, k[1])
    rest = sorted((k for k in groups if k not in taken), key=lambda k: _title(groups[k]).lower())
    for k in rest:
        several = sum(_title(groups[k]) == _title(groups[o]) for o in rest) > 1
        shown = several or k[1].startswith(OWN_PROTOCOL)
        yield _Line(_title(groups[k]), [], groups[k], False, k[1] if shown else "")


def _title(group: Group) -> str:
    return next(iter(group.values())).title


def _cells(
    context: ReportContext, table: suite.Table, line: _Line, standings: Mapping[str, Standings]
) -> dict[str, Cell]:
    entry = next(iter(line.group.values()), None)
    first = line.claims[0] if line.claims else None
    start = row_start(context, (context.result(e.name) for e in line.group.values()))
    cells = {
        "method": method_cell(
            line.title,
            entry,
            "; ".join(filter(None, (line.sub or _extra_training(line.group), *_fused(line.group), start))),
        ),
        "backbone": Cell((first.backbone if first else "") or (architecture(entry) if entry else f.DASH)),
        "protocol": Cell(protocol_of(line.group.values())),
    }
    for c in table.columns:
        prefix, own = c.modality + ".", line.group.get(c.modality)
        claim = next((x for x in line.claims if x.test == c.modality), None)
        lost = suite.Claim() if line.listed and not any(x.test for x in line.claims) else None
        cells[prefix + "claimed"] = claimed(claim or lost, context.benchmark)
        if own is not None:
            cells |= entry_cells(context, own, prefix, standings[c.modality])
        elif entry is not None:
            cells |= absent_cells("no config", "no config of this method for this column", prefix)
        else:
            cells |= absent_cells(*NO_FOLDER, prefix)
        if context.clips.comparable(table.dataset):
            cells[prefix + "against"] = against(context.result(own.name) if own and not own.protocol else None, claim)
    return cells | remark_cells(table, line.claims)


def _fused(group: Group) -> list[str]:
    """Which of a row's numbers are of networks that were trained apart."""
    return [f"{f.modalities(m)}: {how}" for m, e in group.items() if (how := fused(e))]


def _extra_training(group: Group) -> str:
    """What a method trains with beyond what it is tested on."""
    extra = {m for e in group.values() for m in e.train_modalities if m not in e.test_modalities}
    return f"trains with {f.modalities(sorted(extra))} as well" if extra else ""
