"""What a demo has to reach, held against made-up records; and a made-up command that is measured."""

import json
import sys
import textwrap
from types import SimpleNamespace

import psutil
import pytest

from harness import PACKAGED_CONFIGS
from harness.bench.demo import WORK, Meter, bench_demo, lines_of, reached, run_all_command
from harness.bench.must_reach import DARK, DAYLIGHT, TEACHER, check_all
from harness.errors import BadUsage
from harness.ledger.planfile import PlannedCell
from harness.ledger.record import CellInfo, Failure, Metrics
from harness.suite import load_suite
from tests.helpers.fake_ledger import fake_record, write_fake_ledger

GOOD = {
    "c3d_mgr-dark-depth": 0.5,
    "c3d_nvgesture-rgb": 0.2,
    "tsn_r50_mgr-dark-rgb": 0.10,
    DARK: 0.75,
    DAYLIGHT: 0.85,
    TEACHER: 0.93,
}


def run(model, top1, seed=0, failure=None):
    """A planned cell and its record, or None where nothing was run."""
    dataset = "nvgesture" if "nvgesture" in model else "mgr_dark"
    modality = model.rpartition("-")[2]
    method = {"tsn": "TSN", "c3d": "C3D"}.get(model.partition("_")[0], "I3D")
    shared = {"model": model, "method": method, "stage": "single", "dataset": dataset}
    shared |= {"train_modalities": [modality], "test_modality": modality, "seed": seed}
    record = fake_record(CellInfo(**shared, profile="demo")).model_copy(
        update={"key": f"{model}{seed}", "metrics": Metrics(top1=top1 or 0.0, top5=1.0, mean_class=top1 or 0.0)}
    )
    if failure:
        record = record.model_copy(update={"status": "failed", "failure": failure, "metrics": None})
    cell = PlannedCell(**shared, id=model, title=model, key=record.key, used_by=["table2"])
    return cell, None if top1 is None else record


def checks(runs, seconds=600.0, peak=2**30, quick=False):
    """Name -> check."""
    cells, records = zip(*runs, strict=True)
    found = check_all(seconds, peak, cells, {r.key: r for r in records if r is not None}, quick)
    return {c.name: c for c in found}


def short(runs, **given):
    return {name for name, c in checks(runs, **given).items() if c.ok is False}


def good(**changed):
    return [run(model, top1) for model, top1 in (GOOD | changed).items()]


def test_a_good_demo_reaches_everything():
    assert not short(good())


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"seconds": 1201.0}, "time"),
        ({"seconds": 181.0, "quick": True}, "time"),
        ({"peak": int(6.1 * 2**30)}, "memory"),
    ],
)
def test_time_and_memory_have_limits(given, name):
    assert short(good(), **given) == {name}
    assert not short(good(), seconds=179.0, quick=True) and not short(good(), seconds=1199.0)


@pytest.mark.parametrize(
    ("model", "top1", "name"),
    [
        # 200 clips of 10 classes: 31 right are guessed with p 0.009, 30 with p 0.015 (binomial)
        ("c3d_mgr-dark-depth", 30 / 200, "c3d_mgr-dark-depth above chance"),
        ("c3d_nvgesture-rgb", 0.06, "c3d_nvgesture-rgb above chance"),  # 25 classes: 12 of 200, p 0.11
        ("c3d_nvgesture-rgb", None, "c3d_nvgesture-rgb above chance"),
        (DARK, 0.59, "I3D on dark RGB"),
        (DARK, 0.78, "daylight above dark"),
        (TEACHER, 0.89, "infrared teacher"),
        (TEACHER, None, "infrared teacher"),
    ],
)
def test_what_falls_short_is_named(model, top1, name):
    assert name in short(good(**{model: top1}))


def test_just_above_chance_is_above():
    assert not short(good(**{"c3d_mgr-dark-depth": 31 / 200}))


def test_a_failed_run_is_no_result():
    failed = run("c3d_mgr-dark-depth", 0.5, failure=Failure(kind="crash", message="made up"))
    assert short([*good()[1:], failed]) == {"c3d_mgr-dark-depth above chance"}


def test_an_excuse_has_its_reason_and_is_for_one_modality():
    assert "excused, its mean over frames" in checks(good())["tsn_r50_mgr-dark-rgb above chance"].line
    assert "tsn_r50_mgr-dark-depth above chance" in short([*good(), run("tsn_r50_mgr-dark-depth", 0.1)])


