"""The benchmark's tables, from its declarations and the ledger."""

from __future__ import annotations

from harness.suite import Entry
from harness.suite import benchmark as suite
from harness.suite.cells import in_methods_table
from reports import format as f
from reports.ledger.context import Board
from reports.ledger.results import Result
from reports.tables.by_rows import by_rows
from reports.tables.cells import RANK, absent_cells, claimed, corrected, measured_cells, measured_columns, rank
from reports.tables.columns import against, against_column, architecture, backbone_name, finished, method_cell
from reports.tables.table import Cell, Column, Row, Table
from reports.views.protocol import row_start


def build_table(board: Board, table: suite.Table) -> Table:
    """A table of the benchmark in its layout."""
    layouts = {"by_modality": by_modality, "by_training": by_training, "rows": by_rows}
    return layouts[table.layout](board, table)


def by_modality(board: Board, table: suite.Table) -> Table:
    """Methods in rows; per modality its claimed and its measured columns."""
    comparable = board.comparable(table.dataset)
    columns = [Column("method", "Method"), Column("backbone", "Backbone", detail=True, toggle="Backbone")]
    for c in table.columns:
        p = c.modality + "."
        columns.append(
            Column(
                p + "claimed",
                "Claimed top-1 (%)",
                origin="claimed",
                group=c.title,
                numeric=True,
                explain="printed in a paper; the number links to its source",
            )
        )
        columns += measured_columns(p, c.title, RANK)
        columns += [against_column(p, c.title)] if comparable else []
    remarks = any(c.remark for c in table.claims)
    columns += [Column("remark", "Remark", detail=True, toggle="Remarks")] if remarks else []

    groups = _entry_groups(board, table)
    measured = {
        c.modality: [board.result(g[c.modality].name) for g in groups.values() if c.modality in g]
        for c in table.columns
    }
    standings = {m: rank([r for r in found if r is not None], len(found)) for m, found in measured.items()}
    rows: list[Row] = []

    def add(title: str, claims: list[suite.MethodClaim], group: dict[str, Entry], listed: bool, sub: str = "") -> None:
        entry = next(iter(group.values()), None)
        first = claims[0] if claims else None
        start = row_start(board, (board.result(e.name) for e in group.values()))
        cells = {
            "method": method_cell(title, entry, "; ".join(filter(None, (sub or _extra_training(group), start)))),
            "backbone": Cell((first.backbone if first else "") or (architecture(entry) if entry else f.DASH)),
        }
        for c in table.columns:
            claim = next((x for x in claims if x.test == c.modality), None)
            printed = claim or (suite.Claim() if listed and not any(x.test for x in claims) else None)
            cells[c.modality + ".claimed"] = claimed(printed, board.benchmark)
            cells |= _measured(board, group.get(c.modality), c.modality + ".", standings[c.modality], entry is not None)
            if comparable:
                own = group.get(c.modality)
                cells[c.modality + ".against"] = against(board.result(own.name) if own else None, claim)
        if remarks:
            cells["remark"] = Cell("; ".join(dict.fromkeys(x.remark for x in claims if x.remark)))
        rows.append(Row(f"{title}/{len(rows)}", cells, ours=not listed))

    by_title: dict[tuple[str, str], list[suite.MethodClaim]] = {}
    for claim in table.claims:
        by_title.setdefault((claim.method, claim.title), []).append(claim)
    taken = set()
    for (method, title), claims in by_title.items():
        own = [k for k in groups if k[0] == method and k not in taken]
        taken.update(own)
        add(title, claims, groups[own[0]] if own else {}, True)
        for k in own[1:]:
            add(title, [], groups[k], False, k[1])
    rest = sorted((k for k in groups if k not in taken), key=lambda k: _title(groups[k]).lower())
    for k in rest:
        several = sum(_title(groups[k]) == _title(groups[o]) for o in rest) > 1
        add(_title(groups[k]), [], groups[k], False, k[1] if several else "")
    return finished(board, table, columns, rows, table.claims, [r for found in measured.values() for r in found])


def _title(group: dict[str, Entry]) -> str:
    return next(iter(group.values())).title


def _entry_groups(board: Board, table: suite.Table) -> dict[tuple[str, str], dict[str, Entry]]:
    """Entries of one method and backbone, by test modality."""
    groups: dict[tuple[str, str], dict[str, Entry]] = {}
    for entry in board.entries.values():
        if in_methods_table(entry, table):
            key = (entry.method, backbone_name(entry))
            if entry.test_modality in groups.get(key, {}):
                key = (entry.method, entry.name)
            groups.setdefault(key, {})[entry.test_modality] = entry
    return groups


