"""The sentence of a table: who is best, by how much over the next that is not tied, tied with whom, on what, when."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from harness.ledger.planfile import PlannedCell
from harness.ledger.record import Metrics
from harness.suite import Entry
from harness.suite.benchmark import Table
from harness.suite.cells import cell_id, sweep_variant
from reports import build
from reports.ledger.answers import Files, Outcomes
from reports.ledger.results import Result, Run
from reports.stats.training import Training
from reports.tables.differences import difference
from reports.tables.measured import measured_cells
from reports.tables.ranking import letters
from reports.tables.row_verdict import of_figure, of_rows
from reports.tables.table import Cell, Column, Row
from reports.tables.table import Table as Shown
from reports.tables.verdict import by_column, with_interval
from tests.helpers.fake_benchmark import fake_benchmark
from tests.helpers.fake_ledger import CellInfo, fake_record
from tests.helpers.fake_site import write
from tests.helpers.html_tree import parse

CLIPS = 400
KNOWN = Training(0.01, 30, 5)
TABLE = Table(
    id="t",
    layout="by_modality",
    title="Table 9. Made up",
    dataset="mgr_dark",
    columns=[{"modality": "rgb", "title": "RGB"}, {"modality": "depth", "title": "Depth"}],
)


def result(name, correct, training=KNOWN, day="2024-07-20", synthetic=True):
    """A cell whose seeds got the clips of ``correct`` (bool [seeds, clips]) right."""
    correct = np.atleast_2d(correct)
    runs = []
    for seed, row in enumerate(correct):
        where = {"model": name, "method": name, "stage": "single", "dataset": "mgr_dark", "test_modality": "rgb"}
        info = CellInfo(**where, train_modalities=["rgb"], seed=seed, profile="demo")
        record = fake_record(info, synthetic=synthetic).model_copy(
            update={
                "key": f"{name}{seed}",
                "finished": f"{day}T10:00:00Z",
                "metrics": Metrics(top1=float(row.mean()), mean_class=0.5, top5=0.9),
            }
        )
        cell = PlannedCell(**where, id=name, title=name, train_modalities=["rgb"], seed=seed, key=record.key)
        runs.append(Run(cell, "done", record=record, synthetic=("MGR-Dark",) if synthetic else ()))
    clips = tuple(f"c{i:04d}" for i in range(correct.shape[1]))
    subjects = tuple(str(i % 8) for i in range(correct.shape[1]))
    return Result(name, tuple(runs), Outcomes(clips, subjects, np.zeros(len(clips), int), correct), training=training)


def right(share, shift=0):
    """``share`` of the clips, spread evenly over subjects, from the clip ``shift`` on."""
    return np.roll(np.arange(CLIPS) < share * CLIPS, shift)


def entry(name, modality="rgb"):
    return Entry(
        name=name,
        config="x.py",
        method=name,
        title=name.title(),
        stage="single",
        dataset="mgr_dark",
        train_modalities=(modality,),
        test_modality=modality,
    )


def verdicts(found, further=(), entries=None):
    results = {r.id: r for r in found}
    entries = entries or {n: entry(n) for n in (*results, *further)}
    context = SimpleNamespace(
        benchmark=fake_benchmark(),
        entries=entries,
        profile="demo",
        result=results.get,
        leaves_out=lambda _: False,
        clips=SimpleNamespace(
            title=lambda dataset: fake_benchmark().datasets[dataset].title,
            clips_of=lambda record: fake_benchmark().datasets[record.cell.dataset].title,
        ),
    )
    return by_column(context, TABLE)


def test_best_by_how_much_over_the_next_that_is_not_tied_on_what_and_when():
    found = [
        result("poor", right(0.3)),
        result("good", right(0.9), day="2024-07-21"),
        result("near", right(0.89)),
        result("fair", right(0.6)),
    ]
    (said,) = verdicts(found)
    assert said.state == "best" and said.best == "good" and said.tied == ("near",)
    assert said.column == "RGB"
    assert said.text.startswith("Good is best with 90.00 % (95 % interval ")
    assert ", tied with Near, and 30.00 points (" in said.text
    assert said.text.endswith(") above Fair, the next that is not tied")
    assert said.basis == "synthetic MGR-Dark, profile demo, 1 seed, newest run 2024-07-21"
    assert said.line == f"{said.text} ({said.basis})."
    low, high = (float(x) for x in said.text.split("points (")[1].split(")")[0].split(" to "))
    assert low < 30 < high


def test_with_one_in_front_nobody_is_called_tied():
    (said,) = verdicts([result("good", right(0.9)), result("fair", right(0.6))])
    assert "tied with" not in said.text and said.tied == ()
    assert ", 30.00 points (" in said.text and "above Fair" in said.text


def test_methods_that_do_not_differ_have_no_best():
    (said,) = verdicts([result("a", right(0.6)), result("b", right(0.61)), result("c", right(0.59))])
    assert said.state == "tied" and said.text.startswith("all 3 methods are tied; the highest is B with 61.00 %")
    assert set(said.tied) == {"a", "c"}


def test_one_training_each_is_called_provisional_where_nothing_says_how_trainings_vary():
    (said,) = verdicts([result("a", right(0.9), training=None), result("b", right(0.2), training=None)])
    assert said.state == "provisional"
    assert said.text.startswith("provisional, since one training each is no rank: the highest of 2 is A with 90.00 %")


def test_columns_are_never_compared_and_what_is_missing_is_counted():
    entries = {"a": entry("a"), "b": entry("b"), "d": entry("d", "depth"), "e": entry("e", "depth")}
    rgb, depth = verdicts([result("a", right(0.9)), result("d", right(0.99))], entries=entries)
    assert (rgb.column, depth.column) == ("RGB", "Depth")
    assert rgb.state == depth.state == "alone"
    assert "with nothing to compare" in rgb.text and rgb.text.endswith("1 of 2 methods measured")
    assert rgb.best == "a" and depth.best == "d"
    entries["own"] = replace(entries["b"], name="own", protocol="of the authors")
    assert verdicts([result("a", right(0.9))], entries=entries)[0].text.endswith("1 of 2 ranked methods measured")


def read(result, content, modalities="rgb"):
    """The result, of these files."""
    return replace(result, outcomes=replace(result.outcomes, files=Files(modalities, content)))


def test_clips_of_the_same_names_with_other_files_are_other_clips():
    kept = [read(result("a", right(0.9)), "old"), read(result("b", right(0.6)), "old")]
    (said,) = verdicts([read(result("new", right(0.99)), "new"), *kept])
    assert said.best == "a" and "above B" in said.text and said.text.endswith("; 1 method tested on other clips")
    (said,) = verdicts([read(result("new", right(0.99)), "new"), kept[0]])
    assert said.state == "alone" and "nothing to compare on the same clips" in said.text
    (said,) = verdicts([read(result("more", right(0.99)), "both", "rgb,depth"), *kept])
    assert said.best == "more" and "other clips" not in said.text, "of other modalities nothing tells"
    (said,) = verdicts([result("older", right(0.99)), *kept])
    assert said.best == "older", "its record does not say what it read"


def test_a_point_on_other_files_is_not_compared_with_the_default():
    assert "; against it" in swept({0.9: 0.5, 1.5: 0.9}).text
    said = swept({0.9: 0.5, 1.5: 0.9}, files={0.9: "old", 1.5: "new"}).text
    assert "; against it" not in said and "1 point tested on other clips" in said


def test_nothing_measured_is_one_sentence_without_a_basis():
    (said,) = verdicts([], further=("a", "b"))
    assert said.state == "none" and said.line == "nothing is measured yet."


def test_nobody_alone_is_called_the_highest_where_several_have_the_same_number():
    """Equal numbers of different clips, and the first in the table's order is no better for it."""
    alike = [result(name, right(0.3, shift), training=None) for shift, name in enumerate("abc")]
    (said,) = verdicts([*alike, result("d", right(0.05), training=None)])
    assert said.state == "provisional" and "the highest of 4 is A with 30.00 %" in said.text
    assert ", the same as B and C" in said.text and "D" not in said.text.split("; ")[0]
    (tied,) = verdicts([result("a", right(0.6)), result("b", right(0.6, 1)), result("c", right(0.59))])
    assert tied.state == "tied" and ", the same as B" in tied.text and "the same as" not in verdicts([alike[0]])[0].text