def test_what_quick_leaves_out_is_said_and_is_not_short():
    runs = [r for r in good() if r[0].id != DAYLIGHT]
    assert short(runs) == {"daylight above dark"}
    found = checks(runs, quick=True)["daylight above dark"]
    assert found.ok is None and found.line.startswith("not run: ")


def test_from_three_seeds_on_the_spread_on_depth_counts():
    """0.4, 0.5 and 0.6 have a standard deviation of 10 points, 0.45, 0.5 and 0.55 one of 5."""
    name = "c3d_mgr-dark-depth from seed to seed"
    others = [r for r in good() if r[0].id != "c3d_mgr-dark-depth"]

    def seeds(*top1):
        return [*others, *(run("c3d_mgr-dark-depth", t, seed=i) for i, t in enumerate(top1))]

    assert short(seeds(0.4, 0.5, 0.6)) == {name} and not short(seeds(0.45, 0.5, 0.55))
    assert name not in checks(seeds(0.4, 0.6))


COMMAND = """
import shutil, sys, time
for words in ("clips of synthetic mgr_dark", "clip store depth", "started i3d", "45 jobs: done"):
    print(words, flush=True)
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass
shutil.copytree(sys.argv[1], "work")
"""


def test_a_demo_is_measured_part_by_part(tmp_path):
    benchmark, entries = load_suite(PACKAGED_CONFIGS)
    ledger, folder = tmp_path / "ledger", tmp_path / "é place"
    folder.mkdir()
    failed = {("c3d_mgr-dark-rgb", 0): Failure(kind="killed", message="made up")}
    write_fake_ledger(ledger, benchmark, entries, tables=["table2"], failed=failed)
    said = []
    command = [sys.executable, "-c", textwrap.dedent(COMMAND), str(ledger)]
    found = json.loads(json.dumps(bench_demo(folder, command, False, said.append, every=0.1)))
    assert all(found["parts"][name]["cpu_s"] > 0.1 for name in ("data", "stores", "jobs", "pages"))
    parts = sum(p["wall_s"] for p in found["parts"].values())
    assert 1.2 < parts <= found["total_s"] and found["peak_bytes"] > 2**20
    assert found["failed"] == ["c3d_mgr-dark-rgb: killed"] and said[0] == "clips of synthetic mgr_dark"
    assert found["training_s"] == pytest.approx(36.5 * (found["jobs"] - 1))  # of each run that is done
    lines = lines_of(found)
    assert not reached(found) and any(line.startswith("short: c3d_mgr-dark-rgb above chance") for line in lines)


def test_a_folder_that_is_not_empty_and_a_command_without_a_plan_are_one_line(tmp_path):
    (tmp_path / WORK).mkdir()
    with pytest.raises(BadUsage, match="not empty"):
        bench_demo(tmp_path, ["true"], False, print)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ValueError, match="ended with code 3 and planned nothing"):
        bench_demo(empty, [sys.executable, "-c", "raise SystemExit(3)"], False, print, every=0.1)


def test_what_was_used_does_not_shrink_when_a_process_ends():
    class Process:
        def __init__(self, seconds):
            self.seconds = seconds

        def cpu_times(self):
            if self.seconds is None:
                raise psutil.NoSuchProcess(1)
            return SimpleNamespace(user=self.seconds, system=0.5, children_user=1.0, children_system=0.0)

        def memory_full_info(self):
            return SimpleNamespace(rss=100, pss=40)

    meter = Meter()
    meter.look("clip store", [Process(1.0), Process(2.0)])
    assert meter.parts()["stores"]["cpu_s"] == 6.0 and meter.peak_bytes == 80
    meter.look("jobs", [Process(1.5), Process(None)])
    meter.look("jobs", [Process(5.0)])
    assert meter.parts()["jobs"]["cpu_s"] == 0.5 and meter.peak_bytes == 80


def test_the_command_has_what_was_asked_for(tmp_path):
    words = " ".join(run_all_command(tmp_path, True, 3))
    assert f"--data-root {tmp_path}" in words and "--quick" in words and "--seeds 3" in words
    assert "--data-root" not in " ".join(run_all_command(None, False, None))