def _extra_training(group: dict[str, Entry]) -> str:
    """What a method trains with beyond what it is tested on."""
    extra = {m for e in group.values() for m in e.train_modalities if m != e.test_modality}
    return f"trains with {f.modalities(sorted(extra))} as well" if extra else ""


def _measured(board: Board, entry: Entry | None, prefix: str, standings: dict, known: bool) -> dict[str, Cell]:
    if entry is None:
        text = "no config" if known else "not implemented yet"
        why = "no config of this method for this column" if known else "no config of this method in mm_configs yet"
        return absent_cells(text, why, prefix)
    result = board.result(entry.name)
    if result is None:
        return absent_cells("not asked for", board.not_asked, prefix)
    return measured_cells(result, prefix, standings.get(result.id, "no predictions to compare"))


def by_training(board: Board, table: suite.Table) -> Table:
    """One row per method with its training and inference modalities."""
    comparable = board.comparable(table.dataset)
    columns = [
        Column("method", "Method"),
        Column("train", "Training"),
        Column("test", "Inference"),
        Column(
            "claimed",
            "Claimed top-1 (%)",
            origin="claimed",
            group="Claimed",
            numeric=True,
            explain="printed in the draft; the number links to its source",
        ),
        Column(
            "corrected",
            "In its own paper (%)",
            origin="claimed",
            group="Claimed",
            numeric=True,
            explain="where the method's own paper differs from the draft",
        ),
        *measured_columns("m.", "Measured", RANK + "; only rows with the same inference modality are ranked together"),
        *([against_column()] if comparable else []),
        Column("remark", "Remark"),
    ]
    entries = [e for e in board.entries.values() if in_methods_table(e, table)]
    methods = {e.method for e in board.entries.values()}
    by_test: dict[str, list[Result | None]] = {}
    for e in entries:
        by_test.setdefault(e.test_modality, []).append(board.result(e.name))
    standings = {
        i: s for found in by_test.values() for i, s in rank([r for r in found if r is not None], len(found)).items()
    }
    several = {m for m in methods if len({backbone_name(e) for e in entries if e.method == m}) > 1}
    rows: list[Row] = []

    def add(title: str, train, test: str, claim: suite.MethodClaim | None, entry: Entry | None, method: str) -> None:
        sub = backbone_name(entry) if entry and method in several else ""
        start = row_start(board, [board.result(entry.name)] if entry else ())
        measured = (
            _measured(board, entry, "m.", standings, True)
            if entry
            else absent_cells("not implemented yet", "no config of this method in mm_configs yet", "m.")
            if method not in methods
            else absent_cells("no config", "no config of this method with these modalities", "m.")
        )
        cells = {
            "method": method_cell(title, entry, "; ".join(filter(None, (sub, start)))),
            "train": Cell(f.modalities(train)),
            "test": Cell(f.modalities(test)),
            "claimed": claimed(claim, board.benchmark),
            "corrected": corrected(claim, board.benchmark),
            **measured,
            "remark": Cell(claim.remark if claim else ""),
        }
        if comparable:
            cells["against"] = against(board.result(entry.name) if entry else None, claim)
        rows.append(Row(f"{title}/{len(rows)}", cells, ours=claim is None))

    taken: set[str] = set()
    for claim in table.claims:
        own = next((e for e in entries if _same_regime(claim, e) and e.name not in taken), None)
        taken |= {own.name} if own else set()
        add(claim.title, claim.train, claim.test, claim, own, claim.method)
    for e in sorted(
        (e for e in entries if e.name not in taken), key=lambda e: (e.title.lower(), e.test_modality != "rgb")
    ):
        add(e.title, e.train_modalities, e.test_modality, None, e, e.method)
    return finished(board, table, columns, rows, table.claims, [r for found in by_test.values() for r in found])


def _same_regime(claim: suite.MethodClaim, entry: Entry) -> bool:
    """Pseudo-infrared is made from RGB, so it is no modality of its own here."""
    trained = set(entry.train_modalities) - {"pseudo_ir"}
    return (claim.method, set(claim.train), claim.test) == (entry.method, trained, entry.test_modality)
