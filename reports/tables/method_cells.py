"""What tables of methods share: which entries they show, and the cells of one of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.suite import Entry
from harness.suite import benchmark as suite
from harness.suite.cells import in_methods_table
from reports import format as f
from reports.ledger.context import ReportContext
from reports.stats.ranks import Standing
from reports.tables.measured import absent_cells, measured_cells
from reports.tables.settings import start_kind, trained_runs
from reports.tables.table import Cell, Column

Standings = dict[str, Standing | str]
OWN_PROTOCOL = "own protocol: "
STARTS = {"pretrained": "pretrained", "stages": "weights of its stages", "scratch": "from scratch"}
PROTOCOL = Column(
    "protocol",
    "Protocol",
    page=False,
    explain="common, or the method's own: what has its own is not ranked with the others",
)
NO_FOLDER = ("not implemented yet", "no config of this method in mm_configs yet")


def listed_entries(context: ReportContext, table: suite.Table) -> list[Entry]:
    """Entries that a table of methods shows."""
    return [e for e in context.entries.values() if in_methods_table(e, table)]


def ranked(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that can be ranked with each other: those of the common protocol."""
    return [e for e in entries if not e.protocol]


def asked(context: ReportContext, entries: Iterable[Entry]) -> int:
    """How many of a column's entries the benchmark asks to be ranked: all but what the profile leaves out and nobody
    planned, and what has a protocol of its own.
    """
    return sum(not context.leaves_out(e.name) for e in ranked(entries))


def fused(entry: Entry | None) -> str:
    """What a row says of an entry that trains no network of its own, "" for any other."""
    trains = entry is None or {"trains", "renders"} & set(entry.role.does)
    return "" if trains or entry is None else entry.role.title.lower()


def own_protocol(entry: Entry | None) -> str:
    """What a row says of an entry whose protocol is not the common one, "" for any other."""
    return f"{OWN_PROTOCOL}{entry.protocol}" if entry is not None and entry.protocol else ""


def unranked_protocol(context: ReportContext, entries: Iterable[Entry]) -> str:
    """The protocol of its own that a row's measured values have; "" where they have none, and where nothing is
    measured."""
    return next((e.protocol for e in measured_apart(context, entries)), "")


def measured_apart(context: ReportContext, entries: Iterable[Entry]) -> list[Entry]:
    """The entries that are measured and not ranked, since their protocol is their own."""
    own = [e for e in entries if e.protocol]
    return [e for e in own if (result := context.result(e.name)) is not None and result.done]


def clips_of(cells: Iterable[str], context: ReportContext) -> str:
    """What the numbers of a row are measured on, where those of the data set are of several kinds of clips, else ""."""
    results = (context.result(i) for i in cells)
    return " and ".join(dict.fromkeys(r.clips for r in results if r is not None and r.done and r.clips))


def protocol_of(entries: Iterable[Entry]) -> str:
    """What the downloads say of a row: ``common`` or the protocol of its own; "" without an entry."""
    return "; ".join(dict.fromkeys(e.protocol or "common" for e in entries))


def backbone_name(entry: Entry) -> str:
    """The entry's name without data set and modality: ``i3d_r50`` of ``i3d_r50_mgr-dark-rgb``."""
    return entry.name.split(f"_{entry.dataset.replace('_', '-')}-")[0]


def architecture(entry: Entry) -> str:
    """The family of a method's network, or its parts."""
    family, parts = entry.metadata.get("Family"), entry.metadata.get("Architecture")
    if family:
        return str(family)
    return ", ".join(map(str, parts)) if isinstance(parts, list) else str(parts or f.DASH)


def method_cell(title: str, entry: Entry | None = None, sub: str = "") -> Cell:
    """A method's name, linked to its place on the methods page."""
    if entry is None:
        return Cell(title, sub=sub)
    return Cell(title, sub=sub, href="methods.html#" + anchor(entry.method), title=str(entry.paper.get("Title") or ""))


def facets(context: ReportContext, entries: Sequence[Entry], backbone: str = "") -> dict[str, tuple[str, ...]]:
    """What the row of these entries can be filtered by: name -> values; what is not known of a row has none."""
    starts = {
        STARTS[start_kind(run)]
        for e in entries
        if (result := context.result(e.name)) is not None
        for record in result.done
        for run in trained_runs(record, context.ledger.records)
    }
    found = {
        "Backbone": [backbone or architecture(e) for e in entries] or [backbone],
        "Modality": [f.modalities(e.test_modality) for e in entries],
        "Training streams": [f.modalities(e.train_modalities) for e in entries],
        "Start": sorted(starts),
    }
    return {
        name: own for name, v in found.items() if (own := tuple(x for x in dict.fromkeys(v) if x not in ("", f.DASH)))
    }


def anchor(text: str) -> str:
    """An id for a fragment link."""
    return "m-" + "".join(c if c.isalnum() else "-" for c in text.lower())


def entry_cells(context: ReportContext, entry: Entry, prefix: str, standings: Standings) -> dict[str, Cell]:
    """The measured cells of an entry with its rank."""
    result = context.result(entry.name)
    if result is None:
        return absent_cells(*context.absent(entry.name), prefix)
    apart = f"{own_protocol(entry)}; not ranked with the common one" if entry.protocol else ""
    return measured_cells(result, prefix, apart or standings.get(result.id, "no predictions to compare"))
