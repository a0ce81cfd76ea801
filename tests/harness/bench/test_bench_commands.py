"""``bench harness`` and ``bench sweep`` as a new user types them, in a folder where nothing was made yet."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.bench import orchestration
from harness.bench.sweep import bench_sweep
from harness.plan.workspace import open_workspace
from harness.schedule.task import Status
from tests.harness.conftest import small_configs, tiny_data  # noqa: F401
from tests.helpers.command_line import harness_here


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("é bench")


@pytest.fixture
def bench(place, monkeypatch):
    """Runs ``bench`` in the folder."""
    monkeypatch.chdir(place)
    return lambda *options: harness_here("bench", *options, "--profile", "smoke", "--json")


def test_sweep_makes_its_data_and_finds_equal_results(bench):
    got = bench("sweep", "--quick")
    assert got.returncode == 0, got.stderr
    found = json.loads(got.stdout)
    assert found["points"] == 3 and found["equal"] is True
    assert found["fused_over_separate"] == pytest.approx(found["fused_s"] / found["separate_s"])
    assert found["profile"] == "smoke" and found["hardware"]["cpu"]


def test_harness_measures_what_its_limits_name(bench, small_configs, tiny_data, monkeypatch):  # noqa: F811
    monkeypatch.setattr(orchestration, "REPEATS", 1)
    got = bench("harness", "--quick", "--configs", small_configs, "--data-root", tiny_data)
    assert got.returncode == 0, got.stderr
    found = json.loads(got.stdout)
    assert found["limits"].keys() <= found.keys()
    assert found["plan_cells"] >= 1000 and found["plan_errors"] == 0 and found["status_records"] >= 500


def test_the_fastest_of_the_repeats_counts(monkeypatch):
    times = iter([0.0, 3.0, 3.0, 4.0, 4.0, 6.0])
    monkeypatch.setattr(orchestration, "_run", lambda command: "said")
    monkeypatch.setattr(orchestration, "time", SimpleNamespace(perf_counter=lambda: next(times)))
    assert orchestration._fastest(["x"]) == (1.0, "said")


def test_nothing_to_sweep_is_said(small_configs, tiny_data, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    suite = ["--configs", small_configs, "--data-root", tiny_data, "--profile", "smoke"]
    got = harness_here("bench", "sweep", *suite, "--tables", "table2")
    assert got.returncode == 2 and "no sweep to train; choose a figure with --tables" in got.stderr
    assert "Traceback" not in got.stderr


MEASURES = {
    "jobs": lambda ws: orchestration.measure_jobs(ws, 2),
    "sweep": lambda ws: bench_sweep(ws, Path("w"), "", True, print),
}


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_an_interrupted_measurement_is_over(measure, small_configs, tiny_data, tmp_path, monkeypatch):  # noqa: F811
    """``execute`` returns when it was asked to stop; what was to be measured next must not begin."""
    calls = []

    def stopped(*args):
        calls.append(args)
        return Status(stopped=True)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("harness.bench.execution.execute", stopped)
    ws = open_workspace(small_configs, "smoke", tiny_data, None, None)
    key = next(iter(ws.plan.jobs))
    figure = replace(ws.cells[0], used_by=("figure6",))
    with pytest.raises(KeyboardInterrupt):
        measure(replace(ws, cells=[figure], plan=replace(ws.plan, keys={(figure.id, 0): key})))
    assert len(calls) == 1
