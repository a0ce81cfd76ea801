"""What spreadsheets and programs make of the downloads: no formulas, ranks as numbers."""

import csv
import io
import json
import re

import pytest

from reports.plots import bar_charts as plots
from reports.tables import export as exports
from reports.tables.table import Cell, Column, Row, Table
from reports.views.runs.predictions import PredictedClips, summarise
from tests.helpers.html_tree import cell, parse

BAR = r'style="fill: var\(--(hot|cold|muted)[^"]*"/>'


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("start", ["+", "-", "=", "@", "\t", "\r"])
def test_text_that_begins_like_a_formula_gets_an_apostrophe_and_numbers_do_not(start):
    columns = (Column("m", start + "Method"), Column("v", "Value", numeric=True))
    table = Table(
        "t", "T", "", columns, (Row("r", {"m": Cell(start + "1+1"), "v": Cell("−1.5", -1.5)}, start + "group"),)
    )
    text = exports.to_csv(table)
    (head, line) = csv.reader(io.StringIO(text, newline=""))
    begins = "'" + start.replace("\r", " ")
    assert head == ["Group", begins + "Method", "Value"]
    assert line == [begins + "group", begins + "1+1", "-1.5"]
    assert any("apostrophe" in x for x in exports.csv_metadata(table)["rdfs:comment"])


@pytest.mark.parametrize("title", ["A --> B", "A ---> B", "A ----> B --!> C"])
def test_no_title_ends_the_comment_of_a_markdown_file(title):
    table = Table("t", title, "", (Column("m", "Method"),), (Row("r", {"m": Cell("A")}),))
    comment, _, rest = exports.to_markdown(table).partition("\n-->\n")
    assert comment.startswith("<!--\n") and "--" not in comment[4:] and rest.lstrip().startswith("**")


def test_dollars_of_a_markdown_cell_begin_no_formula():
    """GitHub takes what stands between two of them for TeX, escaped with a backslash too."""
    table = Table("t", "T", "", (Column("m", "Method"),), (Row("r", {"m": Cell("${a} or ${b}")}),))
    assert exports.to_markdown(table).count("<span>$</span>{") == 2


def test_predictions_are_no_formulas_either():
    import numpy as np

    scores = np.array([[-2.0, -1.0], [0.0, 1.0]])
    table = PredictedClips(["=clip", "b"], ["-5", "5"], np.array([0, 1]), scores)
    first, second = rows_of(summarise(table, ["+one", "two"]).csv)
    assert (first["clip_id"], first["subject"], first["label_name"]) == ("'=clip", "'-5", "'+one")
    assert float(first["score"]) == -1.0 and second["subject"] == "5" and second["predicted_name"] == "two"


def test_no_text_of_a_whole_site_is_a_formula(fake):
    for path in fake.paths:
        if path.suffix == ".csv":
            for row in csv.reader(io.StringIO(path.read_text(), newline="")):
                for text in row:
                    assert not text.startswith(("+", "=", "@", "\t", "\r")), (path, text)
                    assert not text.startswith("-") or float(text) < 0, (path, text)


UNITS = {"k": 1e3, "M": 1e6, "G": 1e9, "min": 60, "h": 3600, "MiB": 2**20, "GiB": 2**30}


def said(text):
    """The number that a cell shows first, in seconds, bytes or as it is; None where it shows none."""
    parts = re.findall(r"([−-]?[\d\u202f,]*\.?\d+)\s*([a-zA-Z]*)", text)
    if not parts or "<" in text:
        return None
    pairs = [(float(re.sub(r"[\u202f,]", "", number).replace("−", "-")), unit) for number, unit in parts]
    if len(pairs) > 1 and (pairs[0][1], pairs[1][1]) in (("min", "s"), ("h", "min")):
        return sum(number * UNITS.get(unit, 1) for number, unit in pairs[:2])
    return pairs[0][0] * UNITS.get(pairs[0][1], 1)


