"""Pages show the whole ledger, whatever the last plan asked for: which run stands for a cell,
and what is said of it.
"""

import csv
import io
import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from harness.errors import BadUsage
from harness.ledger.planfile import read_plan, write_plan
from harness.ledger.record import CellInfo, DataInfo, Failure, Identity, RunRecord, StartingWeights
from harness.ledger.store import load_record
from reports import build
from reports.ledger.context import ReportContext
from reports.ledger.ledger import make_ledger
from reports.ledger.training import origin, training_variance
from reports.ledger.versions import answering
from reports.ledger.work_dir import read_work_dir
from tests.helpers.fake_ledger import fake_predictions, save
from tests.helpers.fake_site import write
from tests.helpers.html_tree import cell, grid, parse

PLAIN = "plain_mgr-dark-rgb"


def folder(made, pattern):
    return next((made.work_dir / "runs").glob(pattern))


def site(made, name="site", *more, **kw):
    out = made.site.parent / name
    build([made.work_dir, *more], out, made.benchmark, made.entries, **kw)
    return out


def rows(path):
    lines = io.StringIO(path.read_text(), newline="")
    return list(csv.DictReader(lines))


def another(made, pattern, finished, note="older", skill=0.0, failure=None, init="", weights=()):
    """A run of the same cell and seed under another config, and of another start where ``init`` is given."""
    record = load_record(folder(made, pattern))
    config = {**record.identity.config, "note": note}
    identity = record.identity.model_copy(update={"config": config})
    update = {"identity": identity, "finished": finished, "metrics": None, "pretrained": list(weights)}
    update["command"] = record.command + (f" --init {init}" if init else "")
    if failure is not None:
        update |= {"status": "failed", "failure": failure, "predictions_sha256": ""}
    table = None if failure else fake_predictions("mgr_dark", skill, record.cell.seed, note, 2)
    return save(made.work_dir, record.model_copy(update=update), table).key


def plan_only(made, tables):
    path = made.work_dir / "plan.json"
    plan = read_plan(path)
    cells = [c for c in plan.cells if set(c.used_by) & set(tables)]
    write_plan(path, plan.model_copy(update={"tables": list(tables), "cells": cells}))


def test_a_plan_of_one_table_leaves_the_others_and_their_p_as_they_were(tmp_path):
    made = write(tmp_path, seeds=2)
    before = site(made, "before")
    plan_only(made, ["table2"])
    after = site(made, "after")
    for name in ("table2", "table3", "table4", "figure6", "evidence", "evidence_statements"):
        assert rows(before / "downloads" / f"{name}.csv") == rows(after / "downloads" / f"{name}.csv"), name
    index = parse(after / "index.html").text
    assert "The last plan did not ask for" in index
    assert "--tables" not in index.split("Do it again")[1].split("What is missing")[0]


def test_a_stage_of_what_was_planned_counts_as_planned(tmp_path):
    """A cell of another table that the plan runs as a stage is as new as the plan: nobody is told otherwise."""
    made = write(tmp_path, seeds=1)
    path = made.work_dir / "plan.json"
    plan = read_plan(path)
    half = next(c for c in plan.cells if c.id == "student_mgr-dark-rgb+half")
    rest = plan.model_copy(update={"cells": [c for c in plan.cells if c is not half]})
    write_plan(path, rest)
    assert "did not ask for 1 cell" in parse(site(made) / "index.html").text
    record = load_record(folder(made, f"{PLAIN}-s0-*"))
    identity = record.identity.model_copy(update={"parents": {"stage": half.key}})
    update = {"identity": identity, "metrics": None}
    key = save(made.work_dir, record.model_copy(update=update), fake_predictions("mgr_dark", 0.5, 0, "x", 2)).key
    ask_for(made, key)
    assert "did not ask for" not in parse(site(made) / "index.html").text


def test_a_stage_of_what_is_under_way_counts_as_planned(tmp_path):
    """In the middle of a run: what a method's cells are made from stands in no record yet."""
    made = write(tmp_path, seeds=1)
    path = made.work_dir / "plan.json"
    plan = read_plan(path)
    half = next(c for c in plan.cells if c.id == "student_mgr-dark-rgb+half")
    write_plan(path, plan.model_copy(update={"cells": [c for c in plan.cells if c is not half]}))
    assert "did not ask for 1 cell" in parse(site(made, "before") / "index.html").text
    shutil.rmtree(folder(made, "student_mgr-dark-rgb-s0-*"))
    assert "did not ask for" not in parse(site(made, "after") / "index.html").text


