"""``run-all --quick``: what it runs, that it is said, and that a later full run keeps it."""

import shutil

import pytest
import yaml

from harness import PACKAGED_CONFIGS
from harness.cli import main
from harness.data.registry import data_sets
from harness.errors import BadUsage
from harness.ledger.planfile import read_plan
from harness.plan.choice import split_names
from harness.plan.jobs import Settings
from harness.plan.workspace import RunChoices, open_workspace, save_plan
from harness.suite import expand, load_suite
from reports import build
from reports.ledger.context import ReportContext
from reports.ledger.ledger import make_ledger
from reports.ledger.work_dir import read_work_dir
from tests.helpers.html_tree import parse

RGB, DEPTH = "i3d_r50_mgr-dark-rgb", "i3d_r50_mgr-dark-depth"


@pytest.fixture
def configs(small_configs):
    path = small_configs / "benchmark.yml"
    benchmark = yaml.safe_load(path.read_text())
    benchmark["quick"] = {"tables": ["table2"], "cells": [RGB], "data": ["mgr_dark"]}
    path.write_text(yaml.safe_dump(benchmark))
    return small_configs


def opened(configs, data, **choices):
    return open_workspace(configs, "smoke", data, None, 1, RunChoices(**choices))


def failed(capsys, *words):
    with pytest.raises(SystemExit) as stop:
        main([str(w) for w in words])
    err = capsys.readouterr().err
    assert err.count("\n") == 1, err
    return stop.value.code, err


def test_the_packaged_quick_look_is_two_methods_and_mtcd_on_one_modality_of_one_set():
    benchmark, entries = load_suite(PACKAGED_CONFIGS)
    cells = [entries[c] for c in benchmark.quick.cells]
    assert len({e.method for e in cells}) == 3 and "MTCD" in {e.method for e in cells}
    assert {(e.dataset, e.test_modality) for e in cells} == {("mgr_dark", "rgb")}
    assert set(benchmark.quick.data) <= {d.name for d in data_sets() if d.generator}
    ids = {t.id for t in benchmark.tables}
    assert set(benchmark.quick.tables) <= ids


def test_it_plans_its_cells_alone_and_a_full_plan_has_the_same_keys(configs, tiny_data):
    quick, full = opened(configs, tiny_data, quick=True), opened(configs, tiny_data)
    assert [c.id for c in quick.cells] == [RGB] and quick.tables == ["table2"]
    assert {c.id for c in full.cells} == {RGB, DEPTH}
    assert quick.plan.keys == {k: v for k, v in full.plan.keys.items() if k[0] == RGB}


def test_its_cells_start_in_the_order_of_the_list(configs, tiny_data):
    path = configs / "benchmark.yml"
    for order in ([DEPTH, RGB], [RGB, DEPTH]):
        benchmark = yaml.safe_load(path.read_text())
        benchmark["quick"]["cells"] = order
        path.write_text(yaml.safe_dump(benchmark))
        assert [j.cell.model for j in opened(configs, tiny_data, quick=True).plan.jobs.values()] == order


def test_pages_say_that_it_was_a_quick_look_until_more_is_planned(configs, tiny_data, tmp_path):
    def context():
        ledger = make_ledger([read_work_dir(tmp_path / "work")], "smoke", benchmark, entries)
        return ReportContext(benchmark, entries, ledger)

    ws = opened(configs, tiny_data, quick=True)
    benchmark, entries = ws.benchmark, ws.entries
    save_plan(ws, tmp_path / "work")
    assert {c.id for c in read_plan(tmp_path / "work" / "plan.json").cells} == {RGB}
    assert context().quick and context().command == "python -m harness run-all --profile smoke --quick"
    build(tmp_path / "work", tmp_path / "site", benchmark, entries)
    for page in ("index.html", "table2.html"):
        said = [p.text for p in parse(tmp_path / "site" / page).all("p", cls="state-line")]
        assert [("A quick look" in line, "I3D alone" in line) for line in said].count((True, True)) == 1
    save_plan(opened(configs, tiny_data), tmp_path / "work")
    assert not context().quick and "--quick" not in context().command
    build(tmp_path / "work", tmp_path / "site", benchmark, entries)
    assert "quick look" not in (tmp_path / "site" / "index.html").read_text()


def test_before_the_first_run_pages_say_that_the_data_are_synthetic_or_want_the_users(configs, tiny_data, tmp_path):
    def written(root, name):
        ws = opened(configs, root)
        save_plan(ws, tmp_path / name / "work")
        build(tmp_path / name / "work", tmp_path / name / "site", ws.benchmark, ws.entries)
        return [" ".join(parse(p).text.split()) for p in sorted((tmp_path / name / "site").rglob("*.html"))], (
            tmp_path / name / "site" / "downloads" / "table2.csv"
        ).read_text()

    pages, csv = written(tiny_data, "made")
    assert len(pages) > 5 and all("Synthetic data. The numbers" in page for page in pages)
    assert all("MGR-Dark (synthetic, no run yet)" in page for page in pages) and "SYNTHETIC DATA, no run yet" in csv
    own = tmp_path / "own"
    shutil.copytree(tiny_data / "mgr_dark", own / "mgr_dark")
    (own / "mgr_dark" / "dataset.json").unlink()
    pages, csv = written(own, "filmed")
    assert all("clips in the layout of MGR-Dark (no run yet)" in page for page in pages)
    assert all("Synthetic data." not in page for page in pages)
    assert not parse(tmp_path / "filmed" / "site" / "table2.html").all("td", cls="claimed")
    assert "SYNTHETIC" not in csv and "are not MGR-Dark (10, 21); no run yet" in csv
    assert "run-all --profile smoke --data-root DIR" in " ".join(pages)


