"""``bench engines`` on a made-up harness whose jobs outlive it; what it makes of ledgers and logs."""

import json
import sys

import pytest

from harness.bench import engines
from harness.bench.engines import Disturbances, Happened, bench_engine, flags_of, one_at_a_time
from tests.helpers.command_line import harness_here
from tests.helpers.made_up_run import write_run

FLAGS = ["--backend", "slurm", "--slurm", "partition=main"]
HARNESS = """
import pathlib, subprocess, sys, time
JOB = '''
import shutil, sys, time
time.sleep(0.3)
shutil.copytree(sys.argv[1], "work/runs/" + sys.argv[2])
'''
runs = pathlib.Path({made!r}) / "runs"
for name in sorted(run.name for run in runs.iterdir()):
    over, submitted = pathlib.Path("work/runs") / name / "log.txt", pathlib.Path(name)
    print("00:00:00  started  ", name.rpartition("-")[0], flush=True)
    if not submitted.exists():
        submitted.touch()
        subprocess.Popen([sys.executable, "-c", JOB, str(runs / name), name], start_new_session=True)
    while not over.exists():
        time.sleep(0.02)
    print("00:00:00  done     ", name.rpartition("-")[0], flush=True)
"""


def started(folder, times):
    (folder / "log.txt").write_text(f"{engines.STARTED_LINE}1: a\n" * times)


def test_a_harness_that_finds_its_jobs_again_loses_nothing_and_runs_nothing_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "start_seconds", lambda backend, flags: 0.25)
    monkeypatch.setattr(engines, "imports_cpu_seconds", lambda: 4.5)
    for name in ("one", "other"):
        started(write_run(tmp_path / "made", name), 1)
    (tmp_path / "made_up.py").write_text(HARNESS.format(made=str(tmp_path / "made")))
    command, asked = [sys.executable, str(tmp_path / "made_up.py")], Disturbances(2, seed=1, longest_wait=0.5)
    found = bench_engine(tmp_path / "b", command, FLAGS, asked)
    assert found["driver_kills"] == 2 and found["harness_starts"] == 2 + found["runs"]
    assert found["records_equal"] == 2 * found["runs"]
    assert not found["unequal"] and not found["lost"] and not found["run_twice"]
    costs = found["job_overhead_s"] - found["job_overhead_local_s"] - 0.25
    assert found["overhead_beyond_engine_s"] == pytest.approx(costs)
    json.dumps(found)


def test_what_was_started_more_often_than_its_node_was_lost_has_run_twice(tmp_path):
    calm, place, happened = tmp_path / "calm", tmp_path / "run-0", Happened()
    for name, changed in (("equal", {}), ("other", {"loss": 2.0}), ("missing", None)):
        write_run(calm / "work", name)
        if changed is not None:
            started(write_run(place / "work", name, **changed), 2)
    lost = next((place / "work" / "runs").glob("other-*"))
    happened.hits[f"run-0/{lost.name}"] = 1
    engines._hold_against(calm, place, happened)
    assert happened.equal == 1 and len(happened.unequal) == len(happened.lost) == len(happened.twice) == 1
    assert "losses" in happened.unequal[0] and "missing" in happened.lost[0]
    assert "run-0/equal-" in happened.twice[0] and "started 2 times, its node lost 0 times" in happened.twice[0]


def test_options_are_given_on_to_the_command_line():
    given = {"slurm": "partition=main", "slurm_jobs": 4, "detach": None, "ray": None, "jobs": None}
    assert flags_of("slurm", given) == [*FLAGS, "--slurm-jobs", "4"]
    assert flags_of("ray", {"ray": None, "detach": True}) == ["--backend", "ray", "--detach"]


def test_one_job_at_a_time_is_said_once():
    assert one_at_a_time(["run", "--slurm-jobs", "4", "--seeds", "1"], "--slurm-jobs") == [
        *("run", "--seeds", "1", "--slurm-jobs", "1")
    ]
    assert one_at_a_time(["run"], "--jobs") == ["run", "--jobs", "1"]


def test_local_jobs_end_with_the_harness():
    got = harness_here("bench", "engines")
    assert got.returncode == 2 and "`bench kills` measures that" in got.stderr


def test_a_cluster_that_is_not_there_is_said_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "none"))
    got = harness_here("bench", "engines", "--backend", "slurm", "--work-dir", str(tmp_path / "work"))
    assert got.returncode == 2 and got.stderr.count("\n") == 1 and "--backend slurm: " in got.stderr
