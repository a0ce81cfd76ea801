"""Jobs by table, and the line that says what a table lacks."""

from types import SimpleNamespace

from harness.plan.by_table import by_table
from harness.plan.jobs import Plan


def workspace():
    """Two tables that share a stage: a student and its teacher, and two jobs of one network each."""
    jobs = {
        key: SimpleNamespace(name=f"{key}-s0", parents=parents)
        for key, parents in {"teacher": {}, "student": {"teacher": "teacher"}, "plain": {}, "other": {}}.items()
    }
    cells = [
        SimpleNamespace(id=i, seed=0, used_by=used)
        for i, used in {"student": ["one", "two"], "plain": ["one"], "other": ["two"], "broken": ["two"]}.items()
    ]
    titles = [SimpleNamespace(id=i, title=f"Table {i}") for i in ("one", "two")]
    keys = {(i, 0): i for i in ("student", "plain", "other")}
    return SimpleNamespace(
        benchmark=SimpleNamespace(tables=titles, figures=[]),
        tables=["one", "two"],
        cells=cells,
        plan=Plan(jobs, keys, {("broken", 0): "no such file"}),
    )


def test_a_job_stands_below_the_first_table_that_asks_for_it():
    one, two = by_table(workspace(), dict.fromkeys(("teacher", "student", "plain", "other"), "done"), {})
    assert one.keys == ("teacher", "student", "plain") and two.keys == ("other",)
    assert one.heading == "Table one (one)" and two.heading == "Table two (two; 2 jobs of it stand above)"
    assert one.line == "one: 3 of 3 jobs done"
    assert two.line == "two: 3 of 3 jobs done; 1 cell cannot be planned: no such file"


def test_the_line_says_why():
    states = {"teacher": "failed", "student": "missing", "plain": "stale", "other": "missing"}
    one, two = by_table(workspace(), states, {"teacher": "out_of_memory: 9 GiB", "plain": "code x:Y: 1 -> 2"})
    assert one.line == (
        "one: 0 of 3 jobs done; 1 failed (out of memory); 1 stale (1 differ in code); "
        "1 not run, since teacher-s0 failed"
    )
    assert "1 not run, since teacher-s0 failed; 1 not run yet" in two.line
