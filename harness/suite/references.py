"""What ``benchmark.yml`` names must be there: data sets, sources, profiles, cells and each other's parts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from harness.errors import unknown_name
from harness.suite.benchmark import Benchmark
from harness.suite.cells import cell_id
from harness.suite.entries import Entry
from harness.suite.modalities import TITLES
from harness.suite.tables import Claim, check_distinct


class Reference(NamedTuple):
    """A name at a place of the file, and the names that there are."""

    where: str
    what: str
    name: object
    known: Collection[object]


def check_references(benchmark: Benchmark, entries: Mapping[str, Entry], profiles: Collection[str]) -> None:
    """Raise ValueError for the first name that nothing has: whatever it stands for would be left out in silence.

    What ``quick`` names is checked where it is asked for, and models of rows where cells are made of them.
    """
    check_distinct("datasets: training_data", (d.training_data for d in benchmark.datasets.values()))
    for r in _references(benchmark, entries, profiles):
        if r.name not in r.known:
            raise ValueError(f"{r.where}: {unknown_name(r.what, r.name, r.known)}")


def _references(b: Benchmark, entries: Mapping[str, Entry], profiles: Collection[str]) -> Iterator[Reference]:
    for where, names in (("seeds", b.seeds), ("init", b.init)):
        yield from (Reference(where, "profile", name, profiles) for name in names)
    for name, dataset in b.datasets.items():
        where = f"datasets.{name}.training_std"
        yield from (Reference(where, "profile", profile, profiles) for profile in dataset.training_std)
    yield from _sources(b)
    for kind, own in (("table", b.tables), ("figure", b.figures), ("evidence", b.evidence)):
        yield from (Reference(f"{kind} '{x.id}': dataset", "data set", x.dataset, b.datasets) for x in own)
    for table in b.tables:
        marks = [m.id for m in table.marks]
        for row in table.rows:
            yield from (Reference(f"table '{table.id}': row '{row.id}': marks", "mark", m, marks) for m in row.marks)
        for claim in table.claims:
            where = f"table '{table.id}': claim of {claim.method}: train"
            yield from (Reference(where, "modality", m, TITLES) for m in claim.train)
    for figure in b.figures:
        for sweep in figure.sweeps:
            values = sorted({*sweep.values, *sweep.smoke})
            yield Reference(f"figure '{figure.id}': sweep '{sweep.id}': default", "value", sweep.default, values)
        at, sweeps = figure.claim.at if figure.claim else {}, [s.id for s in figure.sweeps]
        yield from (Reference(f"figure '{figure.id}': claim: at", "sweep", i, sweeps) for i in at)
    yield from _evidence(b, entries)


def _sources(b: Benchmark) -> Iterator[Reference]:
    claims: list[tuple[str, Claim | None]] = [
        *((f"table '{t.id}'", claim) for t in b.tables for claim in (*t.claims, *(r.claim for r in t.rows))),
        *((f"figure '{figure.id}'", figure.claim) for figure in b.figures),
    ]
    named = [(w, n) for w, c in claims if c is not None for n in (c.source, c.corrected_source)]
    for where, name in [*named, ("table1", b.table1.source)]:
        if name:
            yield Reference(f"{where}: source", "source", name, b.sources)


def _evidence(b: Benchmark, entries: Mapping[str, Entry]) -> Iterator[Reference]:
    cells = {*entries, *(cell_id(r.model, r.variant) for t in b.tables for r in t.rows)}
    for page in b.evidence:
        where = f"evidence '{page.id}'"
        yield from (Reference(f"{where}: tables", "table", t, [x.id for x in b.tables]) for t in page.tables)
        named = [("method", page.method), ("baseline", page.baseline)]
        named += [("statements", cell) for s in page.statements for cell in (s.better, s.than)]
        yield from (Reference(f"{where}: {part}", "cell", cell, cells) for part, cell in named)