def test_a_number_in_the_downloads_is_the_one_on_the_page(fake):
    checked = set()
    for table in json.loads((fake.site / "leaderboard.json").read_text())["tables"]:
        units = {c["id"]: c.get("unit", "") for c in table["columns"] if c["numeric"]}
        for row in table["rows"]:
            for name in units:
                found = row["cells"][name]
                if "value" in found and (shown := said(found["text"])) is not None:
                    assert shown == pytest.approx(found["value"], rel=0.06, abs=0.06), (table["id"], name, found)
                    checked.add(name.rpartition(".")[2])
        for unit in filter(None, set(units.values())):
            line = (fake.site / "downloads" / f"{table['id']}.csv").read_text().splitlines()[0]
            assert f"({unit})" in line
    assert checked >= {"macs", "params", "train", "memory", "time", "top1", "gflops"}


def test_ranks_are_three_columns_in_downloads_and_one_on_the_page(fake):
    data = json.loads((fake.site / "leaderboard.json").read_text())
    table2 = next(t for t in data["tables"] if t["id"] == "table2")
    ids = [c["id"] for c in table2["columns"]]
    assert "rgb.rank" not in ids and {"rgb.rank_low", "rgb.rank_high", "rgb.group"} <= set(ids)
    lines = {r["Method"]: r for r in rows_of((fake.site / "downloads" / "table2.csv").read_text())}
    page = parse(fake.site / "table2.html")
    ranked = 0
    for method in ("Plain", "Student"):
        shown = cell(page, "table2", method, "rgb.rank")
        low, high, group = re.fullmatch(r"(\d+)(?:–(\d+))? group ([A-Z])", shown.text).groups()
        line = lines[method]
        assert line["RGB: Rank, best [measured]"] == low == shown.attrs["data-v"]
        assert line["RGB: Rank, worst [measured]"] == (high or low) and line["RGB: Tie group [measured]"] == group
        cells = next(r["cells"] for r in table2["rows"] if r["cells"]["method"]["text"] == method)
        assert (cells["rgb.rank_low"]["value"], cells["rgb.rank_high"]["value"]) == (int(low), int(high or low))
        ranked += 1
    assert ranked == 2
    assert lines["Broken"]["RGB: Rank, best [measured]"] == lines["Broken"]["RGB: Tie group [measured]"] == ""


def test_the_bars_of_figure_4_have_the_colour_of_their_lighting():
    values = [("A set of daylight in its name", 0.1), ("B", 0.2), ("C", 0.3)]
    svg = plots.bars([("mean", values)], ["dark", "daylight", ""], "light", "t").svg
    assert re.findall(BAR, svg) == ["hot", "cold", "muted"]


def test_a_set_whose_clips_do_not_say_it_has_the_declared_lighting(tmp_path):
    from reports import build
    from tests.helpers.fake_site import FAKE_STATISTICS, write

    made = write(tmp_path, seeds=1, tables=["table3"])
    sets = dict(made.benchmark.datasets)
    sets["nvgesture"] = sets["nvgesture"].model_copy(update={"lighting": "daylight"})
    statistics = FAKE_STATISTICS | {"nvgesture": {"rgb": {"": {"mean": 0.4, "std": 0.2}}}}
    build(made.work_dir, made.site, made.benchmark.model_copy(update={"datasets": sets}), made.entries, [statistics])
    text = (made.site / "data.html").read_text()
    figure = text[text.index("Mean and standard deviation of the colour frames") :].split("</svg>")[0]
    assert re.findall(BAR, figure) == ["hot", "cold", "cold"] * 2


def test_the_protocol_shows_the_profile_at_hand_before_the_papers_settings(fake):
    page = parse(fake.site / "protocol.html")
    heads = [h.text for h in page.all("h2")]
    assert heads.index("Profile: demo") < heads.index("The paper's own settings")
    own = page.one("section", **{"aria-labelledby": "profile"}).text
    assert "AdamW" in own and "SGD" not in own
    assert "another profile" in page.one("section", **{"aria-labelledby": "paper"}).text