def test_a_tie_at_chance_names_nobody():
    """Of ten classes; which of equal guesses comes first in the table says nothing."""
    alike = [result(name, right(0.1, shift), training=None) for shift, name in enumerate("abc")]
    (said,) = verdicts([*alike, result("d", right(0.05), training=None)])
    assert said.state == "provisional" and said.best == ""
    assert said.text.endswith(
        ": none of 4 methods is above chance, 10.0 %; 3 of them share the highest number, 10.00 %"
    )
    (tied,) = verdicts([result("a", right(0.1)), result("b", right(0.1, 1))])
    assert tied.text.startswith("all 2 methods are tied; none of 2 methods is above chance")
    (one,) = verdicts([*alike, result("d", right(0.4), training=None)])
    assert one.best == "d" and "the highest of 4 is D" in one.text


def test_a_single_training_with_nothing_beside_it_is_called_provisional():
    (said,) = verdicts([result("a", right(0.9), training=None)])
    assert said.state == "alone" and ", provisional), with nothing to compare" in said.text
    assert "provisional" not in verdicts([result("a", right(0.9))])[0].text


def test_what_failed_is_counted():
    broken = replace(result("c", right(0.5)), outcomes=None)
    broken = replace(broken, runs=tuple(replace(r, status="failed", record=None) for r in broken.runs))
    behind = replace(broken, id="d", runs=tuple(replace(r, status="blocked") for r in broken.runs))
    (said,) = verdicts([result("a", right(0.9)), result("b", right(0.8)), broken, behind], further=("e",))
    assert said.text.endswith("2 of 5 methods measured, 2 failed")
    (said,) = verdicts([broken, behind], further=("e",))
    assert said.state == "none" and said.line == "nothing is measured yet; 2 failed."


