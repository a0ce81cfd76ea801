"""Tables for a paper: booktabs, what a paper shows of a table, no wider than a page of ``article``.

Nothing but booktabs is needed. A table that fits a column of a two-column paper is a ``table``, any other a ``table*``,
which is the same thing where there is one column.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from reports.tables.apart import apart_last, apart_notes
from reports.tables.best import best_cells
from reports.tables.export import head_lines
from reports.tables.table import Cell, Column, Row, Table

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
    "[": "{[}",  # after the end of a row both would be an option of it
    "*": "{*}",
    "±": r"$\pm$",
    "→": r"$\to$",
    "−": "$-$",
    "–": "--",
    "×": r"$\times$",
    "<": "$<$",
    ">": "$>$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "·": r"$\cdot$",
    "\u202f": r"\,",
    "Δ": r"$\Delta$",
    "†": r"$^\dagger$",
    "‡": r"$^\ddagger$",
    "…": r"\dots{}",
    "“": "``",
    "”": "''",
}
NUMBERED = re.compile(r"^(?:Table|Figure) \w+(?:, [^.]*)?\. ")  # LaTeX counts itself
COLUMN, PAGE = 225.0, 340.0  # points that article has, with two columns and with one, less a little
SIZES = (("small", 0.925), ("footnotesize", 0.85), ("scriptsize", 0.8))  # how wide letters are, of those of 10 points
GAP = 3.0  # points on either side of a column
WIDTHS = {  # of Computer Modern's letters, in points at 10 points
    **dict.fromkeys("il.,:;'!|", 2.8),
    **dict.fromkeys("fjrstI-() ", 3.7),
    **dict.fromkeys("BEFLPZ", 6.9),
    **dict.fromkeys("ACDGHKNOQRTUVXY+=", 7.7),
    **dict.fromkeys("mw%", 8.4),
    **dict.fromkeys("MW", 10.0),
}
NARROWEST = 40.0
SPARE = 20.0  # what a broken column should have beyond its longest word


def tex(text: str) -> str:
    """A string for LaTeX, every special character escaped."""
    return "".join(LATEX.get(c, c) for c in " ".join(text.split()))


def to_latex(table: Table, header: Sequence[str] = ()) -> str:
    """The columns of a paper, of the rows in which one of them has a number; the best of what is
    ranked together is bold, and what is not ranked stands apart."""
    table = apart_last(table)
    rows = _rows(table)
    columns = [c for c in table.paper_columns if _filled(c, rows)]
    texts = _texts(columns, rows)
    layout = _layout(columns, texts)
    left_out = [r.cells[table.columns[0].id].text for r in table.rows if r not in rows]
    lines = [f"% {line}" for line in head_lines(table, header)]
    lines += [f"% without a number, left out: {' '.join(', '.join(left_out).split())}"] if left_out else []
    if not columns:
        return "\n".join([*lines, "% nothing claimed or measured yet"]) + "\n"
    lines += [
        "% needs \\usepackage{booktabs}",
        r"\providecommand{\checkmark}{\ensuremath{\surd}}",
        f"\\begin{{{layout.place}}}",
        "  \\centering",
        f"  \\caption{{{tex(_caption(table, columns, rows))}}}",
        f"  \\label{{tab:{table.id}}}",
        "  \\smallskip",
        f"  \\{layout.size}",
        f"  \\setlength{{\\tabcolsep}}{{{GAP:g}pt}}",
        f"  \\begin{{tabular}}{{@{{}}{_spec(columns, layout)}@{{}}}}",
        "    \\toprule",
        *(f"    {line}" for line in _head(columns, layout)),
    ]
    lines += [f"    {line}" for line in _body(rows, texts, layout)]
    below = (*apart_notes(table, rows), *table.mark_notes)
    notes = [f"  \\par\\smallskip\\footnotesize {tex(n)}" for n in below]
    return "\n".join([*lines, "    \\bottomrule", "  \\end{tabular}", *notes, f"\\end{{{layout.place}}}"]) + "\n"


@dataclass(frozen=True)
class _Layout:
    """Environment, size of the letters, about how wide each column is, and in which of them lines are broken."""

    place: str
    size: str
    widths: list[float]  # points
    broken: frozenset[int] = frozenset()


def _spec(columns: Sequence[Column], layout: _Layout) -> str:
    kinds = ["r" if c.numeric else "c" if _is_mark(c) else "l" for c in columns]
    return "".join(f"p{{{layout.widths[i]:.0f}pt}}" if i in layout.broken else k for i, k in enumerate(kinds))


def _rows(table: Table) -> list[Row]:
    numbers = [c.id for c in table.paper_columns if c.numeric]
    return [r for r in table.rows if not numbers or any(r.cells[i].value is not None for i in numbers)]


def _filled(column: Column, rows: Sequence[Row]) -> bool:
    cells = [r.cells[column.id] for r in rows]
    return any(c.value is not None if column.numeric else c.text not in ("", "–") for c in cells)


def _is_mark(column: Column) -> bool:
    return column.id.startswith("mark.")


def _caption(table: Table, columns: Sequence[Column], rows: Sequence[Row]) -> str:
    """Title, caption, what the numbers are, and whether they can be compared."""
    parts = [NUMBERED.sub("", table.title) + ".", table.caption]
    seeds = _seeds(columns, rows)
    if seeds:
        usual = Counter(seeds.values()).most_common(1)[0][0]
        over = f"mean ± standard deviation over n = {usual} seeds" if usual > 1 else "one seed"
        parts.append(f"Measured: top-1 in percent, {over}.")
    return " ".join([*parts, table.verdict]).strip()


def _seeds(columns: Sequence[Column], rows: Sequence[Row]) -> dict[tuple[str, str], int]:
    """(row, column) of measured accuracies -> over how many seeds."""
    found = {}
    for column in columns:
        count = column.id.removesuffix("top1") + "n"
        for row in rows:
            value = row.cells[count].value if column.id.endswith("top1") and count in row.cells else None
            if value is not None:
                found[row.id, column.id] = int(value)
    return found


def _texts(columns: Sequence[Column], rows: Sequence[Row]) -> dict[str, list[str]]:
    """Row -> its cells as LaTeX: the best is bold, and a number of seeds other than the usual one is said."""
    seeds = _seeds(columns, rows)
    usual = Counter(seeds.values()).most_common(1)[0][0] if seeds else 0
    best = best_cells(columns, rows)
    out = {}
    for row in rows:
        texts = []
        for column in columns:
            text = _cell(row.cells[column.id], column)
            if (row.id, column.id) in best:
                text = f"\\textbf{{{text}}}"
            n = seeds.get((row.id, column.id), usual)
            texts.append(text + (f"\\textsubscript{{n={n}}}" if n != usual else ""))
        out[row.id] = texts
    return out


def _cell(cell: Cell, column: Column) -> str:
    if cell.state in ("yes", "no"):
        return r"$\checkmark$" if cell.state == "yes" else ""
    if column.numeric and cell.value is None:
        return "--"
    return tex(cell.text + cell.mark)


def _head(columns: Sequence[Column], layout: _Layout) -> list[str]:
    """The titles, with a line of groups above them where there are groups."""
    titles = [
        f"\\raggedright {tex(_title(c))}" if i in layout.broken else tex(_title(c)) for i, c in enumerate(columns)
    ]
    lines = [" & ".join(titles) + " \\tabularnewline", "\\midrule"]
    if not any(c.group for c in columns):
        return lines
    groups, rules, at = [], [], 0
    for group, same in itertools.groupby(columns, key=lambda c: "" if c.group == _title(c) else c.group):
        n = len(list(same))
        edges = ("@{}" * (at == 0), "@{}" * (at + n == len(columns)))
        groups.append(_group(group, n, sum(layout.widths[at : at + n]) + 2 * GAP * (n - 1), edges))
        rules += [rf"\cmidrule(lr){{{at + 1}-{at + n}}}"] if group else []
        at += n
    return [" & ".join(groups) + " \\tabularnewline", " ".join(rules), *lines]


def _group(text: str, n: int, room: float, edges: tuple[str, str]) -> str:
    """A heading over ``n`` columns, on several lines where it is wider than these."""
    text, room = tex(text), 0.9 * room
    broken = _width(text) > room >= max(map(_width, text.split()))
    kind, text = (f"p{{{room:.0f}pt}}", f"\\centering {text}") if broken else ("c", text)
    return rf"\multicolumn{{{n}}}{{{edges[0]}{kind}{edges[1]}}}{{{text}}}"


def _title(column: Column) -> str:
    return column.short or column.title


def _body(rows: Sequence[Row], texts: dict[str, list[str]], layout: _Layout) -> list[str]:
    lines, group = [], ""
    for i, row in enumerate(rows):
        if row.group != group:
            group = row.group
            lines += ["\\midrule"] * (i > 0)
            lines += [_row_title(group, layout)] if group else []
        cells = [f"\\raggedright {t}" if k in layout.broken and t else t for k, t in enumerate(texts[row.id])]
        lines.append(" & ".join(cells) + " \\tabularnewline")
    return lines


def _row_title(text: str, layout: _Layout) -> str:
    """A title over a block of rows, on several lines where it is wider than the table."""
    text, n = tex(text), len(layout.widths)
    room = sum(layout.widths) + 2 * GAP * (n - 1)
    kind = f"p{{{room:.0f}pt}}" if _width(text) > room else "l"
    return rf"\multicolumn{{{n}}}{{@{{}}{kind}@{{}}}}{{\emph{{{text}}}}} \tabularnewline"


def _layout(columns: Sequence[Column], texts: dict[str, list[str]]) -> _Layout:
    """The largest letters in which the table fits; where none does, text columns are broken into lines."""
    natural = [max([_width(tex(_title(c)))] + [_width(t[i]) for t in texts.values()]) for i, c in enumerate(columns)]
    gaps = 2 * GAP * (len(columns) - 1)
    if sum(natural) * SIZES[0][1] + gaps <= COLUMN:
        return _Layout("table", SIZES[0][0], [w * SIZES[0][1] for w in natural])
    for size, scale in SIZES[:2]:
        if sum(natural) * scale + gaps <= PAGE:
            return _Layout("table*", size, [w * scale for w in natural])
    breakable = [i for i, c in enumerate(columns) if not c.numeric and not _is_mark(c) and natural[i] > NARROWEST]
    least = dict(zip(breakable, (_longest_word(_title(columns[i]), texts, i) for i in breakable), strict=True))
    fixed = sum(w for i, w in enumerate(natural) if i not in least) + sum(least.values())
    size, scale = next((s for s in SIZES[1:] if fixed * s[1] + SPARE * len(least) + gaps <= PAGE), SIZES[-1])
    widths = [w * scale for w in natural]
    wanted = {i: (natural[i] - least[i]) * scale for i in least}
    for i, more in _shares(wanted, max(PAGE - gaps - fixed * scale, 0.0)).items():
        widths[i] = least[i] * scale + more
    return _Layout("table*", size, widths, frozenset(breakable))


def _longest_word(title: str, texts: dict[str, list[str]], i: int) -> float:
    return max(_width(word) for text in (title, *(t[i] for t in texts.values())) for word in text.split() or [""]) + 4


def _shares(wanted: dict[int, float], room: float) -> dict[int, float]:
    """Room for columns that want more than there is: each has what it wants or an equal part of what is left."""
    given: dict[int, float] = {}
    for k, (i, width) in enumerate(sorted(wanted.items(), key=lambda item: item[1])):
        given[i] = min(width + 1, (room - sum(given.values())) / (len(wanted) - k))
    return given


def _width(text: str) -> float:
    """About how wide LaTeX sets a text in Computer Modern of 10 points."""
    bold = r"\textbf" in text
    plain = re.sub(r"\$[-<>]\$", "=", text)
    plain = re.sub(r"\\(?:textbf|textsubscript|raggedright )|\$\^?|[{}]|\\(?=[&%#_$,])", "", plain)
    plain = re.sub(r"\\[A-Za-z]+", "W", plain)
    return sum(WIDTHS.get(c, 5.3) for c in plain) * (1.15 if bold else 1.0)
