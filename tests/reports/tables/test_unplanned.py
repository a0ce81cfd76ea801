"""Cells that cannot be planned for the same reason have one number, and the reason stands once below the table."""

from reports.ledger.results import STATUS
from reports.tables.table import MEASURED, Cell, Row, missing
from reports.tables.unplanned import reasons_below


def row(name, reason):
    top1 = Cell(STATUS["unplanned"], sub=reason, title=reason, state="failed", origin=MEASURED)
    cells = {"method": Cell(name), "top1": top1, "rank": missing("–", reason, MEASURED)}
    return Row(name, cells | {"reason": Cell(reason, origin=MEASURED)})


def test_a_reason_is_said_once_for_all_its_cells():
    rows, notes = reasons_below([row("A", "three classes"), row("B", "no infrared"), row("C", "three classes")])
    assert notes == ["Not planned, 1: three classes (2 cells).", "Not planned, 2: no infrared (1 cell)."]
    assert [r.cells["top1"].text for r in rows] == ["not planned: 1", "not planned: 2", "not planned: 1"]
    assert [(r.cells["top1"].sub, r.cells["rank"].title) for r in rows[:1]] == [("", "not planned: 1")]
    assert rows[0].cells["reason"].text == "three classes"  # downloads say it in full
    assert "three classes" not in rows[0].cells["top1"].title  # which a screen reader would read in every cell


def test_nothing_changes_where_all_is_planned():
    rows = [Row("A", {"top1": Cell("failed", title="NaN", state="failed", origin=MEASURED)})]
    assert reasons_below(rows) == (rows, [])
