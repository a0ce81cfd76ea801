"""Tables for a paper: they compile with booktabs alone, fit the page, and show what a paper shows."""

import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from reports.tables.latex import to_latex
from reports.tables.table import CLAIMED, MEASURED, Cell, Column, Row, Table

COLUMNS = (
    Column("method", "Method"),
    Column("test", "Inference"),
    Column("claimed", "Claimed top-1 (%)", CLAIMED, group="RGB", numeric=True, short="Claimed"),
    Column("rgb.top1", "Measured top-1 (%)", MEASURED, group="RGB", numeric=True, short="Measured"),
    Column("rgb.n", "Seeds done", MEASURED, numeric=True, page=False),
    Column("detail", "A detail", detail=True),
    Column("remark", "Remark", paper=False),
)


def line(name, claimed=None, top1=None, n=None, test="RGB", group="", apart=""):
    def number(value, text, origin):
        return Cell("–" if value is None else text, value, origin=origin)

    cells = {
        "method": Cell(name),
        "test": Cell(test),
        "claimed": number(claimed, str(claimed), CLAIMED),
        "rgb.top1": number(top1, f"{top1} ± 0.5", MEASURED),
        "rgb.n": number(n, str(n), MEASURED),
        "detail": Cell("not for papers"),
        "remark": Cell("not for papers"),
    }
    return Row(name, cells, group, field=test, apart=apart)


def table(*rows, title="Table 2, more. Fake & methods", caption="50 % of_it."):
    return Table("t", title, caption, COLUMNS, tuple(rows), verdict="Not comparable.")


def body(tex):
    return tex[
        tex.rindex("\\midrule") if tex.count("\\midrule") == 1 else tex.index("\\midrule") : tex.index("\\bottomrule")
    ]


def test_it_has_the_columns_and_rows_of_a_paper():
    tex = to_latex(table(line("A", 80.1, 70.2, 3), line("B", 81.2, 75.3, 3), line("Nothing known")), ["a note"])
    assert tex.startswith("% Table 2, more. Fake & methods\n% a note\n")
    assert r"\caption{Fake \& methods. 50 \% of\_it." in tex, "LaTeX numbers tables itself"
    assert "over n = 3 seeds" in tex and "Not comparable." in tex
    assert r"\multicolumn{2}{c@{}}{RGB}" in tex and r"\cmidrule(lr){3-4}" in tex
    assert r"B & RGB & \textbf{81.2} & \textbf{75.3 $\pm$ 0.5} \tabularnewline" in tex
    assert r"A & RGB & 80.1 & 70.2 $\pm$ 0.5 \tabularnewline" in tex
    assert "not for papers" not in tex
    assert "Nothing known" not in body(tex) and "left out: Nothing known" in tex


def test_a_group_of_one_column_of_its_own_name_is_no_group():
    columns = tuple(replace(c, group="Measured") if c.id == "rgb.top1" else c for c in COLUMNS)
    columns = tuple(replace(c, group="From papers") if c.id == "claimed" else c for c in columns)
    tex = to_latex(replace(table(line("A", 80.1, 70.2, 3)), columns=columns))
    assert "From papers" in tex and tex.count("Measured &") + tex.count("Measured \\tabularnewline") == 1
    assert r"\cmidrule(lr){3-3}" in tex and r"\cmidrule(lr){4-4}" not in tex and "{Measured}" not in tex


def test_another_number_of_seeds_than_the_usual_one_is_said():
    tex = to_latex(table(line("A", None, 70.2, 3), line("B", None, 75.3, 3), line("C", None, 60.0, 1)))
    assert "n = 3 seeds" in tex and r"60.0 $\pm$ 0.5\textsubscript{n=1}" in tex and tex.count("textsubscript") == 1


def test_the_best_is_sought_per_block_and_test_modality_and_among_the_common_protocol():
    rows = [line("A", None, 60.0, 1), line("B", None, 50.0, 1), line("C", None, 90.0, 1, test="Depth")]
    rows += [line("D", None, 80.0, 1, test="Depth"), line("Own", None, 99.0, 1, apart="fake")]
    rows += [replace(line("Bound", None, 95.0, 1, group="Bounds"), field="")]
    assert re.findall(r"textbf\{([\d.]+)", to_latex(table(*rows))) == ["60.0", "90.0"]


def test_groups_that_are_compared_have_one_best_and_a_group_that_is_not_has_none():
    """Of a table of rivals, and of the bounds of an ablation."""
    groups = {"": (60.0, 61.0), "Taught": (75.0, 70.0), "Bounds": (95.0, 94.0)}
    rows = [line(f"{g}{i}", None, v, 1, group=g) for g, values in groups.items() for i, v in enumerate(values)]
    rows = [replace(r, field="rivals" * (r.group != "Bounds")) for r in rows]
    assert re.findall(r"textbf\{([\d.]+)", to_latex(table(*rows))) == ["75.0"]


