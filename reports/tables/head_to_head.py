"""Any two methods of a column against each other, on the same clips: what the page of comparisons is made from."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness.suite import benchmark as suite
from harness.suite.cells import cell_id
from reports.format import slug
from reports.ledger.context import ReportContext
from reports.ledger.results import Result, by_kind_of_clips, same_clips, twins
from reports.stats.ranks import pairwise
from reports.tables.comparison import named_results
from reports.tables.differences import NO_INTERVAL, Difference, difference
from reports.tables.row_verdict import compared_rows, rows_alike

IDS = 2000  # of a test set, the first ones; their number is that of all clips
LONGEST = 160  # characters of a config's value


@dataclass(frozen=True)
class Pair:
    """Two methods of a field by their places. ``p``: adjusted for all pairs of the field, None where nothing says how
    much trainings vary."""

    a: int
    b: int
    found: Difference
    p: float | None


@dataclass(frozen=True)
class Field:
    """The results of one column that were tested on the same clips, the best first.

    Attributes:
        ranked: places of those that the column's table compares; of an ablation its other rows are bounds and the like.
    """

    id: str
    title: str
    names: tuple[str, ...]
    results: tuple[Result, ...]
    pairs: tuple[Pair, ...]
    ranked: tuple[int, ...]


def fields(context: ReportContext) -> list[Field]:
    """Every column of a table of methods, and every ablation, in which two results can be compared."""
    known: dict[tuple[str, str], Difference | str] = {}
    found = []
    for table in context.benchmark.tables:
        name = table.title.split(".")[0]
        for part, title, named, family in _columns(context, table):
            if field := _field(f"{table.id}{part}", f"{name}{title}", named, family, known):
                found.append(replace(field, ranked=_ranked(context, table, field.names)))
    return found


def _columns(context: ReportContext, table: suite.Table) -> Iterator[tuple[str, str, dict[str, Result], int]]:
    """What is compared apart: end of the id, end of the title, results by name, number of methods asked for."""
    if table.layout == "rows":
        rows = {r.title: context.result(cell_id(r.model, r.variant)) for r in rows_alike(context, table)}
        yield "", "", {name: r for name, r in rows.items() if r is not None}, len(rows)
        return
    for column in table.columns:
        named, family = named_results(context, table, column)
        for kind, own in by_kind_of_clips(named).items():
            end = f".{slug(kind)}" if kind else ""
            yield f".{column.modality}{end}", f", {column.title}" + f", {kind}" * bool(kind), own, family


def _ranked(context: ReportContext, table: suite.Table, names: Sequence[str]) -> tuple[int, ...]:
    compared = {r.title for r in compared_rows(context, table)} if table.layout == "rows" else set(names)
    return tuple(i for i, name in enumerate(names) if name in compared)


def _field(
    i: str,
    title: str,
    named: Mapping[str, Result],
    family: int,
    known: dict[tuple[str, str], Difference | str],
) -> Field | None:
    """The field of these results. ``known``: differences of cells that other fields have as well; added to."""
    copies = twins(named.values())
    same = {r.id for r in same_clips([r for r in named.values() if r.id not in copies])}
    names = sorted((n for n, r in named.items() if r.id in same), key=lambda n: -named[n].top1[0])
    if len(names) < 2:
        return None
    results = tuple(named[n] for n in names)
    outcomes = [r.outcomes.correct for r in results if r.outcomes is not None]
    training = results[0].training
    p = None if training is None else pairwise(outcomes, training, family)
    pairs = []
    for a, first in enumerate(results):
        for b, second in enumerate(results[a + 1 :], start=a + 1):
            key = (first.id, second.id)
            if key not in known:
                known[key] = difference(first, second)
            said = known[key]
            if isinstance(said, Difference):
                pairs.append(Pair(a, b, said, None if p is None else float(p[a, b])))
    return Field(i, title, tuple(names), results, tuple(pairs), tuple(range(len(names))))


def most_right(result: Result) -> np.ndarray:
    """Whether most seeds classify a clip rightly: bool [clips]."""
    if result.outcomes is None:
        raise ValueError(f"{result.id}: no predictions")
    return result.outcomes.correct.mean(axis=0) > 0.5


def recalls(result: Result) -> list[float]:
    """Share of each class's clips that are right, mean over seeds, in the order of the classes that have clips."""
    if result.outcomes is None:
        raise ValueError(f"{result.id}: no predictions")
    right, labels = result.outcomes.correct.mean(axis=0), result.outcomes.labels
    return [float(right[labels == c].mean()) for c in np.unique(labels)]


