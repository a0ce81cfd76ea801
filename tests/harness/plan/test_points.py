"""Cells at points of their data: every stage has the data of the point; what does not see the difference is shared."""

import shutil
from pathlib import Path

import pytest

from harness.errors import BadUsage
from harness.plan.jobs import Settings, dependency_closure
from harness.plan.loaders import dataset_configs
from harness.plan.parts import sets_to_make
from harness.plan.planner import make_plan
from harness.suite import expand, load_benchmark, load_entries
from mtcd_plugin.formats.sysu import SysuImage
from tests.harness.conftest import CONFIGS

BENCHMARK = load_benchmark(CONFIGS / "benchmark.yml")
ENTRIES = load_entries(CONFIGS, BENCHMARK)
MTCD, RGB, TEACHER = "mtcd_i3d-r50_mgr-dark-rgb", "i3d_r50_mgr-dark-rgb", "mtcd_teacher_mgr-dark-ir"


@pytest.fixture
def data(mgr_dark_root, tmp_path):
    """The tiny set, and one whose colour videos are others (those of the daylight takes)."""
    shutil.copytree(mgr_dark_root, tmp_path / "mgr_dark")
    for factor in ("0.25", "4", "16"):
        other = Path(shutil.copytree(mgr_dark_root, tmp_path / f"mgr_dark_light-{factor}"))
        for path in (other / "clips" / "dark" / "rgb").rglob("*.mp4"):
            path.write_bytes(path.read_bytes() + factor.encode())  # other contents; nobody decodes them here
    return tmp_path


@pytest.fixture
def planned(data, monkeypatch):
    """The plan of both tables of points, and its jobs by cell."""
    monkeypatch.setattr("harness.plan.data.images_fingerprint", lambda found, root: "people of another data set")
    people = [SysuImage("1.jpg", 1, 1, False, "train")]
    monkeypatch.setattr("harness.plan.data.images_of_split", lambda found, dataset: people)
    for check in ("check_demands", "check_classes"):  # more people and classes than these
        monkeypatch.setattr(f"harness.plan.planner.{check}", lambda config: "")
    cells = expand(BENCHMARK, ENTRIES, "demo", ["darkness", "training_clips"], 1)
    plan = make_plan(cells, ENTRIES, Settings(CONFIGS, "demo", data))
    assert not plan.errors
    return plan


def jobs_of(plan, cell):
    return dependency_closure(plan.jobs, [plan.keys[cell, 0]]).values()


def test_every_stage_sees_the_light_of_the_point(planned, data):
    for job in jobs_of(planned, f"{MTCD}+light-0.25"):
        for dataset in dataset_configs(job.config).values():
            if dataset["type"] == "MGRDarkDataset" and "rgb" in dataset["modalities"]:
                assert dataset["data_root"] == str(data / "mgr_dark_light-0.25"), job.name


def test_infrared_does_not_see_it_and_is_taught_once(planned):
    lights = [f"{TEACHER}+light-{x}" for x in ("0.25", "4", "16")]
    assert {planned.keys[c, 0] for c in (TEACHER, *lights)} == {planned.keys[TEACHER, 0]}
    rgb = [f"{RGB}+light-{x}" for x in ("0.25", "4", "16")]
    assert len({planned.keys[c, 0] for c in (RGB, *rgb)}) == 4


def test_every_stage_has_the_training_clips_of_the_point(planned):
    """The tiny set has 9 training clips; a rendering is of those and of the 3 test clips. People of another data set
    are all there."""
    jobs = jobs_of(planned, f"{MTCD}+one-in-2")
    counted = {j.cell.stage: (j.data.train_clips, j.data.test_clips) for j in jobs if "MGR-Dark" in j.data.name}
    few = 6  # of three clips a person keeps two
    assert counted["teacher"] == counted["assistant"] == counted["student"] == (few, 3)
    assert counted["pseudo_ir"] == (0, few + 3) and counted["translator"][0] == few
    whole = {j.key for j in jobs_of(planned, MTCD)}
    shared = [j.cell.stage for j in jobs if j.key in whole]
    assert "encoder" in shared and "teacher" not in shared and "pseudo_ir" not in shared


def test_the_sets_of_other_light_are_made_with_the_others_where_a_table_needs_them():
    def made(*tables):
        return list(sets_to_make(expand(BENCHMARK, ENTRIES, "demo", list(tables), 1), ENTRIES, "demo"))

    assert made("table4") == made("training_clips") == ["mgr_dark", "sysu_mm01"]
    lights = [f"mgr_dark_light-{x}" for x in ("0.25", "4", "16")]
    assert made("darkness") == ["mgr_dark", "sysu_mm01", *lights]
    with pytest.raises(BadUsage, match="'mgr_dark_light-4.0': write mgr_dark_light-4, "):
        sets_to_make([], ENTRIES, "demo", ["mgr_dark_light-4.0"])