def test_rows_of_a_protocol_of_their_own_are_a_last_block_that_says_why():
    rows = [line("Own", 96.0, 96.5, 3, apart="more frames_"), line("A", 80.1, 95.5, 3), line("B", 70.0, 60.0, 3)]
    rows += [line("Other", None, 99.0, 3, apart="more frames_"), line("Third", None, 50.0, 3, apart="120 epochs")]
    tex = to_latex(table(*rows))
    names = re.findall(r"^    (\w+) & RGB", tex, re.M)
    assert names == ["A", "B", "Own", "Other", "Third"]
    between = tex[tex.index("    B &") : tex.index("    Own &")]
    assert r"\midrule" in between and r"\emph{Protocols of their own, not ranked}" in between
    below = tex[tex.index(r"\end{tabular}") :]
    assert r"Not ranked with the others: Own, Other. Protocol: more frames\_." in below
    assert "Not ranked with the others: Third. Protocol: 120 epochs." in below
    assert re.findall(r"textbf\{([\d.]+)", tex) == ["95.5"], "no claim either: the highest one is of a row apart"


def test_a_block_title_that_is_wider_than_its_table_is_broken():
    rows = [line("A", None, 1.0, 1), line("B", None, 2.0, 1, group="Words " * 40)]
    assert re.search(r"multicolumn\{3\}\{@\{\}p\{\d+pt\}@\{\}\}\{\\emph\{Words", to_latex(table(*rows)))


def test_everything_is_escaped():
    tex = to_latex(table(line(r"\input{x} #1 <b> | a → c", 1.5, -1.5, 1)))
    assert r"\textbackslash{}input\{x\} \#1 $<$b$>$ | a $\to$ c & RGB & 1.5" in tex


def test_a_table_without_numbers_is_no_table():
    tex = to_latex(table(line("A")))
    assert "\\begin" not in tex and "% nothing claimed or measured yet" in tex


@pytest.fixture(scope="module")
def compiled(fake, tmp_path_factory):
    """Kind of article -> what TeX said of all tables of a site and one of its figures."""
    if shutil.which("pdflatex") is None:
        pytest.skip("no TeX (pdflatex) on this machine")
    folder, said = tmp_path_factory.mktemp("tex"), {}
    files = sorted((fake.site / "downloads").glob("*.tex"))
    assert {"table1", "table2", "table3", "table4", "figure6", "evidence"} <= {f.stem for f in files}
    wide = to_latex(table(*(line("A method of a long name (with what it is) " * 3, 80.1, 75.5, 3) for _ in range(3))))
    (folder / "wide.tex").write_text(wide)
    inputs = "".join(f"\\input{{{f}}}\\clearpage" for f in [*files, folder / "wide.tex"])
    figure = f"\\includegraphics[width=\\columnwidth]{{{fake.site / 'downloads' / 'figure6.pdf'}}}"
    for kind in ("onecolumn", "twocolumn"):
        head = f"\\documentclass[{kind}]{{article}}\\usepackage{{booktabs,graphicx}}"
        text = f"{head}\\begin{{document}}{inputs}\\noindent{figure}\\end{{document}}"
        (folder / f"{kind}.tex").write_text(text)
        words = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", f"{kind}.tex"]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, errors="replace", timeout=120)
        said[kind] = (done.returncode, done.stdout)
    return said


@pytest.mark.parametrize("kind", ["onecolumn", "twocolumn"])
def test_all_tables_compile_with_booktabs_alone_and_fit_the_page_and_so_does_a_figure(compiled, kind):
    code, said = compiled[kind]
    assert code == 0, said[-2000:]
    assert not re.findall(r"Overfull.*|Undefined.*|too large.*", said)


@pytest.mark.parametrize(
    ("p", "rank", "sub", "bold"),
    [
        (0.01, 1, "", True),
        (0.2, 1, "", False),  # not above chance
        (0.01, None, "", False),  # not ranked
        (0.01, 1, "50.0 to 90.0 (provisional), n = 1", False),
    ],
)
def test_nothing_is_bold_that_the_page_would_not_call_the_best(p, rank, sub, bold):
    more = (
        Column("rgb.chance", "p (chance)", MEASURED, numeric=True, detail=True),
        Column("rgb.rank", "Rank", MEASURED, numeric=True, paper=False),
    )

    def full(row, p, rank, sub):
        top1 = replace(row.cells["rgb.top1"], sub=sub)
        cells = {"rgb.top1": top1, "rgb.chance": Cell("", p, origin=MEASURED)}
        return replace(row, cells=row.cells | cells | {"rgb.rank": Cell("", rank, origin=MEASURED)})

    rows = (full(line("A", 80.1, 70.2, 1), p, rank, sub), full(line("B", 70.0, 60.3, 1), 0.01, 2, ""))
    tex = to_latex(replace(table(), columns=COLUMNS + more, rows=rows))
    assert (r"\textbf{70.2" in tex) is bold
    assert r"\textbf{80.1}" in tex and "textbf{60.3" not in tex  # a claim stands; the next is not the best instead


def test_brackets_and_stars_that_begin_a_row_are_no_option_of_the_row_before():
    """LaTeX looks for [length] and * behind the end of a row, over the end of the line."""
    tex = to_latex(table(line("A", 80.1), line("[17] B", 81.2), line("*C", 82.0), line("left\nout")))
    assert "\n    {[}17] B & " in tex and "\n    {*}C & " in tex
    assert "% without a number, left out: left out\n" in tex