def to_data(found: Sequence[Field], configs: bool = True) -> dict[str, Any]:
    """Fields as plain data for the script of the page; each test set, result and text of a config once.

    Args:
        configs: with what differs in the configs.
    """
    results = {r.id: r for field in found for r in field.results}
    sets = {r.outcomes.fingerprint: r for r in results.values() if r.outcomes is not None}
    places = {fingerprint: i for i, fingerprint in enumerate(sets)}
    keys, values, own = (
        differing({i: flat(r.done[0].identity.config) for i, r in results.items()}) if configs else ([], [], {})
    )
    return {
        "sets": [_test_set(r) for r in sets.values()],
        "keys": keys,
        "values": values,
        "results": {
            i: {
                "set": places[r.outcomes.fingerprint],
                "top1": round(100 * r.top1[0], 3),
                "seeds": len(r.done),
                "page": next((run.page for run in r.runs if run.page), ""),
                "right": base64.b64encode(np.packbits(most_right(r)).tobytes()).decode(),
                "recall": [round(100 * v, 1) for v in recalls(r)],
                "config": own.get(i, []),
            }
            for i, r in results.items()
            if r.outcomes is not None
        },
        "without": NO_INTERVAL,
        "fields": [
            {
                "id": field.id,
                "title": field.title,
                "names": field.names,
                "results": [r.id for r in field.results],
                "pairs": [_pair(pair) for pair in field.pairs],
            }
            for field in found
        ],
    }


def _pair(pair: Pair) -> list[Any]:
    """Places, difference and interval in points (None for none), p."""
    d = pair.found
    low, high = d.interval or (None, None)
    numbers = [None if v is None else round(100 * v, 2) for v in (d.gap, low, high)]
    return [pair.a, pair.b, *numbers, None if pair.p is None else float(f"{pair.p:.3g}")]


def _test_set(result: Result) -> dict[str, Any]:
    if result.outcomes is None:
        raise ValueError(f"{result.id}: no predictions")
    data = next((r.data for r in result.done if r.data is not None), None)
    classes = data.classes if data is not None else []
    present = [int(c) for c in np.unique(result.outcomes.labels)]
    return {
        "clips": len(result.outcomes.clips),
        "ids": result.outcomes.clips[:IDS],
        "classes": [classes[c] if c < len(classes) else str(c) for c in present],
    }


def flat(config: Any, prefix: str = "") -> dict[str, str]:
    """A config by dotted keys, values as JSON; lists of plain values are one value."""
    if isinstance(config, Mapping) and config:
        parts = [(str(k), v) for k, v in config.items()]
    elif isinstance(config, (list, tuple)) and any(isinstance(v, (Mapping, list, tuple)) for v in config):
        parts = [(str(i), v) for i, v in enumerate(config)]
    else:
        return {prefix: json.dumps(config, sort_keys=True, ensure_ascii=False)}
    found: dict[str, str] = {}
    for name, value in parts:
        found |= flat(value, f"{prefix}.{name}" if prefix else name)
    return found


def differing(configs: Mapping[str, Mapping[str, str]]) -> tuple[list[str], list[str], dict[str, list[int]]]:
    """Keys that do not have the same value in all configs, the values that there are, and for each config where it
    stands: places of key and value by turns."""
    every = dict.fromkeys(key for c in configs.values() for key in c)
    keys = [k for k in every if len({c.get(k) for c in configs.values()}) > 1]
    values = list(dict.fromkeys(c[k] for c in configs.values() for k in keys if k in c))
    key_at, value_at = ({text: i for i, text in enumerate(texts)} for texts in (keys, values))
    own = {i: [n for k in keys if k in c for n in (key_at[k], value_at[c[k]])] for i, c in configs.items()}
    cut = [v if len(v) <= LONGEST else f"{v[: LONGEST - 1]}…" for v in values]
    return keys, cut, own