def test_a_highest_method_at_chance_says_so():
    (said,) = verdicts([result("a", right(0.1)), result("b", right(0.09))])
    assert "that is not above chance, 10.0 %" in said.text


def test_seeds_and_real_data_are_in_the_basis():
    three = np.stack([right(0.9), right(0.88), right(0.91)])
    (said,) = verdicts([result("a", three, synthetic=False), result("b", right(0.4), synthetic=False)])
    assert said.basis.startswith("MGR-Dark, profile demo, 1 to 3 seeds")


def test_json_pages_and_ranks_of_the_table_agree(fake):
    """The verdict names the highest of group A in the table's own ranks, and everybody else of the group as tied."""
    data = json.loads((fake.site / "leaderboard.json").read_text())
    said = {(v["table"], v["column"]): v for v in data["verdicts"]}
    rows = next(t["rows"] for t in data["tables"] if t["id"] == "table2")
    groups: dict[str, list] = {}
    for row in rows:
        cells = row["cells"]
        if cells["rgb.group"]["text"] in ("A", "B"):
            groups.setdefault(cells["rgb.group"]["text"], []).append(
                (cells["rgb.top1"]["value"], cells["method"]["text"])
            )
    names = [name for _, name in sorted(groups["A"], reverse=True)]
    text = said["table2", "RGB"]["line"]
    if "B" in groups:
        assert text.startswith(f"{names[0]} is best with")
        assert f"above {max(groups['B'])[1]}, the next" in text
    else:
        assert f"the highest is {names[0]}" in text
    for page in ("index.html", "table2.html"):
        shown = " ".join(parse(fake.site / page).one("main").text.split())
        assert said["table2", "RGB"]["text"] in shown, page


def test_an_ablation_says_the_highest_row_and_what_the_whole_adds_to_the_first(fake):
    data = json.loads((fake.site / "leaderboard.json").read_text())
    table = next(t for t in data["tables"] if t["id"] == "table4")
    rows = {r["cells"]["row"]["text"]: r["cells"] for r in table["rows"]}
    said = next(v for v in data["verdicts"] if v["table"] == "table4")["text"]
    assert f"{rows['Whole row']['delta']['text']} points ({rows['Whole row']['delta']['sub']}, p" in said
    assert "against Base row" in said and "2 of 3 rows measured" in said
    assert "Daylight row" not in said  # a bound of another light, whatever it reached


@pytest.mark.parametrize("compete", [True, False])
def test_groups_compete_where_the_table_says_so(compete):
    measured = {"base": 0.5, "rival": 0.8, "teacher": 0.95}
    values = measured | {"absent": 0.0}
    modalities, groups = {"teacher": "ir"}, {"rival": "Taught", "teacher": "Teachers"}
    rows = [dict(id=n, title=n.title(), model=n, group=groups.get(n, "")) for n in values]
    declared = Table(id="t", layout="rows", title="T", dataset="mgr_dark", rows=rows, compare_groups=compete)
    cells = {"delta": Cell("+30.0", 30.0, sub="+25.0 to +35.0"), "p": Cell("0.010", 0.01)}
    columns = tuple(Column(i, i) for i in ("m.top1", *cells))
    shown = Shown(
        "t", "T", "", columns, tuple(Row(n, cells | {"m.top1": Cell(f"{100 * v}")}) for n, v in values.items())
    )
    results = {n: result(n, right(v)) for n, v in measured.items()}
    context = SimpleNamespace(
        benchmark=fake_benchmark(),
        entries={n: entry(n, modalities.get(n, "rgb")) for n in values},
        profile="demo",
        result=results.get,
        clips=SimpleNamespace(title=lambda dataset: dataset, clips_of=lambda record: record.cell.dataset),
    )
    (said,) = of_rows(context, declared, shown)
    if compete:
        assert said.best == "rival" and said.text.startswith("Rival is highest of 2 rows with 80.0 %, +30.0 points")
        assert said.text.endswith("2 of 3 rows measured")  # the teacher sees something else
    else:
        assert said.text == "Base has 50.0 %; 1 of 2 rows measured"


