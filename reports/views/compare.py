"""Any two methods side by side: their difference, the clips on which they disagree, their classes, their configs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from markupsafe import Markup

from reports import format as f
from reports.ledger.context import ReportContext
from reports.page import Page, View
from reports.tables.comparison import unranked_note
from reports.tables.head_to_head import Field, fields, most_right, to_data
from reports.tables.table import MEASURED, Cell, Column, Row, Table, missing

LIMIT = 900_000  # bytes of data in the page, which stays under 1 MB

COLUMNS = (
    Column("field", "Column"),
    Column("best", "Best"),
    Column("next", "Next"),
    Column(
        "delta",
        "Difference",
        MEASURED,
        numeric=True,
        explain="in points, below it the 95 % interval (paired bootstrap over subjects, clips and trainings)",
    ),
    Column(
        "p",
        "p",
        MEASURED,
        numeric=True,
        ascending=True,
        explain="of no difference: the larger of an exact McNemar test on the same clips and a t test with the "
        "variance of training, Holm-adjusted for all pairs of the column; left out where nothing says how trainings "
        "vary",
    ),
    Column("only_best", "Clips right with the best alone", MEASURED, numeric=True, explain="in most seeds"),
    Column("only_next", "Clips right with the next alone", MEASURED, numeric=True, explain="in most seeds"),
)


def build(context: ReportContext) -> Iterator[Page]:
    found = fields(context)
    if not found:
        return
    table = replace(nearest(found), notes=_unranked(context))
    data, left_out = embedded(found)
    values = {"table": table, "data": data, "left_out": left_out}
    yield Page("compare.html", "compare.html.j2", values, tables=(table,))


def _unranked(context: ReportContext) -> tuple[str, ...]:
    """Which measured methods cannot be chosen, since their protocols are their own, by column."""
    columns = [(t, c) for t in context.benchmark.tables if t.layout != "rows" for c in t.columns]
    said = [(f"{t.title.split('.')[0]}, {c.title}", unranked_note(context, t, c)) for t, c in columns]
    return tuple(f"{title}. {note}" for title, note in said if note)


def nearest(found: list[Field]) -> Table:
    """The best of each column against the next, of what its table compares."""
    rows = tuple(Row(field.id, _row(field, *field.ranked[:2])) for field in found if len(field.ranked) > 1)
    caption = "The highest accuracy of each column against the next one on the same clips; of an ablation without the "
    caption += "rows that its table does not compare."
    return Table("compare", "The best against the next", caption, COLUMNS, rows, paper=False)


def _row(field: Field, best: int, following: int) -> dict[str, Cell]:
    first, second = (most_right(field.results[i]) for i in (best, following))
    pair = next((x for x in field.pairs if (x.a, x.b) == (best, following)), None)
    digits = f.percent_digits(len(first))
    why = "no seed is done for both" if pair is None else "provisional: nothing says how trainings vary"
    return {
        "field": Cell(field.title),
        **{k: Cell(field.names[i], sub=_top1(field, i, digits)) for i, k in ((best, "best"), (following, "next"))},
        "delta": missing(f.DASH, why, MEASURED)
        if pair is None
        else Cell(
            f.points(pair.found.gap, pair.found.digits),
            100 * pair.found.gap,
            sub=pair.found.span(),
            origin=MEASURED,
        ),
        "p": missing(f.DASH, why, MEASURED)
        if pair is None or pair.p is None
        else Cell(f.p_value(pair.p), pair.p, origin=MEASURED),
        "only_best": _count(first & ~second),
        "only_next": _count(second & ~first),
    }


def _top1(field: Field, i: int, digits: int) -> str:
    return f"{f.percent(field.results[i].top1[0], digits)} %"


def _count(clips: np.ndarray) -> Cell:
    n = int(clips.sum())
    return Cell(str(n), n, origin=MEASURED)


def embedded(found: list[Field]) -> tuple[Markup, str]:
    """The data of the page as JSON that no tag can end, and what had to be left out of it to keep the page small."""
    text = _json(to_data(found))
    if len(text.encode()) <= LIMIT:
        return Markup(text), ""  # noqa: S704  ``_json`` escapes what could end a script
    kept = list(found)
    while len(text.encode()) > LIMIT and kept:
        text = _json(to_data(kept, configs=False))
        dropped = found[len(kept) :]
        kept = kept[:-1]
    said = "Configs are left out here, to keep the page small; those of a run stand on its page."
    if dropped:
        said += f" So are these columns: {', '.join(field.title for field in dropped)}."
    return Markup(text), said  # noqa: S704


def _json(data: dict[str, Any]) -> str:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


VIEW = View("Compare", 25, build)