def test_p_is_adjusted_for_the_rows_of_the_table_not_for_those_that_ran(tmp_path):
    made = write(tmp_path, seeds=2)
    before = {r["Row"]: r["p [measured]"] for r in rows(site(made, "before") / "downloads" / "table4.csv")}
    for variant in ("half", "alpha=0"):  # the figure's point at alpha 0 has the row's overrides: it would answer it
        for seed in range(2):
            shutil.rmtree(folder(made, f"student_mgr-dark-rgb+{variant}-s{seed}-*"))
    after = {r["Row"]: r["p [measured]"] for r in rows(site(made, "after") / "downloads" / "table4.csv")}
    assert before["Half row"] and not after["Half row"]
    assert float(after["Whole row"]) >= float(before["Whole row"]) and after["Whole row"]
    raw = min(1.0, float(before["Whole row"]))
    assert float(after["Whole row"]) <= min(1.0, 3 * raw)


def test_without_any_plan_the_runs_are_shown(tmp_path):
    made = write(tmp_path, seeds=1)
    with_plan = rows(site(made, "a") / "downloads" / "table2.csv")
    (made.work_dir / "plan.json").unlink()
    assert rows(site(made, "b") / "downloads" / "table2.csv") == with_plan


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{}", "not a plan (profile: Field required); "),
        (b"", "not a plan (Invalid JSON: EOF "),
        (b"[]", "not a plan (Input should be an object); "),
        (b"\xff\x00", "cannot be read ('utf-8' codec"),
        (b'{"schema_version": 99}', "newer"),
    ],
)
def test_a_damaged_plan_is_said_on_the_page_and_in_the_log_and_costs_no_page(tmp_path, caplog, content, said):
    made = write(tmp_path, seeds=1)
    (made.work_dir / "plan.json").write_bytes(content)
    out = site(made)
    (line,) = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert said in line and str(made.work_dir / "plan.json") in line and "(: " not in line
    assert said in parse(out / "index.html").text
    assert cell(parse(out / "table2.html"), "table2", "Plain", "rgb.top1").attrs["data-v"]


def test_what_the_plan_asks_for_comes_before_a_newer_run_of_another_config(tmp_path):
    made = write(tmp_path, seeds=1)
    before = cell(parse(site(made, "a") / "table2.html"), "table2", "Plain", "rgb.top1").attrs["data-v"]
    key = another(made, f"{PLAIN}-s0-*", "2030-01-01T00:00:00Z", skill=3.0)
    out = site(made, "b")
    assert "commits" not in parse(out / "table2.html").one("figcaption").text
    td = cell(parse(out / "table2.html"), "table2", "Plain", "rgb.top1")
    assert td.attrs["data-v"] == before and "older" not in td.text
    listed = [r for r in grid(parse(out / "runs.html"), "runs")[1] if key[:12] in r[0].text]
    assert len(listed) == 1 and "older config, code or data" in " ".join(c.text for c in listed[0])
    assert "older config" in parse(next((out / "runs").glob(f"*{key[:12]}.html"))).text
    assert "1 run of an older config, code or data is listed and not counted" in parse(out / "index.html").text


def test_a_run_that_the_plan_no_longer_asks_for_is_shown_and_says_so(tmp_path):
    made = write(tmp_path, seeds=1, missing={(PLAIN, 0)})
    path = made.work_dir / "plan.json"
    other = write(tmp_path / "other", seeds=1, tables=["table2"])
    shutil.copytree(folder(other, f"{PLAIN}-s0-*"), made.work_dir / "runs" / folder(other, f"{PLAIN}-s0-*").name)
    plan = read_plan(path)
    cells = [c.model_copy(update={"key": "f" * 64}) if c.id == PLAIN else c for c in plan.cells]
    write_plan(path, plan.model_copy(update={"cells": cells}))
    out = site(made)
    td = cell(parse(out / "table2.html"), "table2", "Plain", "rgb.top1")
    assert td.attrs["data-v"] and "of an older config, code or data than the last plan's" in td.text
    line = next(r for r in rows(out / "downloads" / "table2.csv") if r["Method"] == "Plain")
    assert line["RGB: Status [measured]"] == "done, older config, code or data"
    runs = json.loads((out / "leaderboard.json").read_text())["runs"]
    assert [r["older"] for r in runs if r["cell"] == PLAIN] == [True] and sum(r["older"] for r in runs) == 1
    cells = [c.model_copy(update={"error": "fake: its teacher failed"}) if c.id == PLAIN else c for c in cells]
    write_plan(path, plan.model_copy(update={"cells": cells}))
    td = cell(parse(site(made, "blocked") / "table2.html"), "table2", "Plain", "rgb.top1")
    assert td.attrs["data-v"] and "the present one blocked: fake: its teacher failed" in td.text