@pytest.mark.parametrize(
    ("teacher", "line"),
    [(95.0, "none of the rows that are compared has been measured yet."), (None, "nothing is measured yet.")],
)
def test_a_number_of_a_row_that_is_not_compared_is_not_called_nothing(teacher, line):
    rows = [dict(id=n, title=n.title(), model=n) for n in ("base", "teacher")]
    declared = Table(id="t", layout="rows", title="T", dataset="mgr_dark", rows=rows)
    cells = [Row("base", {"m.top1": Cell("")}), Row("teacher", {"m.top1": Cell("", teacher)})]
    shown = Shown("t", "T", "", (Column("m.top1", "top1"),), tuple(cells))
    context = SimpleNamespace(entries={"base": entry("base"), "teacher": entry("teacher", "ir")}, result=lambda _: None)
    (said,) = of_rows(context, declared, shown)
    assert said.state == "none" and said.line == line


def test_rows_that_tie_at_chance_name_nobody():
    rows = [dict(id=n, title=n.title(), model=n) for n in ("base", "more")]
    declared = Table(id="t", layout="rows", title="T", dataset="mgr_dark", rows=rows)
    cells = {"m.top1": Cell("10.0"), "delta": Cell("0.0", 0.0, sub="-1.0 to +1.0"), "p": Cell("1.000", 1.0)}
    columns = tuple(Column(i, i) for i in cells)
    shown = Shown("t", "T", "", columns, tuple(Row(n, cells) for n in ("base", "more")))
    results = {n: result(n, right(0.1, shift)) for shift, n in enumerate(("base", "more"))}
    context = SimpleNamespace(
        benchmark=fake_benchmark(),
        entries={n: entry(n) for n in results},
        profile="demo",
        result=results.get,
        clips=SimpleNamespace(title=lambda dataset: dataset, clips_of=lambda record: record.cell.dataset),
    )
    (said,) = of_rows(context, declared, shown)
    assert said.text == "none of 2 rows is above chance, 10.0 %; all of them have the same number, 10.00 %"
    assert said.best == ""


def test_a_sweep_says_where_its_default_stands(fake):
    data = json.loads((fake.site / "leaderboard.json").read_text())
    table = next(t for t in data["tables"] if t["id"] == "figure6")
    beta = {r["cells"]["weight"]["value"]: r["cells"]["m.top1"]["value"] for r in table["rows"][3:]}
    said = next(v for v in data["verdicts"] if v["table"] == "figure6" and v["column"] == "beta, fake")
    highest = max(beta, key=beta.get)
    assert said["text"].startswith(f"{highest:g} is highest of 2 points")
    alpha = next(v for v in data["verdicts"] if v["table"] == "figure6" and v["column"] == "alpha, fake")
    assert "2 of 3 points measured" in alpha["text"]  # the third is not in the ledger
    if highest != 0.3:
        assert "the default, 0.3, is 2nd of 2, within the interval of the best; against it +" in said["text"]


def swept(values, training=KNOWN, files=None):
    """The verdict of the first sweep (default 0.9) of the made-up figure, from accuracies by point."""
    figure = fake_benchmark().figures[0]
    sweep = figure.sweeps[0]
    cells = {cell_id(figure.model, sweep_variant(sweep.id, v)): right(x) for v, x in values.items()}
    results = {i: result(i, correct, training) for i, correct in cells.items()}
    for value, content in (files or {}).items():
        name = cell_id(figure.model, sweep_variant(sweep.id, value))
        results[name] = read(results[name], content)
    clips = SimpleNamespace(title=lambda dataset: dataset, clips_of=lambda record: record.cell.dataset)
    context = SimpleNamespace(profile="demo", result=results.get, clips=clips)
    return of_figure(context, figure)[0]


def test_a_single_point_is_not_the_highest_of_any():
    assert swept({0.9: 0.5}).text.startswith("0.9 has 50.00 % (") and swept({0.9: 0.5}).state == "alone"
    assert "is highest of 2 points" in swept({0.9: 0.5, 1.5: 0.4}).text


@pytest.mark.parametrize(
    ("other", "training", "state"), [(0.2, KNOWN, "best"), (0.495, KNOWN, "tied"), (0.2, None, "provisional")]
)
def test_a_default_that_is_highest_is_tied_only_where_no_point_differs(other, training, state):
    assert swept({0.9: 0.5, 1.5: other}, training).state == state


