"""The table model and its downloads."""

import csv
import io
import json
import shutil
from types import SimpleNamespace

import pytest

from reports.format import large, memory, percent_digits, points, printed, seconds, short_commit
from reports.plots.line_chart import chart, nice_ticks
from reports.tables import export as exports
from reports.tables.columns import remark_cells, remark_columns
from reports.tables.table import Cell, Column, Row, Table
from tests.helpers.fake_site import write
from tests.helpers.html_tree import grid, parse


def test_a_measured_value_in_a_claimed_column_is_an_error():
    columns = (Column("m", "Method"), Column("c", "Claimed", origin="claimed"))
    with pytest.raises(ValueError, match="a measured value in the claimed column c"):
        Table("t", "T", "", columns, (Row("r", {"m": Cell("x"), "c": Cell("1", 1.0, origin="measured")}),))
    with pytest.raises(ValueError, match="cells and columns differ in c"):
        Table("t", "T", "", columns, (Row("r", {"m": Cell("x")}),))
    with pytest.raises(ValueError, match="appears twice"):
        Table("t", "T", "", (columns[0], columns[0]), ())


def read_csv(path):
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_csv_agrees_with_the_page_cell_by_cell(fake):
    for name in ("table2", "table3", "table4", "table1", "runs"):
        page = {"table1": "data"}.get(name, name)
        tree = parse(fake.site / f"{page}.html")
        columns, rows = grid(tree, name)
        table = read_csv(fake.site / "downloads" / f"{name}.csv")
        titles = [t for t in table[0] if t != "Group"]
        assert len(table) == len(rows)
        bodies = tree.one("table", **{"data-table": name}).all("tbody")
        lines = [tr for body in bodies for tr in body.all("tr") if "group" not in tr.classes]
        places = [int(tr.attrs.get("data-place", i)) for i, tr in enumerate(lines)]  # the file has the declared order
        rows = [row for _, row in sorted(zip(places, rows, strict=True), key=lambda pair: pair[0])]
        numeric = [i for i, c in enumerate(columns) if "num" in c["classes"]]
        for row, line in zip(rows, table, strict=True):
            for i in numeric:
                here = row[i].attrs.get("data-v")
                title = columns[i]["title_text"]
                matching = [t for t in titles if title in t]
                values = [line[t] for t in matching]
                assert (here or "") in values, (name, title, here, values)


def test_every_download_says_profile_synthetic_and_origin(fake):
    for name in ("table2", "table3", "table4", "figure6"):
        for suffix in ("csv-metadata.json", "md", "tex"):
            text = (fake.site / "downloads" / f"{name}.{suffix}").read_text()
            assert "profile: demo" in text and "SYNTHETIC DATA" in text, (name, suffix)
        rows = read_csv(fake.site / "downloads" / f"{name}.csv")
        assert {r["Profile"] for r in rows} == {"demo"} and all("SYNTHETIC" in r["Data"] for r in rows)
        for title in rows[0]:
            if "top-1" in title.lower():
                assert ("claimed" in title.lower()) != ("measured" in title.lower()), title


def test_csv_keeps_unrounded_numbers_and_reasons(fake):
    rows = read_csv(fake.site / "downloads" / "table2.csv")
    plain = next(r for r in rows if r["Method"] == "Plain")
    tops = sorted(
        json.loads(p.read_text())["metrics"]["top1"]
        for p in (fake.work_dir / "runs").glob("plain_mgr-dark-rgb-s*-*/run.json")
    )
    assert float(plain["RGB: Measured top-1 (%)"]) == pytest.approx(100 * sum(tops) / 3)
    assert plain["RGB: Seeds done [measured]"] == "3" and plain["Depth: Seeds done [measured]"] == "2"
    assert "killed by signal 9" in plain["Depth: Reason [measured]"]
    low, high = (float(plain[f"RGB: 95 % interval, {x} (%) [measured]"]) for x in ("low", "high"))
    assert low < float(plain["RGB: Measured top-1 (%)"]) < high
    assert plain["RGB: Claimed top-1 (%)"] == ""
    broken = next(r for r in rows if r["Method"] == "Broken")
    assert broken["RGB: Status [measured]"] == "failed" and "9 GiB" in broken["RGB: Reason [measured]"]


def test_markdown_escapes_everything():
    columns = (Column("m", "M_x"), Column("v", "V (%)", numeric=True))
    cells = {"m": Cell(r"\input{x} #1 <b> | a"), "v": Cell("−1.5", -1.5)}
    md = exports.to_markdown(Table("t", "A & B", "50 % of_it", columns, (Row("r", cells),)), ["-- > a note"])
    assert r"\<b\> \|" in md and "-->" in md and md.count("-->") == 1


