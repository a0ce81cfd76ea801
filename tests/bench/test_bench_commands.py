"""``bench harness`` and ``bench sweep`` as a new user types them, in a folder where nothing was made yet."""

import json
import subprocess
import sys

import pytest

from harness.bench.start import REPOSITORY


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("é bench")


def bench(place, *options):
    got = subprocess.run(
        [sys.executable, "-m", "harness", "bench", *options, "--profile", "smoke", "--quick", "--json"],
        cwd=place,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert got.returncode == 0, got.stderr
    return json.loads(got.stdout)


def test_sweep_makes_its_data_and_finds_equal_results(place):
    found = bench(place, "sweep")
    assert found["points"] == 3 and found["equal"] is True
    assert found["fused_over_separate"] == pytest.approx(found["fused_s"] / found["separate_s"])
    assert found["profile"] == "smoke" and found["hardware"]["cpu"]


def test_harness_measures_what_its_limits_name(place):
    found = bench(place, "harness", "--tables", "table2")
    assert found["limits"].keys() <= found.keys()
    assert found["plan_cells"] >= 1000 and found["plan_errors"] == 0 and found["status_records"] >= 500


def test_nothing_to_sweep_is_said(place):
    got = subprocess.run(
        [sys.executable, "-m", "harness", "bench", "sweep", "--profile", "smoke", "--tables", "table2"],
        cwd=place,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert got.returncode == 2 and "no sweep to train; choose a figure with --tables" in got.stderr
    assert "Traceback" not in got.stderr