def test_a_mean_is_never_over_two_versions(tmp_path):
    made = write(tmp_path, seeds=3, tables=["table2"])
    for seed in (1, 2):
        another(made, f"{PLAIN}-s{seed}-*", "2020-01-01T00:00:00Z")
        record = folder(made, f"{PLAIN}-s{seed}-*/run.json")
        for path in (made.work_dir / "runs").glob(f"{PLAIN}-s{seed}-*/run.json"):
            if "older" not in path.read_text():
                record = path
        shutil.rmtree(record.parent)
    td = cell(parse(site(made) / "table2.html"), "table2", "Plain", "rgb.top1")
    own = load_record(folder(made, f"{PLAIN}-s0-*")).metrics.top1
    assert float(td.attrs["data-v"]) == pytest.approx(100 * own) and "n = 1 of 3" in td.text


def test_seeds_beyond_the_last_plan_are_part_of_the_mean(tmp_path):
    made = write(tmp_path, seeds=3, tables=["table2"])
    path = made.work_dir / "plan.json"
    plan = read_plan(path)
    write_plan(path, plan.model_copy(update={"seeds": 1, "cells": [c for c in plan.cells if c.seed == 0]}))
    td = cell(parse(site(made) / "table2.html"), "table2", "Plain", "rgb.top1")
    assert "n = 3" in td.text and "older" not in td.text


def test_a_failure_is_shown_only_where_nothing_is_done(tmp_path):
    made = write(tmp_path, seeds=1)
    another(made, f"{PLAIN}-s0-*", "2030-01-01T00:00:00Z", failure=Failure(kind="crash", message="fake: crashed"))
    out = site(made)
    assert "crashed" not in cell(parse(out / "table2.html"), "table2", "Plain", "rgb.top1").text
    columns, rows = grid(parse(out / "runs.html"), "runs")
    state = [c["data-col"] for c in columns].index("state")
    assert sum(r[state].text.startswith("failed") for r in rows) == 1, [r[state].text for r in rows]


def test_several_ledgers_are_one_site_and_it_says_so(tmp_path):
    whole = write(tmp_path / "whole", seeds=1)
    a = write(tmp_path / "a", seeds=1, tables=["table2"])
    b = write(tmp_path / "b", seeds=1, tables=["table2", "table3", "table4", "figure6"])
    out, alone = site(a, "site", b.work_dir), site(whole)
    for name in ("table2", "table3", "table4", "figure6"):
        assert rows(out / "downloads" / f"{name}.csv") == rows(alone / "downloads" / f"{name}.csv"), name
    assert "Read from 2 ledgers" in parse(out / "index.html").text
    assert len(list((out / "runs").glob(f"{PLAIN}-s0-*.html"))) == 1
    assert "ledgers" not in parse(alone / "index.html").text


def test_every_profile_of_the_ledgers_has_its_pages(tmp_path):
    made = write(tmp_path / "demo", seeds=1, tables=["table2"])
    smoke = write(tmp_path / "smoke", seeds=1, tables=["table2"], profile="smoke")
    out = site(made, "site", smoke.work_dir)
    main, other = parse(out / "table2.html"), parse(out / "profiles" / "smoke" / "table2.html")
    assert "demo ; also smoke" in main.one("dl", cls="stamp").text
    assert "smoke ; also demo" in other.one("dl", cls="stamp").text
    for page, here in ((main, out), (other, out / "profiles" / "smoke")):
        for a in page.one("dl", cls="stamp").all("a"):
            assert (here / a.attrs["href"]).resolve().is_file()
    assert json.loads((out / "leaderboard.json").read_text())["profiles"] == {
        "smoke": "profiles/smoke/leaderboard.json"
    }
    only = site(made, "only", smoke.work_dir, profiles=["smoke"])
    assert not (only / "profiles").exists() and "smoke" in parse(only / "index.html").one("dl", cls="stamp").text
    with pytest.raises(BadUsage, match="--profile paper: nothing of it was planned or run here; choose from demo"):
        site(made, "no", profiles=["paper"])


