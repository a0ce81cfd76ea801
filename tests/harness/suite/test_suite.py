"""What the benchmark asks to be measured."""

from pathlib import Path

import pytest
import yaml

from harness.ledger.record import CellInfo, Identity
from harness.plan.jobs import Job
from harness.schedule.grouping import group_key, points
from harness.suite import Benchmark, expand, load_benchmark, load_entries
from harness.suite.cells import grid_points

CONFIGS = Path(__file__).resolve().parents[3] / "mm_configs"


@pytest.fixture(scope="module")
def benchmark():
    return load_benchmark(CONFIGS / "benchmark.yml")


@pytest.fixture(scope="module")
def entries(benchmark):
    return load_entries(CONFIGS, benchmark)


def test_the_grid_is_measured_only_when_named_and_holds_the_points_of_the_figure(benchmark, entries):
    usual = expand(benchmark, entries, "demo", None, 1)
    assert not [c for c in usual if "figure6_grid" in c.used_by]
    cells = expand(benchmark, entries, "demo", ["figure6", "figure6_grid"], 1)
    pairs = [
        tuple({"model.alpha": 0.9, "model.beta": 0.3, **c.overrides}[k] for k in ("model.alpha", "model.beta"))
        for c in cells
    ]
    grid = [pair for pair, c in zip(pairs, cells, strict=True) if c.used_by == ("figure6_grid",)]
    lines = [pair for pair, c in zip(pairs, cells, strict=True) if c.used_by == ("figure6",)]
    assert len(grid) == len(set(grid)) == 36 and len(set(lines)) == 11 and set(lines) < set(grid)
    assert len(expand(benchmark, entries, "smoke", ["figure6_grid"], 1)) == 4


def test_the_grid_trains_side_by_side(benchmark, entries):
    def job(cell):
        info = CellInfo(
            model=cell.entry.name,
            method="",
            stage="student",
            dataset="mgr_dark",
            train_modalities=[],
            test_modality="rgb",
            variant=cell.variant,
            overrides=cell.overrides,
            seed=0,
            profile="demo",
        )
        identity = Identity(version=1, config={}, data={}, parents={}, code={}, seed=0)
        config = {"model": {"type": "CrossModalDistiller", "alpha": 0.9, "beta": 0.3}}
        for key, value in cell.overrides.items():
            config["model"][key.removeprefix("model.")] = value
        return Job("", "", "train", info, identity, None, config)

    jobs = [job(c) for c in expand(benchmark, entries, "demo", ["figure6_grid"], 1)]
    assert len({group_key(j) for j in jobs}) == 1 and group_key(jobs[0]) is not None
    own = [(p["model.alpha"], p["model.beta"]) for p in points(jobs)]
    assert own == grid_points(benchmark.figures[0], "demo")


def test_a_table_of_points_has_each_series_at_each_point_when_it_is_named(benchmark, entries):
    assert not [c for c in expand(benchmark, entries, "demo", None, 1) if {"darkness", "training_clips"} & {*c.used_by}]
    cells = {c.id: c for c in expand(benchmark, entries, "demo", ["darkness", "training_clips", "table4"], 1)}
    plain = cells["mtcd_i3d-r50_mgr-dark-rgb"]
    assert plain.overrides == {} and set(plain.used_by) == {"darkness", "training_clips", "table4"}, "one run"
    darker = cells["mtcd_i3d-r50_mgr-dark-rgb+teacher-only,light-0.25"]
    assert darker.overrides == {"model.alpha": 0.0, "data.mgr_dark.data_root": "data/mgr_dark_light-0.25"}
    assert darker.folders == ["mgr_dark_light-0.25"] and plain.folders == []
    few = cells["i3d_r50_mgr-dark-rgb+one-in-4"]
    assert few.overrides == {"data.mgr_dark.one_in": 4} and few.used_by == ("training_clips",)
    table = next(t for t in benchmark.tables if t.id == "darkness")
    assert len(table.rows) == len(table.points) * len(table.series) == 20


def points_table(data: dict) -> dict:
    return next(t for t in data["tables"] if t["id"] == "training_clips")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t["gain"].update(of="mtcd"), "training_clips.gain: unknown series 'mtcd'"),
        (lambda t: t["points"].append(t["points"][0]), "training_clips.points: id 'one-in-4' occurs twice"),
        (lambda t: t.update(rows=[{"id": "x"}]), "training_clips: rows are made of points and series"),
        (lambda t: t.pop("gain"), "training_clips: points, series and gain belong to layout points, all three"),
        (lambda t: t.update(id="clips"), "clips: drawn on 0 pages"),
    ],
)
def test_a_table_of_points_that_makes_no_sense_is_one_line(change, words):
    data = yaml.safe_load((CONFIGS / "benchmark.yml").read_text())
    change(points_table(data))
    with pytest.raises(ValueError, match=words):
        Benchmark.model_validate(data)


def test_an_argument_of_a_data_set_that_a_model_does_not_read_is_refused(entries):
    data = yaml.safe_load((CONFIGS / "benchmark.yml").read_text())
    points_table(data)["dataset"] = "nvgesture"
    with pytest.raises(ValueError, match="override data.nvgesture.one_in: i3d_r50_mgr-dark-rgb reads data.mgr_dark."):
        expand(Benchmark.model_validate(data), entries, "demo", ["training_clips"], 1)


def test_an_unknown_table_lists_the_choices(benchmark):
    with pytest.raises(
        ValueError, match="unknown table 'table9' .near: table4.*; choose from table2, .*figure6, figure6_grid"
    ):
        benchmark.select(["table9"])


def test_a_grid_needs_two_sweeps():
    data = yaml.safe_load((CONFIGS / "benchmark.yml").read_text())
    data["figures"][0]["sweeps"].pop()
    with pytest.raises(ValueError, match="a grid needs two sweeps, figure figure6 has 1"):
        Benchmark.model_validate(data)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"rows_of": "tabel4"},
            "table4_nvgesture.rows_of: unknown id 'tabel4' .near: table4.*; choose from table2, .*table4, ",
        ),
        ({"leave_out": ["day"]}, "table4_nvgesture.leave_out: table4 has no row 'day'"),
        ({"rows": [{"id": "x", "title": "x", "model": "x"}]}, "give rows or rows_of, not both"),
    ],
)
def test_rows_of_another_table_that_cannot_be_had_are_one_line(change, words):
    data = yaml.safe_load((CONFIGS / "benchmark.yml").read_text())
    next(t for t in data["tables"] if t["id"] == "table4_nvgesture").update(change)
    with pytest.raises(ValueError, match=words):
        Benchmark.model_validate(data)


def test_rows_and_statements_of_another_data_set(benchmark, entries):
    ours, theirs = (next(t for t in benchmark.tables if t.id == i) for i in ("controls_nvgesture", "controls"))
    assert [r.id for r in ours.rows] == [r.id for r in theirs.rows if r.id != "swin"]
    luminance = next(r for r in ours.rows if r.id == "luminance")
    assert luminance.overrides["parents.pseudo_ir.config"] == "mtcd_trivial-pseudo-ir_nvgesture.py"
    assert "mgr" not in str([r.model_dump() for r in ours.rows])
    first, second = benchmark.evidence
    assert [s.says for s in first.statements] == [s.says for s in second.statements]
    assert all("nvgesture" in s.better and "nvgesture" in s.than for s in second.statements)
    cells = expand(benchmark, entries, "demo", ["table4_nvgesture", "controls_nvgesture"], 1)
    assert {c.entry.dataset for c in cells} == {"nvgesture"}
