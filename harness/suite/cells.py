"""Cells: what the tables and figures ask to be measured, enumerated without reading a config."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import PurePath
from typing import Any, NamedTuple

from harness.errors import MOST_SEEDS, BadUsage, unknown_name
from harness.suite.benchmark import Benchmark, Figure, Selection, Table
from harness.suite.dotted import DATA
from harness.suite.entries import Entry


@dataclass(frozen=True)
class Cell:
    """One model entry x variant x seed. ``id`` names it apart from the seed."""

    entry: Entry
    variant: str = ""
    overrides: dict[str, Any] = field(default_factory=dict, hash=False)
    seed: int = 0
    used_by: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return cell_id(self.entry.name, self.variant)

    @property
    def folders(self) -> list[str]:
        """The folders below the data root that it reads in the place of its data set."""
        asked = {k: v for k, v in self.overrides.items() if k.startswith(DATA) and k.endswith(".data_root")}
        return [PurePath(v).name for v in asked.values()]


def cell_id(model: str, variant: str = "") -> str:
    """The id of a cell apart from its seed: the model entry's name, then ``+variant``."""
    return f"{model}+{variant}" if variant else model


def in_methods_table(entry: Entry, table: Table) -> bool:
    """Whether a discovered entry is a row of a table of methods."""
    return (
        entry.dataset == table.dataset
        and entry.role.result
        and entry.test_modality in [c.modality for c in table.columns]
        and not entry.metadata.get("Bound")
    )


def sweep_variant(sweep_id: str, value: float) -> str:
    return f"{sweep_id}={as_said(value)}"


def as_said(value: float) -> str:
    """A number as names have it: six digits, or all where those are another number."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def grid_points(figure: Figure, profile: str) -> list[tuple[float, ...]]:
    """Every pair of values of a figure's grid: (first sweep, second sweep)."""
    return list(product(*(sweep.points(profile) for sweep in figure.sweeps)))


def grid_variant(figure: Figure, values: tuple[float, ...]) -> str:
    return ",".join(sweep_variant(s.id, v) for s, v in zip(figure.sweeps, values, strict=True))


def grid_overrides(figure: Figure, values: tuple[float, ...]) -> dict[str, float]:
    """Both values, also where one is the config's own: such a cell has the key of the sweep's point, and is its run."""
    return {s.key: v for s, v in zip(figure.sweeps, values, strict=True)}


def expand(
    benchmark: Benchmark,
    entries: dict[str, Entry],
    profile: str,
    tables: list[str] | None = None,
    seeds: int | None = None,
    all_methods: bool = False,
) -> list[Cell]:
    """All cells of the chosen tables and figures, each once, in the order of first use.

    Those of methods that the profile leaves out are among them for ``all_methods`` alone.

    Raises:
        ValueError: an unknown table, a row whose model is no entry, or a number of seeds that is out of range.
    """
    n = benchmark.seeds.get(profile, 1) if seeds is None else seeds
    if not 1 <= n <= MOST_SEEDS:
        raise BadUsage(f"{n} seeds of each cell: choose from 1 to {MOST_SEEDS}, with --seeds or in benchmark.yml")
    found: dict[tuple[str, int], Cell] = {}
    for use in _uses(benchmark.select(tables), entries, profile):
        if use.model not in entries:
            raise ValueError(f"benchmark.yml: {use.user}: {unknown_name('model', use.model, entries)}")
        if profile in entries[use.model].optional_at and not all_methods:
            continue
        own = f"{DATA}{entries[use.model].dataset}."
        if wrong := [k for k in use.overrides if k.startswith(DATA) and not k.startswith(own)]:
            raise ValueError(f"benchmark.yml: {use.user}: override {wrong[0]}: {use.model} reads {own}ARGUMENT")
        for seed in range(n):
            key = (cell_id(use.model, use.variant), seed)
            cell = found.get(key) or Cell(entries[use.model], use.variant, dict(use.overrides), seed)
            if cell.overrides != use.overrides:
                raise ValueError(
                    f"benchmark.yml: {use.user}: variant '{use.variant}' of {use.model} has other overrides there than "
                    f"in {cell.used_by[0]} ({use.overrides}, {cell.overrides}); give it another name"
                )
            if use.user not in cell.used_by:
                cell = replace(cell, used_by=(*cell.used_by, use.user))
            found[key] = cell
    return list(found.values())


class _Use(NamedTuple):
    """A table or figure that shows a variant of a model."""

    user: str
    model: str
    variant: str
    overrides: dict[str, Any]


def _uses(chosen: Selection, entries: dict[str, Entry], profile: str) -> Iterator[_Use]:
    """All uses of the chosen tables and figures, in their order."""
    for table in chosen.tables:
        if table.layout in ("rows", "points"):
            for row in table.rows:
                yield _Use(table.id, row.model, row.variant, row.overrides)
        else:
            for entry in entries.values():
                if in_methods_table(entry, table):
                    yield _Use(table.id, entry.name, "", {})
    for figure in chosen.figures:
        for sweep in figure.sweeps:
            for value in sweep.points(profile):
                yield _Use(figure.id, figure.model, sweep_variant(sweep.id, value), {sweep.key: value})
    for figure in chosen.grids:
        for values in grid_points(figure, profile):
            yield _Use(figure.grid_id, figure.model, grid_variant(figure, values), grid_overrides(figure, values))