def real_with_a_synthetic_stage(tmp_path):
    """Runs on real clips; the student's translator was trained on generated pictures."""
    made = write(tmp_path, seeds=1, synthetic=False, tables=["table4"])
    about = DataInfo(
        name="SYSU-MM01",
        synthetic=True,
        fingerprint="f",
        classes=[],
        train_clips=10,
        test_clips=0,
        train_subjects=["1"],
        test_subjects=[],
    )
    info = CellInfo(
        model="fake_encoder",
        method="M",
        stage="encoder",
        dataset="mgr_dark",
        train_modalities=["rgb"],
        test_modality="rgb",
        seed=0,
        profile="demo",
    )
    identity = Identity(version=1, config={"of": "encoder"}, data={}, parents={}, code={}, seed=0)
    encoder = save(made.work_dir, RunRecord(key="", status="done", cell=info, identity=identity, data=about), None)
    old = folder(made, "student_mgr-dark-rgb-s0-*")
    record = load_record(old)
    identity = record.identity.model_copy(update={"parents": {**record.identity.parents, "translator": encoder.key}})
    table = fake_predictions("mgr_dark", 0.5, 0, "x", 2)
    shutil.rmtree(old)
    key = save(made.work_dir, record.model_copy(update={"identity": identity, "metrics": None}), table).key
    path = made.work_dir / "plan.json"
    plan = read_plan(path)
    cells = [c.model_copy(update={"key": key}) if c.id == record.cell.model else c for c in plan.cells]
    write_plan(path, plan.model_copy(update={"cells": cells}))
    return made, key


def test_real_clips_with_a_synthetic_stage_are_marked_everywhere(tmp_path):
    made, key = real_with_a_synthetic_stage(tmp_path)
    out = site(made)
    page = parse(out / "table4.html")
    assert "depends on stages that saw synthetic SYSU-MM01" in cell(page, "table4", "Whole row", "m.top1").text
    assert "synthetic" not in cell(page, "table4", "Base row", "m.top1").text
    banner = page.one("p", cls="synthetic").text
    assert (
        "Synthetic data in stages." in banner and "SYSU-MM01" in banner and "come from generated videos" not in banner
    )
    assert "MGR-Dark (stages on synthetic SYSU-MM01)" in page.one("dl", cls="stamp").text
    assert "SYSU-MM01" in page.one("p", cls="verdict").text
    lines = {r["Row"]: r["Synthetic data [measured]"] for r in rows(out / "downloads" / "table4.csv")}
    assert lines["Whole row"] == "SYSU-MM01" and lines["Base row"] == "none"
    data = json.loads((out / "leaderboard.json").read_text())
    assert data["synthetic"] is True and data["synthetic_data"] == ["SYSU-MM01"]
    assert {r["cell"]: r["synthetic"] for r in data["runs"]}["student_mgr-dark-rgb"] == ["SYSU-MM01"]
    assert {r["cell"]: r["synthetic"] for r in data["runs"]}[PLAIN] == []
    for suffix in ("csv", "md", "tex"):
        assert "SYNTHETIC DATA (SYSU-MM01) in stages" in (out / "downloads" / f"table4.{suffix}").read_text()
    run = parse(next((out / "runs").glob(f"*{key[:12]}.html")))
    facts = dict(zip((d.text for d in run.all("dt")), (d.text for d in run.all("dd")), strict=True))
    assert facts["Synthetic data, stages included"] == "SYSU-MM01" and facts["Data"] == "MGR-Dark, dark"


def test_stages_that_ran_have_their_accuracy_on_the_methods_page(tmp_path):
    made = write(tmp_path, seeds=2)
    entry = made.entries[PLAIN]
    name = "fake_teacher_mgr_dark"
    made.entries[name] = type(entry)(**{**vars(entry), "name": name, "stage": "teacher", "test_modality": "ir"})
    page = parse(site(made) / "methods.html")
    row = next(tr for tr in page.all("tr") if tr.all("th") and tr.all("th")[0].text == name)
    runs = [load_record(p) for p in (made.work_dir / "runs").glob(f"{name}-s*")]
    mean = 100 * sum(r.metrics.top1 for r in runs) / len(runs)
    assert len(runs) == 2 and row.text.split(" ± ")[0].endswith(f"{mean:.1f}")
    assert "not in the last plan" not in page.text


def test_training_time_is_the_stages_too_each_once(tmp_path):
    made = write(tmp_path, seeds=1, tables=["table4"])
    page = parse(site(made) / "table4.html")

    def seconds(row, column):
        return cell(page, "table4", row, column).attrs.get("data-v")

    student = load_record(folder(made, "student_mgr-dark-rgb-s0-*"))
    parents = [load_record(folder(made, f"*-{k[:12]}")) for k in student.identity.parents.values()]
    assert float(seconds("Whole row", "m.train")) == student.cost.train_seconds
    # the translator that both depend on has no time in its record: nothing is made up
    assert seconds("Whole row", "m.train_all") is None and len(parents) == 2
    translator = load_record(folder(made, "fake_translator-s0-*"))
    cost = translator.cost.model_copy(update={"total_seconds": 7.5})
    save(made.work_dir, translator.model_copy(update={"cost": cost}), None)
    page = parse(site(made, "timed") / "table4.html")
    total = student.cost.train_seconds + sum(p.cost.train_seconds for p in parents) + 7.5
    assert float(seconds("Whole row", "m.train_all")) == pytest.approx(total)
    assert seconds("Base row", "m.train_all") == seconds("Base row", "m.train")


