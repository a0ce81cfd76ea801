"""Downloads of the table model: CSV, Markdown, LaTeX and JSON. Each starts with how its numbers were made."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from reports.tables.table import Cell, Column, Table


def heading(column: Column) -> str:
    """A column's title with its group, and with its origin where the title does not say it."""
    parts = [column.group] if column.group and column.group.lower() != column.origin else []
    said = column.origin == "text" or column.origin in column.title.lower()
    parts.append(column.title if said else f"{column.title} [{column.origin}]")
    return ": ".join(parts)


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


def to_csv(table: Table, header: Sequence[str] = ()) -> str:
    """All columns, numbers unrounded; comment lines with ``#`` first. Text cells are those of ``csv_text``."""
    out = io.StringIO()
    for line in (*_head(table, header), APOSTROPHES):
        out.write(f"# {line}\n")
    writer = csv.writer(out, lineterminator="\n")
    columns = table.download_columns
    grouped = any(r.group for r in table.rows)
    writer.writerow([csv_text(t) for t in ["Group"] * grouped + [heading(c) for c in columns]])
    for row in table.rows:
        cells = [_raw(row.cells[c.id], c.numeric) for c in columns]
        writer.writerow([csv_text(row.group)] * grouped + cells)
    return out.getvalue()


def _raw(cell: Cell, number: bool) -> str:
    if number:
        return "" if cell.value is None else f"{cell.value:.8g}"
    return "" if cell.state == "missing" and cell.text == "–" else csv_text(cell.text)


def to_markdown(table: Table, header: Sequence[str] = ()) -> str:
    """The columns that the page shows."""
    columns = table.page_columns
    lines = [
        "<!--",
        *(f"  {line}".replace("--", "- -") for line in _head(table, header)),
        "-->",
        "",
        f"**{_md(table.title)}**",
        "",
    ]
    lines.append("| " + " | ".join(_md(heading(c)) for c in columns) + " |")
    lines.append("|" + "|".join(" ---: " if c.numeric else " --- " for c in columns) + "|")
    for group, rows in table.groups:
        if group:
            lines.append(f"| **{_md(group)}** |" + " |" * (len(columns) - 1))
        lines += ["| " + " | ".join(_md(flat(r.cells[c.id])) for c in columns) + " |" for r in rows]
    lines += ["", _md(table.caption), *(f"\n- {_md(n)}" for n in (table.verdict, *table.notes) if n)]
    lines += [f"\n- Source of claimed values: [{_md(s.text)}]({s.href})" for s in table.sources]
    return "\n".join(lines) + "\n"


def _md(text: str) -> str:
    for char in "\\`*_[]<>|":
        text = text.replace(char, "\\" + char)
    return " ".join(text.split())


LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "→": r"$\to$",
    "−": "$-$",
    "–": "--",
    "×": r"$\times$",
    "<": "$<$",
    ">": "$>$",
    "\u202f": r"\,",
    "Δ": r"$\Delta$",
    "†": r"$^\dagger$",
    "…": r"\dots{}",
}


def tex(text: str) -> str:
    """A string for LaTeX, every special character escaped."""
    return "".join(LATEX.get(c, c) for c in " ".join(text.split()))


def to_latex(table: Table, header: Sequence[str] = ()) -> str:
    """The main columns as a booktabs table."""
    columns = table.main_columns
    lines = [f"% {line}" for line in _head(table, header)]
    lines += [
        "% needs \\usepackage{booktabs}",
        "\\begin{table}",
        "  \\centering",
        f"  \\caption{{{tex(table.title + '. ' + table.caption)}}}",
        f"  \\label{{tab:{table.id}}}",
        "  \\begin{tabular}{" + "".join("r" if c.numeric else "l" for c in columns) + "}",
        "    \\toprule",
    ]
    lines.append("    " + " & ".join(tex(heading(c)) for c in columns) + r" \\")
    lines.append("    \\midrule")
    for i, (group, rows) in enumerate(table.groups):
        if group:
            lines += ["    \\midrule"] * (i > 0) + [
                f"    \\multicolumn{{{len(columns)}}}{{l}}{{\\emph{{{tex(group)}}}}} \\\\"
            ]
        lines += ["    " + " & ".join(_tex_cell(r.cells[c.id]) for c in columns) + r" \\" for r in rows]
    notes = [f"  \\par\\smallskip\\footnotesize {tex(n)}" for n in table.mark_notes]
    return "\n".join([*lines, "    \\bottomrule", "  \\end{tabular}", *notes, "\\end{table}"]) + "\n"


def _tex_cell(cell: Cell) -> str:
    if cell.state in ("yes", "no"):
        return r"$\checkmark$" if cell.state == "yes" else r"$\times$"
    return tex(cell.text + cell.mark)


def _head(table: Table, header: Sequence[str]) -> list[str]:
    return [" ".join(line.split()) for line in (table.title, *header, table.verdict, *table.notes) if line]


def to_json(table: Table) -> dict[str, Any]:
    """A table as plain data: every column with its origin, every cell with its number."""
    return {
        "id": table.id,
        "title": table.title,
        "caption": table.caption,
        "verdict": table.verdict,
        "notes": list(table.notes),
        "sources": [{"title": s.text, "url": s.href} for s in table.sources],
        "columns": [
            {"id": c.id, "title": c.title, "group": c.group, "origin": c.origin, "numeric": c.numeric}
            for c in table.download_columns
        ],
        "rows": [
            {"group": row.group, "cells": {c.id: _json_cell(row.cells[c.id]) for c in table.download_columns}}
            for row in table.rows
        ],
    }


def _json_cell(cell: Cell) -> dict[str, Any]:
    out: dict[str, Any] = {"text": cell.text}
    for name in ("value", "sub", "state", "warn", "href", "mark"):
        if getattr(cell, name) not in ("", None):
            out[name] = getattr(cell, name)
    if cell.state in ("missing", "failed") and cell.title:
        out["why"] = cell.title
    return out