def test_plan_and_status_speak_of_a_quick_look_alone_where_asked(capsys, configs, tiny_data, tmp_path):
    options = ["--configs", configs, "--data-root", tiny_data, "--work-dir", tmp_path / "work", "--profile", "smoke"]

    def said(command, *more):
        with pytest.raises(SystemExit) as stop:
            main([command, *map(str, (*options, *more))])
        assert not stop.value.code
        return capsys.readouterr().out

    for command in ("plan", "status"):
        assert f"{DEPTH}-s0" in said(command)
        quick = said(command, "--quick")
        assert f"{RGB}-s0" in quick and DEPTH not in quick
        code, err = failed(capsys, command, "--quick", "--tables", "table2", *options)
        assert code == 2 and "--quick and --tables: each says what is to be run" in err


@pytest.mark.parametrize("more", [["--tables", "table2"], ["--cell", RGB], ["--all-methods"]])
def test_what_says_as_well_what_is_to_be_run_is_refused_in_one_line(capsys, configs, tiny_data, tmp_path, more):
    options = ["--configs", configs, "--data-root", tiny_data, "--work-dir", tmp_path / "work", "--profile", "smoke"]
    code, err = failed(capsys, "run-all", "--quick", *more, *options)
    assert code == 2 and f"--quick and {more[0]}: each says what is to be run; give one of them" in err
    assert not (tmp_path / "work").exists()


def test_configs_without_a_quick_look_say_so(small_configs, tiny_data):
    path = small_configs / "benchmark.yml"
    benchmark = yaml.safe_load(path.read_text())
    benchmark.pop("quick", None)
    path.write_text(yaml.safe_dump(benchmark))
    with pytest.raises(ValueError, match="--quick: benchmark.yml of .* does not say what a quick look is"):
        opened(small_configs, tiny_data, quick=True)


def test_an_unknown_cell_of_a_quick_look_is_named(configs, tiny_data):
    path = configs / "benchmark.yml"
    path.write_text(path.read_text().replace(f"- {RGB}\n", "- i3d_r50_mgr-dark-rbg\n"))
    with pytest.raises(ValueError, match=f"benchmark.yml: quick: unknown cell 'i3d_r50_mgr-dark-rbg' .near: {RGB}"):
        opened(configs, tiny_data, quick=True)


def test_only_the_data_of_a_quick_look_are_made(configs):
    class Made(Exception):
        """Nothing is planned after it."""

    def make(root, preset, datasets):
        raise Made(preset, datasets)

    both = {"mgr_dark": ("dark depth", "dark rgb")}
    for quick, datasets in ((True, {"mgr_dark": ("dark rgb",)}), (False, both)):
        with pytest.raises(Made) as made:
            open_workspace(configs, "smoke", None, None, 1, RunChoices(quick=quick), make)
        assert made.value.args == ("smoke", datasets)


def test_with_cell_a_plan_asks_for_these_beside_what_was_asked_for_or_has_run(configs, tiny_data, tmp_path):
    def plan(seeds, *chosen):
        ws = open_workspace(configs, "smoke", tiny_data, None, seeds, chosen=chosen)
        save_plan(ws, tmp_path)
        return sorted((c.id, c.seed) for c in read_plan(tmp_path / "plan.json").cells)

    assert plan(2, RGB) == [(RGB, 0), (RGB, 1)]  # of a new ledger nothing else
    assert plan(1, f"{DEPTH}-s0") == [(DEPTH, 0), (RGB, 0)]
    assert plan(1) == [(DEPTH, 0), (RGB, 0)]
    assert plan(2, f"{RGB}-s1") == [(DEPTH, 0), (RGB, 0), (RGB, 1)]
    (tmp_path / "plan.json").unlink()
    (tmp_path / "runs" / f"{DEPTH}-s1-{'a' * 12}").mkdir(parents=True)  # it may be of another version by now
    assert plan(2, f"{RGB}-s0") == [(DEPTH, 1), (RGB, 0)]


def test_pages_of_a_plan_with_cell_claim_no_more_than_it_asked_for(configs, tiny_data, tmp_path):
    ws = open_workspace(configs, "smoke", tiny_data, None, 2, chosen=(f"{RGB}-s0",))
    save_plan(ws, tmp_path)
    ledger = make_ledger([read_work_dir(tmp_path)], "smoke", ws.benchmark, ws.entries)
    assert ledger.seeds_text == "1" and len(ledger.runs) == 1 and ledger.tables <= {"table2", "table4"}


@pytest.mark.parametrize("chosen", [(f"{RGB},{DEPTH}-s0",), (RGB, DEPTH), (f" {RGB} , {DEPTH},",)])
def test_cell_takes_names_with_commas_between_or_one_by_one(configs, tiny_data, chosen):
    ws = open_workspace(configs, "smoke", tiny_data, None, 1, chosen=chosen)
    assert ws.chosen == (f"{RGB}-s0", f"{DEPTH}-s0")


@pytest.mark.parametrize(("chosen", "named"), [(f"{RGB},nonesuch", "nonesuch"), (",", ",")])
def test_cell_names_what_is_none_of_its_names(configs, tiny_data, chosen, named):
    with pytest.raises(BadUsage, match=f"unknown job '{named}'"):
        open_workspace(configs, "smoke", tiny_data, None, 1, chosen=(chosen,))


def test_a_point_of_a_grid_has_commas_in_its_name():
    benchmark, entries = load_suite(PACKAGED_CONFIGS)
    cells = expand(benchmark, entries, "smoke", ["figure6_grid"], 1)
    settings = Settings(PACKAGED_CONFIGS, "smoke", PACKAGED_CONFIGS)
    first, second = (c.id for c in cells[:2])
    assert "," in first and split_names([first, f"{second}-s0"], cells, entries, settings) == [first, f"{second}-s0"]