def test_every_count_has_its_word(tmp_path):
    made = write(tmp_path, seeds=1)
    out = site(made)
    text = parse(out / "index.html").text
    plan = read_plan(made.work_dir / "plan.json")
    asked = len({c.key for c in plan.cells})
    listed = len(grid(parse(out / "runs.html"), "runs")[1])
    assert f"Tables and figures ask for {asked} runs" in text and f"{asked} are done" in text
    assert f"{listed - asked} more runs of stages that they depend on are here" in text and listed > asked


def test_one_seed_with_nothing_trained_twice_is_provisional_and_has_no_rank(tmp_path):
    made = write(tmp_path, seeds=1)
    page = parse(site(made) / "table2.html")
    td = cell(page, "table2", "Plain", "rgb.top1")
    assert "(provisional), n = 1" in td.text
    assert cell(page, "table2", "Plain", "rgb.rank").text.startswith("–")
    assert "One seed is one training. Intervals of n = 1 are provisional" in page.one("figcaption").text
    assert not page.all("table", cls="pairs")
    table4 = parse(site(made, "b") / "table4.html")
    assert "provisional" in cell(table4, "table4", "Whole row", "p").text
    assert "provisional" in cell(table4, "table4", "Whole row", "delta").text


def test_one_seed_carries_the_variance_of_the_cells_that_have_more(tmp_path):
    made = write(tmp_path, seeds=3)
    for seed in (1, 2):
        for path in list((made.work_dir / "runs").glob(f"{PLAIN}-s{seed}-*")):
            shutil.rmtree(path)
    one = write(tmp_path / "one", seeds=1)
    out, alone = site(made), site(one, "alone")
    line, bare = (next(r for r in rows(s / "downloads" / "table2.csv") if r["Method"] == "Plain") for s in (out, alone))

    def width(r):
        return float(r["RGB: 95 % interval, high (%) [measured]"]) - float(r["RGB: 95 % interval, low (%) [measured]"])

    assert bare["RGB: Measured top-1 (%)"] == line["RGB: Measured top-1 (%)"] and width(line) > width(bare)
    caption = parse(out / "table2.html").one("figcaption").text
    assert "carry the variance of training" in caption and "of this ledger that were trained" in caption
    assert line["RGB: Rank, best [measured]"]
    # the run's page has the interval of the table
    low, high = (f"{float(line[f'RGB: 95 % interval, {x} (%) [measured]']):.1f}" for x in ("low", "high"))
    run = parse(next((out / "runs").glob(f"{PLAIN}-s0-*.html")))
    assert f"95 % interval {low} to {high}" in run.text
    assert "Wilson" not in " ".join(parse(p).text for p in out.glob("*.html"))


def with_stated(made, synthetic):
    """The site of a made-up ledger whose benchmark states a deviation of one kind of clips."""
    sets = dict(made.benchmark.datasets)
    stated = {"demo": {"points": 4.0, "freedom": 30, "source": "a fake source", "synthetic": synthetic}}
    sets["mgr_dark"] = type(sets["mgr_dark"]).model_validate({**sets["mgr_dark"].model_dump(), "training_std": stated})
    made.benchmark = made.benchmark.model_copy(update={"datasets": sets})
    return site(made)


@pytest.mark.parametrize("synthetic", [True, False])
def test_a_variance_of_other_clips_ranks_nobody(tmp_path, synthetic):
    page = parse(with_stated(write(tmp_path, seeds=1, synthetic=synthetic), not synthetic) / "table2.html")
    assert "a fake source" not in page.text and "no training on this data set and profile" in page.text
    assert "provisional" in cell(page, "table2", "Plain", "rgb.top1").text


def test_a_stated_variance_stands_in_where_the_ledger_has_none(tmp_path):
    page = parse(with_stated(write(tmp_path, seeds=1, synthetic=True), True) / "table2.html")
    caption = page.one("figcaption").text
    assert "4.0 points, from what the benchmark states (a fake source), with 30 degrees of freedom" in caption
    assert "group" in cell(page, "table2", "Plain", "rgb.rank").text
    bodies = page.one("table", **{"data-table": "table2"}).all("tbody")
    assert bodies and not any("provisional" in body.text for body in bodies)