@pytest.mark.parametrize(("p", "state"), [(0.01, "best"), (0.5, "tied"), (None, "alone")])
def test_a_first_row_that_is_highest_is_tied_only_where_no_row_differs(p, state):
    values = {"base": 0.8, "more": 0.5} if p is not None else {"base": 0.8}
    rows = [dict(id=n, title=n.title(), model=n) for n in ("base", "more")]
    declared = Table(id="t", layout="rows", title="T", dataset="mgr_dark", rows=rows)
    cells = {"delta": Cell("-30.0", -30.0, sub="-35.0 to -25.0"), "p": Cell("", p)}
    none = {"delta": Cell("reference"), "p": Cell("reference")}
    columns = tuple(Column(i, i) for i in ("m.top1", *cells))
    shown = [Row(n, (none if n == "base" else cells) | {"m.top1": Cell(f"{100 * v}")}) for n, v in values.items()]
    shown += [Row("more", none | {"m.top1": Cell()})] * ("more" not in values)
    results = {n: result(n, right(v)) for n, v in values.items()}
    context = SimpleNamespace(
        entries={n: entry(n) for n in ("base", "more")},
        profile="demo",
        result=results.get,
        clips=SimpleNamespace(title=lambda dataset: dataset, clips_of=lambda record: record.cell.dataset),
    )
    assert of_rows(context, declared, Shown("t", "T", "", columns, tuple(shown)))[0].state == state


@pytest.mark.parametrize("people", [2, 8])
def test_a_difference_that_one_person_makes_is_not_called_significant_without_a_word(people):
    """Better by 40 clips of one person and worse by 10 of the other: among two people the other one alone may be drawn.
    The same votes spread evenly over eight people leave no doubt.
    """
    better, worse = np.zeros((2, CLIPS), bool)
    better[:40], worse[CLIPS // 2 : CLIPS // 2 + 10] = True, True
    found = [result("good", better), result("fair", worse)]
    names = np.repeat(["a", "b"], CLIPS // 2) if people == 2 else np.arange(CLIPS) % people
    found = [replace(r, outcomes=replace(r.outcomes, subjects=tuple(map(str, names)))) for r in found]
    (said,) = verdicts(found)
    assert said.state == "best" and "above Fair, the next that is not tied" in said.text
    assert ("it may be none) above" in said.text) == (people == 2)
    assert bool(difference(*found).caveat) == (people == 2)


@pytest.mark.parametrize("seeds", [1, 2])
def test_equal_answers_have_no_interval_of_their_difference(seeds):
    """Two networks that always predict the same class, or the same clips right in each of several trainings."""
    a, b = (result(n, np.repeat(right(0.1)[None], seeds, axis=0), None) for n in "ab")
    found = difference(a, b)
    assert found.gap == 0 and found.interval is None and found.p == 1
    assert found.text == "0.00 points (no interval: the same answers)"


def test_all_clips_right_has_no_interval_and_says_so():
    a = result("a", right(1.0), None)
    assert a.interval is None and with_interval(a) == "100.00 % (provisional)"
    assert measured_cells(a)["top1"].sub == "no interval (provisional), n = 1"
    assert measured_cells(a)["ci_low"].value is None
    assert result("a", right(1.0)).interval is not None  # another training might have erred


@pytest.mark.parametrize("page", ["index.html", "table2.html", "table4.html"])
def test_the_verdict_comes_before_the_first_table(fake, page):
    html = (fake.site / page).read_text()
    assert 0 < html.index('class="says"') < html.index("<table")


def test_tables_that_were_not_asked_for_have_no_verdict_and_no_entry_in_the_navigation(tmp_path):
    made = write(tmp_path, seeds=1, tables=["table2"], missing={("student_mgr-dark-rgb", 0)})
    build(made.work_dir, made.site, made.benchmark, made.entries)
    data = json.loads((made.site / "leaderboard.json").read_text())
    assert {v["table"] for v in data["verdicts"]} == {"table2"}
    page = parse(made.site / "index.html")
    links = [a.attrs["href"] for a in page.one("nav").all("a")]
    assert "table2.html" in links and "table3.html" not in links
    assert 'Not asked for: <a href="table3.html">' in (made.site / "index.html").read_text()


def test_no_two_groups_of_ties_have_one_name():
    names = [letters(i) for i in range(800)]
    assert names[:3] == ["A", "B", "C"] and names[25:28] == ["Z", "AA", "AB"] and len(set(names)) == 800
