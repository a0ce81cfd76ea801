"""What ``benchmark.yml`` names and nothing has is said when it is read, with what is like it."""

import copy
from pathlib import Path

import pytest
import yaml

from harness.suite import expand
from harness.suite.benchmark import Benchmark
from harness.suite.configs import load_suite
from harness.suite.references import check_references

CONFIGS = Path(__file__).parents[3] / "mm_configs"
STATED = {"points": 1, "freedom": 3, "source": "x"}
PROFILES = ("smoke", "demo", "paper")


@pytest.fixture(scope="module")
def suite():
    return yaml.safe_load((CONFIGS / "benchmark.yml").read_text()), load_suite(CONFIGS)[1]


def of(raw, i, section="tables"):
    return next(x for x in raw[section] if x["id"] == i)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda b: of(b, "table2").update(dataset="mgr_drk"),
            "'table2': dataset: unknown data set 'mgr_drk' (near: mgr",
        ),
        (
            lambda b: of(b, "table2")["claims"][-1].update(source="drft"),
            "'table2': source: unknown source 'drft' (near: d",
        ),
        (lambda b: of(b, "table2")["claims"][-1].update(train=["rbg"]), "claim of MTCD: train: unknown modality 'rbg'"),
        (lambda b: of(b, "table4")["rows"][1].update(marks=["nope"]), "marks: unknown mark 'nope'"),
        (lambda b: b["figures"][0]["sweeps"][0].update(default=0.123), "default: unknown value '0.123' (near: 0.3"),
        (lambda b: b["figures"][0]["claim"].update(at={"alpa": 1}), "claim: at: unknown sweep 'alpa' (near: alpha"),
        (lambda b: b["figures"][0].update(dataset="x"), "figure 'figure6': dataset: unknown data set 'x'"),
        (lambda b: b["evidence"][0].update(method="x"), "method: unknown cell 'x'"),
        (lambda b: b["evidence"][0].update(tables=["tabel4"]), "tables: unknown table 'tabel4' (near: table4"),
        (lambda b: b["evidence"][0]["statements"][0].update(better="x"), "statements: unknown cell 'x'"),
        (lambda b: b["table1"].update(source="x"), "table1: source: unknown source 'x'"),
        (lambda b: b["seeds"].update(dmo=3), "seeds: unknown profile 'dmo' (near: demo"),
        (lambda b: b["init"].update(dmo="scratch"), "init: unknown profile 'dmo' (near: demo"),
        (
            lambda b: b["datasets"]["mgr_dark"].update(training_std={"dmo": STATED}),
            "datasets.mgr_dark.training_std: unknown profile 'dmo'",
        ),
        (lambda b: b["datasets"]["nvgesture"].update(training_data="MGR-Dark"), "training_data: 'MGR-Dark' stands"),
    ],
)
def test_a_name_that_nothing_has_is_an_error(suite, change, words):
    raw, entries = copy.deepcopy(suite[0]), suite[1]
    check_references(Benchmark.model_validate(raw), entries, PROFILES)
    change(raw)
    with pytest.raises(ValueError) as e:  # noqa: PT011  the words are looked for below
        check_references(Benchmark.model_validate(raw), entries, PROFILES)
    assert words in str(e.value) and "\n" not in str(e.value)


def test_it_is_named_with_its_file(small_configs):
    path = small_configs / "benchmark.yml"
    path.write_text(path.read_text().replace("dataset: mgr_dark", "dataset: mgr_drk", 1))
    with pytest.raises(ValueError, match=f"{path}: table 'table2': dataset: unknown data set 'mgr_drk'"):
        load_suite(small_configs)


def test_one_name_is_one_variant(suite):
    raw, entries = copy.deepcopy(suite[0]), suite[1]
    rows = [
        {"id": i, "title": i, "model": "i3d_r50_mgr-dark-rgb", "variant": "x", "overrides": o}
        for i, o in (("a", {"model.a": 1}), ("b", {"model.a": 2}))
    ]
    raw["tables"].append({"id": "more", "layout": "rows", "title": "More", "dataset": "mgr_dark", "rows": rows})
    with pytest.raises(ValueError, match="more: variant 'x' of i3d_r50_mgr-dark-rgb has other overrides"):
        expand(Benchmark.model_validate(raw), entries, "demo", ["more"])
    rows[1]["overrides"] = {"model.a": 1}
    assert len(expand(Benchmark.model_validate(raw), entries, "demo", ["more"])) == 1


def test_a_table_of_methods_has_columns(suite):
    raw = copy.deepcopy(suite[0])
    of(raw, "table2").update(columns=[])
    with pytest.raises(ValueError, match="table2: a table of layout by_modality has no columns"):
        Benchmark.model_validate(raw)