@pytest.mark.parametrize(
    ("cells", "points", "freedom"), [(0, 4.0, 30), (1, 3.943, 31), (7, 3.654, 37), (8, 2.0**0.5, 8)]
)
def test_a_deviation_of_few_degrees_of_freedom_counts_with_what_is_stated(cells, points, freedom):
    """Of cells with 60 and 62 % (s² = 2, one degree of freedom each) and 4.0 points stated with 30. What was rendered
    with other networks varies by 80 points, and is no training."""

    def result(n):
        run = SimpleNamespace(cell=SimpleNamespace(dataset="mgr_dark"))
        data, kind = SimpleNamespace(synthetic=True), "train" if n < cells else "render"
        done = [SimpleNamespace(key=f"{n}-{seed}", kind=kind, data=data) for seed in (0, 1)]
        accuracies = [0.60, 0.62] if n < cells else [0.1, 0.9]
        return SimpleNamespace(runs=[run], done=done, accuracies=accuracies, guesses=False)

    stated = SimpleNamespace(points=4.0, freedom=30, synthetic=True, source="a fake source")
    benchmark = SimpleNamespace(datasets={"mgr_dark": SimpleNamespace(training_std={"demo": stated})})
    found = training_variance({str(n): result(n) for n in range(cells + 1)}, benchmark, "demo")["mgr_dark"]
    assert found.std == pytest.approx(points / 100, abs=5e-5) and found.freedom == freedom
    own, said = f"{cells} cell", "a fake source"
    assert (own in origin(found), said in origin(found)) == (cells > 0, cells < 8)