def test_leaderboard_json_holds_every_table_and_run(fake):
    data = json.loads((fake.site / "leaderboard.json").read_text())
    assert data["profile"] == "demo" and data["synthetic"] is True and data["datasets"]["mgr_dark"]["synthetic"] is True
    assert {"table2", "table3", "table4", "figure6", "table1", "data", "runs"} <= {t["id"] for t in data["tables"]}
    table2 = next(t for t in data["tables"] if t["id"] == "table2")
    origins = {c["id"]: c["origin"] for c in table2["columns"]}
    assert origins["rgb.claimed"] == "claimed" and origins["rgb.top1"] == "measured"
    statuses = {r["status"] for r in data["runs"]}
    assert statuses == {"done", "failed", "missing", "unplanned"}
    assert all(r["reason"] for r in data["runs"] if r["status"] != "done")


def test_seeds_on_different_clips_are_not_pooled(tmp_path):
    import pandas as pd

    from harness.ledger.planfile import read_plan, write_plan
    from harness.ledger.store import load_predictions, load_record
    from reports.ledger.ledger import make_ledger
    from reports.ledger.work_dir import read_work_dir
    from tests.helpers.fake_ledger import save

    made = write(tmp_path, seeds=2, tables=["table3"])
    directory = next((made.work_dir / "runs").glob("plain_nvgesture-rgb-s1-*"))
    fewer: pd.DataFrame = load_predictions(directory).iloc[:-5]
    old = load_record(directory)
    shutil.rmtree(directory)
    new = save(made.work_dir, old, fewer)
    plan = read_plan(made.work_dir / "plan.json")
    cells = [c.model_copy(update={"key": new.key}) if c.key == old.key else c for c in plan.cells]
    write_plan(made.work_dir / "plan.json", plan.model_copy(update={"cells": cells}))
    ledger = make_ledger([read_work_dir(made.work_dir)], "demo", made.benchmark, made.entries)
    result = ledger.results["plain_nvgesture-rgb"]
    assert len(result.done) == 1 and result.outcomes.correct.shape == (1, 300)


def test_numbers_as_people_read_them():
    assert [printed(v) for v in (85.26, 85.0, 84.6, 86.1)] == ["85.26", "85.0", "84.6", "86.1"]
    assert [large(v) for v in (None, 999, 27_200_000, 33.1e9)] == ["–", "999", "27.2 M", "33.1 G"]
    assert [seconds(v) for v in (None, 8.24, 59.97, 725, 12_000)] == [
        "–",
        "8.2 s",
        "1 min 0 s",
        "12 min 5 s",
        "3 h 20 min",
    ]
    assert memory(700 * 2**20) == "700 MiB" and memory(3 * 2**29) == "1.50 GiB"
    assert points(-0.0123) == "\u22121.2" and points(0.5, 2) == "+50.00"
    assert (percent_digits(50), percent_digits(482)) == (1, 2)
    assert (
        short_commit("0123456789abcdef-dirty") == "0123456789ab with local changes"
        and short_commit("") == "not recorded"
    )


def test_ticks_cover_the_range_with_round_steps():
    assert nice_ticks(0, 2) == pytest.approx([0, 0.5, 1.0, 1.5, 2.0])
    for low, high in ((0, 2.37), (0.001, 0.0043), (3, 3), (-5, 17), (0, 1e-7)):
        ticks = nice_ticks(low, high)
        assert ticks[0] <= low and ticks[-1] >= high * 0.999 and len(ticks) <= 7
        step = ticks[1] - ticks[0]
        assert all(b - a == pytest.approx(step) for a, b in zip(ticks, ticks[1:], strict=False))


def test_charts_leave_out_what_is_not_finite():
    made = chart("Loss", {"loss": [(1, 2.0), (2, float("nan")), (3, 1.0)], "gone": [(1, float("inf"))]})
    assert [line.name for line in made.lines] == ["loss"] and made.lines[0].points.count(",") == 2
    assert chart("Loss", {"loss": [(1, float("nan"))]}) is None
    assert chart("One", {"x": [(5, 1.0)]}).lines[0].points  # one epoch is a point, not an error


def test_remarks_on_claims_have_a_column_on_demand_where_there_are_any():
    plain, remarked = (SimpleNamespace(remark=text) for text in ("", "Printed with one decimal."))
    table = SimpleNamespace(claims=[plain, remarked])
    (column,) = remark_columns(table)
    assert column.toggle == "Remarks" and column.detail
    assert remark_cells(table, [plain, remarked, remarked])["remark"].text == "Printed with one decimal."
    assert remark_cells(table, [])["remark"].text == ""
    without = SimpleNamespace(claims=[plain])
    assert remark_columns(without) == [] and remark_cells(without, [plain]) == {}
