"""Downloads of the table model: CSV with its description, Markdown and JSON. Each says how its numbers were made."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reports.tables.apart import apart_last, apart_notes
from reports.tables.table import Cell, Column, Table


def heading(column: Column) -> str:
    """A column's title with its group, and with its origin where the title does not say it."""
    parts = [column.group] if column.group and column.group.lower() != column.origin else []
    said = column.origin == "text" or column.origin in column.title.lower()
    parts.append(column.title if said else f"{column.title} [{column.origin}]")
    return ": ".join(parts)


def csv_heading(column: Column) -> str:
    """The heading, and the unit of its numbers."""
    return csv_text(heading(replace(column, title=f"{column.title} ({column.unit})") if column.unit else column))


def flat(cell: Cell) -> str:
    """A cell as one line of text."""
    text = cell.text + cell.mark
    if cell.state in ("yes", "no"):
        return text
    if cell.state == "failed" and cell.sub:
        return f"{text} ({cell.sub})"
    if cell.sub and cell.value is not None:
        text = f"{text} ({cell.sub})"
    return f"{text} [{cell.warn}]" if cell.warn else text


FORMULA = ("+", "-", "=", "@", "\t", "\r")  # what begins a formula in a spreadsheet
APOSTROPHES = "text that begins with + - = @ tab or return has an apostrophe in front, so that no spreadsheet runs it"


def csv_text(text: str) -> str:
    """A text cell of a CSV file that no spreadsheet takes for a formula.

    Numbers are not text: they stay as they are.
    """
    safe = f"'{text}" if text.startswith(FORMULA) else text
    return safe.replace("\r", " ")  # which ends a row for many readers, quoted or not


def to_csv(table: Table, made: Mapping[str, str] | None = None) -> str:
    """All columns, numbers unrounded, as programs read it without being told how. Text cells are those of ``csv_text``.

    Args:
        made: columns that are the same in every row: how the numbers were made.
    """
    made = made or {}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = table.download_columns
    grouped = any(r.group for r in table.rows)
    writer.writerow([*["Group"] * grouped, *map(csv_heading, columns), *map(csv_text, made)])
    for row in table.rows:
        cells = [_raw(row.cells[c.id], c.numeric) for c in columns]
        writer.writerow([csv_text(row.group)] * grouped + cells + [csv_text(v) for v in made.values()])
    return out.getvalue()


def csv_metadata(table: Table, header: Sequence[str] = (), made: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What a table's CSV file holds, for the file beside it that W3C's "CSV on the Web" expects."""
    columns: list[dict[str, str]] = [
        {"titles": csv_heading(c), "datatype": "number" if c.numeric else "string"}
        | ({"dc:description": c.explain} if c.explain else {})
        for c in table.download_columns
    ]
    if any(r.group for r in table.rows):
        columns.insert(0, {"titles": "Group", "datatype": "string"})
    columns += [{"titles": name, "datatype": "string"} for name in made or {}]
    return csvw(f"{table.id}.csv", table.title, [table.caption, *head_lines(table, header)[1:], APOSTROPHES], columns)


def csvw(file: str, title: str, comments: Sequence[str], columns: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The metadata of a CSV file (https://www.w3.org/TR/tabular-metadata/)."""
    return {
        "@context": "http://www.w3.org/ns/csvw",
        "url": file,
        "dc:title": title,
        "rdfs:comment": [c for c in comments if c],
        "tableSchema": {"columns": list(columns)},
    }


def _raw(cell: Cell, number: bool) -> str:
    if number:
        return "" if cell.value is None else f"{cell.value:.8g}"
    return "" if cell.state == "missing" and cell.text == "–" else csv_text(cell.text)


def to_markdown(table: Table, header: Sequence[str] = ()) -> str:
    """The columns that the page shows."""
    columns = table.page_columns
    lines = [
        "<!--",
        *(re.sub("-(?=-)", "- ", f"  {line}") for line in head_lines(table, header)),
        "-->",
        "",
        f"**{_md(table.title)}**",
        "",
    ]
    lines.append("| " + " | ".join(_md(heading(c)) for c in columns) + " |")
    lines.append("|" + "|".join(" ---: " if c.numeric else " --- " for c in columns) + "|")
    for group, rows in apart_last(table).groups:
        if group:
            lines.append(f"| **{_md(group)}** |" + " |" * (len(columns) - 1))
        lines += ["| " + " | ".join(_md(flat(r.cells[c.id])) for c in columns) + " |" for r in rows]
    lines += [
        "",
        _md(table.caption),
        *(f"\n- {_md(n)}" for n in (table.verdict, *apart_notes(table), *table.notes) if n),
    ]
    lines += [f"\n- Source of claimed values: [{_md(s.text)}]({s.href})" for s in table.sources]
    return "\n".join(lines) + "\n"


def _md(text: str) -> str:
    for char in "\\`*_[]<>|":
        text = text.replace(char, "\\" + char)
    text = text.replace("$", "<span>$</span>")  # two in a line would be a formula on GitHub, with a backslash too
    return " ".join(text.split())


def head_lines(table: Table, header: Sequence[str]) -> list[str]:
    parts = (table.title, *header, table.verdict, *apart_notes(table), *table.notes)
    return [" ".join(line.split()) for line in parts if line]


def to_json(table: Table) -> dict[str, Any]:
    """A table as plain data: every column with its origin, every cell with its number. Its rows are an iterator."""
    columns = table.download_columns
    return {
        "id": table.id,
        "title": table.title,
        "caption": table.caption,
        "verdict": table.verdict,
        "notes": list(table.notes),
        "sources": [{"title": s.text, "url": s.href} for s in table.sources],
        "columns": [
            {"id": c.id, "title": c.title, "group": c.group, "origin": c.origin, "numeric": c.numeric}
            | ({"unit": c.unit} if c.unit else {})
            for c in columns
        ],
        "rows": (
            {"group": row.group, "cells": {c.id: _json_cell(row.cells[c.id]) for c in columns}}
            | ({"apart": row.apart} if row.apart else {})
            for row in table.rows
        ),
    }


def _json_cell(cell: Cell) -> dict[str, Any]:
    out: dict[str, Any] = {"text": cell.text}
    for name in ("value", "sub", "state", "warn", "href", "mark"):
        if getattr(cell, name) not in ("", None):
            out[name] = getattr(cell, name)
    if cell.state in ("missing", "failed") and cell.title:
        out["why"] = cell.title
    return out