def test_a_cell_that_guesses_at_every_seed_says_nothing_of_trainings(tmp_path):
    """One collapsed training of several is what varies; a cell that never learned is not."""
    made = write(tmp_path, seeds=3)
    work = read_work_dir(made.work_dir)
    results = make_ledger([work], "demo", made.benchmark, made.entries).results
    known = {i: r for i, r in results.items() if len(r.done) == 3 and r.outcomes is not None}
    one = next(r for r in known.values() if not r.guesses)
    right = one.outcomes.correct
    lucky = np.zeros_like(right[0])
    lucky[: right.shape[1] // 10] = True  # one in ten classes: as many as by guessing

    def seeds(*correct):
        return replace(one, outcomes=replace(one.outcomes, correct=np.stack(correct)))

    assert seeds(lucky, lucky, lucky).guesses and not seeds(right[0], lucky, lucky).guesses
    whole = training_variance({"a": seeds(*right)}, made.benchmark, "demo")
    assert whole and not training_variance({"a": seeds(lucky, lucky, lucky)}, made.benchmark, "demo")
    assert training_variance({"a": seeds(*right), "b": seeds(lucky, lucky, lucky)}, made.benchmark, "demo") == whole


def shared(made, cell_name, with_name):
    """Let a cell be answered by another cell's run, as equal keys are."""
    path = made.work_dir / "plan.json"
    plan = read_plan(path)
    key = next(c.key for c in plan.cells if c.id == with_name)
    for folder_ in (made.work_dir / "runs").glob(f"{cell_name}-s0-*"):
        shutil.rmtree(folder_)
    cells = [c.model_copy(update={"key": key}) if c.id == cell_name else c for c in plan.cells]
    write_plan(path, plan.model_copy(update={"cells": cells}))


def point(page, label):
    """The measured cell of one point of Figure 6."""
    return page.one("table", cls="points").one("td", **{"data-label": label})


def test_a_cell_is_answered_by_the_run_of_another_with_its_key(tmp_path):
    made = write(tmp_path, seeds=1)
    shared(made, "student_mgr-dark-rgb+alpha=0.9", "student_mgr-dark-rgb")
    page = parse(site(made) / "figure6.html")
    base = cell(parse(made.site.parent / "site" / "table4.html"), "table4", "Whole row", "m.top1").attrs["data-v"]
    td = point(page, "alpha = 0.9")
    assert td.attrs["data-v"] == base and "same run" not in td.text


def test_a_default_point_is_found_without_the_plan(tmp_path):
    made = write(tmp_path, seeds=1, missing={("student_mgr-dark-rgb+alpha=0.9", 0)})
    for pattern, alpha in (("student_mgr-dark-rgb-s0-*", 0.9), ("student_mgr-dark-rgb+beta=0-s0-*", 0.9)):
        old = folder(made, pattern)
        record = load_record(old)
        model = {
            **record.identity.config["model"],
            "alpha": alpha,
            "beta": record.cell.overrides.get("model.beta", 0.3),
        }
        identity = record.identity.model_copy(update={"config": {**record.identity.config, "model": model}})
        shutil.rmtree(old)
        table = fake_predictions("mgr_dark", 0.5, 0, pattern, 2)
        save(made.work_dir, record.model_copy(update={"identity": identity, "metrics": None}), table)
    (made.work_dir / "plan.json").unlink()
    out = site(made)
    default = point(parse(out / "figure6.html"), "alpha = 0.9").attrs["data-v"]
    assert default == cell(parse(out / "table4.html"), "table4", "Whole row", "m.top1").attrs["data-v"]
    # a run that answers a cell of a grid that is not shown links to the figure
    run = parse(next((out / "runs").glob("student_mgr-dark-rgb-s0-*.html")))
    grids = [x.attrs["href"] for x in run.all("a") if x.text == "Figure 6, grid"]
    assert grids == ["../figure6.html"]


def test_a_row_is_answered_by_the_stage_that_has_its_overrides():
    """Those under ``parents`` are in no resolved config: which translator an assistant's pictures come from."""
    sysu, clahe = ({"parents.pseudo_ir.overrides": {"parents.translator.config": f"{x}.py"}} for x in ("sysu", "clahe"))

    def run(variant, overrides):
        cell = SimpleNamespace(model="assistant", variant=variant, overrides=overrides)
        config = {"model": {"alpha": overrides.get("model.alpha", 0.9)}}
        return SimpleNamespace(cell=cell, identity=SimpleNamespace(config=config))

    row = SimpleNamespace(entry=SimpleNamespace(name="assistant"), variant="sysu", overrides=sysu)
    plain, stage, other = run("", {}), run("as-1", sysu), run("as-2", clahe)
    more = run("as-3", {**sysu, "model.alpha": 0.0})
    assert answering(row, [plain, stage, other, more]) == [stage]


def test_a_row_whose_run_is_another_rows_says_so_and_is_ranked_once(tmp_path):
    made = write(tmp_path, seeds=3)
    for seed in range(3):
        path = made.work_dir / "plan.json"
        plan = read_plan(path)
        key = next(c.key for c in plan.cells if c.id == PLAIN and c.seed == seed)
        twin = ("hostile_mgr-dark-rgb", seed)
        cells = [c.model_copy(update={"key": key}) if (c.id, c.seed) == twin else c for c in plan.cells]
        write_plan(path, plan.model_copy(update={"cells": cells}))
        for old in (made.work_dir / "runs").glob(f"hostile_mgr-dark-rgb-s{seed}-*"):
            shutil.rmtree(old)
    page = parse(site(made) / "table2.html")
    plain, twin = (cell(page, "table2", name, "rgb.top1") for name in ("Plain", "<script>"))
    assert plain.attrs["data-v"] == twin.attrs["data-v"] and f"the same run as {PLAIN}" in twin.text
    assert "same run" not in plain.text
    assert "group" in cell(page, "table2", "Plain", "rgb.rank").text
    assert cell(page, "table2", "<script>", "rgb.rank").text.startswith("–")


def test_a_table_of_runs_of_several_commits_says_so(tmp_path):
    made = write(tmp_path, seeds=1, tables=["table2"])
    record = load_record(folder(made, f"{PLAIN}-s0-*"))
    table = fake_predictions("mgr_dark", 0.3, 0, "x", 2)
    save(made.work_dir, record.model_copy(update={"commit": "beefbeefbeef", "metrics": None}), table)
    assert (
        "Runs of this table were made at 2 commits: beefbeefbeef, c0ffeec0ffee."
        in parse(site(made) / "table2.html").text
    )


WEIGHTS = [StartingWeights(where="model.backbone.init_cfg.checkpoint", file="fake.pth", sha256="a" * 64)]


def ask_for(made, key):
    """The last plan's key of the plain cell."""
    path = made.work_dir / "plan.json"
    plan = read_plan(path)
    cells = [c.model_copy(update={"key": key}) if c.id == PLAIN else c for c in plan.cells]
    write_plan(path, plan.model_copy(update={"cells": cells}))


def test_runs_of_another_start_than_the_profile_s_are_left_out_and_said(tmp_path):
    """Whatever was asked for last: a table of one profile is of one start."""
    made = write(tmp_path, seeds=1)
    usual = load_record(folder(made, f"{PLAIN}-s0-*")).metrics.top1
    key = another(made, f"{PLAIN}-s0-*", "2030-01-01T00:00:00Z", skill=3.0, init="pretrained", weights=WEIGHTS)
    ask_for(made, key)
    out = site(made)
    td = cell(parse(out / "table2.html"), "table2", "Plain", "rgb.top1")
    assert float(td.attrs["data-v"]) == pytest.approx(100 * usual)
    assert "1 run with --init pretrained left out" in td.text and "older config" not in td.text
    assert "1 run with --init pretrained is listed and not counted" in parse(out / "index.html").text
    assert "of an older config" not in parse(out / "index.html").text
    assert "The last plan did not ask for 1 cell that has runs" in parse(out / "index.html").text
    page = next(p for p in (out / "runs").glob(f"{PLAIN}*{key[:12]}.html"))
    assert "No table counts this run: not the profile's start (--init pretrained)" in parse(page).text


def test_a_row_whose_runs_are_all_of_another_start_says_so(tmp_path):
    made = write(tmp_path, seeds=1)
    old = folder(made, f"{PLAIN}-s0-*")
    key = another(made, f"{PLAIN}-s0-*", "2030-01-01T00:00:00Z", init="pretrained", weights=WEIGHTS)
    shutil.rmtree(old)
    ask_for(made, key)
    td = cell(parse(site(made) / "table2.html"), "table2", "Plain", "rgb.top1")
    assert td.attrs["data-v"] and "started otherwise than the profile does: --init pretrained" in td.text


def test_a_start_that_was_asked_for_and_changed_nothing_is_the_usual_one(tmp_path):
    made = write(tmp_path, seeds=1)
    ask_for(made, another(made, f"{PLAIN}-s0-*", "2030-01-01T00:00:00Z", init="pretrained"))
    out = site(made)
    assert "--init" not in cell(parse(out / "table2.html"), "table2", "Plain", "rgb.top1").text
    assert "1 run of an older config" in parse(out / "index.html").text


@pytest.mark.parametrize(
    ("commit", "command", "said"),
    [
        ("0123456789abcdef", "python -m harness run", "0123456789ab"),
        ("0123456789ab-dirty", "python -m harness run", "0123456789ab with local changes"),
        (
            "0123456789ab",
            "python -m harness run --configs DIR --seeds 1",
            "0123456789ab, some configs from elsewhere (--configs)",
        ),
    ],
)
def test_the_stamp_says_what_is_not_in_the_commit(commit, command, said):
    record = SimpleNamespace(commit=commit, command=command, finished="2024-07-20T10:00:00Z")
    ledger = SimpleNamespace(shown_records=[record], plans=[])
    assert ReportContext(None, {}, ledger).stamp == said


def test_runs_that_tested_nothing_do_not_make_generated_clips_real(tmp_path):
    """Stages come first, and a run may fail: their clips are known then, and no number is there yet."""
    failure = Failure(kind="nan_loss", message="fake: loss is not a number")
    failed = {(cell, seed): failure for cell in (PLAIN, "plain_mgr-dark-depth") for seed in range(3)}
    made = write(tmp_path, tables=["table2"], failed=failed, missing={("student_mgr-dark-rgb", s) for s in range(3)})
    for path in (made.work_dir / "runs").glob("*"):
        if load_record(path).metrics is not None:
            shutil.rmtree(path)
    plan = read_plan(made.work_dir / "plan.json")
    write_plan(made.work_dir / "plan.json", plan.model_copy(update={"synthetic": ["mgr_dark"]}))
    page = parse(site(made) / "table2.html")
    banner = page.one("p", cls="synthetic").text
    assert "come from generated videos" in banner and "real" not in banner
    assert "MGR-Dark (synthetic, nothing tested yet)" in page.one("dl", cls="stamp").text
    csv = (made.site / "downloads" / "table2.csv").read_text()
    assert "SYNTHETIC DATA, nothing tested yet" in csv and "in stages" not in csv


@pytest.mark.parametrize("planned_here", [True, False])
def test_a_run_that_its_own_plan_has_is_up_to_date_whatever_another_ledger_cannot_plan(tmp_path, planned_here):
    """A lab's own clips have no plan for the packaged methods; its ledger stands beside one that has run them."""
    made = write(tmp_path, seeds=1)
    plan = read_plan(made.work_dir / "plan.json")
    unplanned = [c.model_copy(update={"key": "", "error": "the data set has 3 classes"}) for c in plan.cells]
    other = tmp_path / "lab"
    other.mkdir()
    write_plan(other / "plan.json", plan.model_copy(update={"cells": unplanned}))
    if not planned_here:
        shutil.copy(other / "plan.json", made.work_dir / "plan.json")
    out = site(made, "both", other)
    said = "the last plan cannot tell whether it is up to date: the data set has 3 classes"
    assert (said in (out / "downloads" / "table2.md").read_text()) != planned_here
