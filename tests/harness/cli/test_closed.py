"""What this user may not read stops no command for all the others, and nothing is advised that loses it."""

import hashlib
import re

import pytest

from harness.bench.made_up import finish
from harness.data.clips import forget
from harness.data.describe.summary import load_summaries
from harness.data.verify.mgr_dark import annotated_mgr_dark
from harness.ledger.judge import sha256_of_rendered
from harness.ledger.planfile import read_plan
from harness.ledger.run_dir import STATISTICS
from harness.ledger.verify import verify_ledger
from harness.plan.workspace import open_workspace, save_plan
from harness.site.freshness import sources
from tests.helpers.command_line import harness_here
from tests.helpers.no_override import closed

RGB, DEPTH = "i3d_r50_mgr-dark-rgb", "i3d_r50_mgr-dark-depth"


@pytest.fixture
def suite(small_configs, tiny_data, tmp_path):
    return ["--configs", small_configs, "--data-root", tiny_data, "--work-dir", tmp_path / "work", "--profile", "smoke"]


@pytest.fixture
def runs(small_configs, tiny_data, tmp_path):
    """The folders of two finished runs, RGB's and depth's."""
    ws = open_workspace(small_configs, "smoke", tiny_data, None, None)
    save_plan(ws, tmp_path / "work")
    finish(ws.needed().values(), tmp_path / "work")
    return [next((tmp_path / "work" / "runs").glob(f"{name}-*")) for name in (RGB, DEPTH)]


def test_a_run_that_may_not_be_entered_is_named_and_the_others_are_checked(suite, runs):
    (runs[1] / "run.json").write_text("{")
    with closed(runs[0]):
        verify = harness_here("verify", *suite[4:6])
        status = harness_here("status", *suite)
        plan = harness_here("plan", *suite)
        adopt = harness_here("adopt", "--all-stale", "--dry-run", *suite)
    said = verify.stdout.splitlines()
    assert verify.returncode == 1 and len(said) == 3 and said[-1] == "2 records, 2 findings"
    why = (
        f"{runs[0] / 'run.json'}: cannot be read (Permission denied); its run is left as it is: change its permissions"
    )
    assert f"{runs[0].name}: {why}" in said[1] and "corrupt" in said[0]
    lines = [line for line in status.stdout.splitlines() if line.startswith("  rejected")]
    assert status.returncode == 0 and len(lines) == 2 and sum(why in line for line in lines) == 1
    assert plan.returncode == 0 and adopt.stdout == "0 stale: 0 would be adopted; nothing was changed\n"


def test_pages_are_written_beside_a_run_that_may_not_be_entered(runs, small_configs, tmp_path):
    work = tmp_path / "work"
    before = sources(work, small_configs)
    with closed(runs[0]):
        assert sources(work, small_configs) == sources(work, small_configs) != before
    assert sources(work, small_configs) == before


def test_a_job_file_that_may_not_be_read_is_not_damaged(suite, runs):
    (runs[0] / "job.json").write_text("{}")
    with closed(runs[0] / "job.json"):
        verify = harness_here("verify", *suite[4:6])
    why = f"{runs[0] / 'job.json'}: cannot be read (Permission denied); change its permissions"
    assert verify.stdout.splitlines() == [f"{runs[0].name}: {why}", "2 records, 1 finding"]


def test_a_plan_that_may_not_be_read_is_not_to_be_moved_away(runs, tmp_path):
    path = tmp_path / "work" / "plan.json"
    why = re.escape(f"{path}: cannot be read (Permission denied); change its permissions, or see to its disk")
    with closed(path), pytest.raises(ValueError, match=f"^{why}$"):
        read_plan(path)


def test_a_synthetic_clip_that_may_not_be_read_is_not_to_be_deleted(suite, tiny_data):
    clip = sorted((tiny_data / "mgr_dark").rglob("*.mp4"))[0]
    forget()
    with closed(clip):
        plan = harness_here("plan", *suite)
    forget()
    assert f"file {clip} cannot be read (Permission denied)" in plan.stderr and "change its permissions" in plan.stderr
    assert "delete" not in plan.stderr


def test_statistics_and_descriptions_that_may_not_be_read_are_not_to_be_made_anew_or_removed(tiny_data, tmp_path):
    path, told = tmp_path / STATISTICS, []
    path.write_text("{}")
    description = tiny_data / "mgr_dark" / "dataset.json"
    with closed(path), closed(description):
        assert load_summaries(tmp_path, told.append) == {}
        (finding,) = verify_ledger(tmp_path)[1]
        found = annotated_mgr_dark(tiny_data / "mgr_dark").findings
    assert finding.problem == "cannot be read (Permission denied); change its permissions, or see to its disk"
    assert told == [f"{path}: {finding.problem}"]
    assert [f.remedy for f in found if "dataset.json" in f.message] == ["change its permissions"]


def test_rendered_clips_that_may_not_be_read_have_not_changed(tmp_path):
    (tmp_path / "store" / "s1").mkdir(parents=True)
    (tmp_path / "store" / "s1" / "frame.npy").write_bytes(b"pixels")
    with closed(tmp_path / "store" / "s1"), pytest.raises(PermissionError):
        sha256_of_rendered(tmp_path)
    assert (
        sha256_of_rendered(tmp_path)
        == hashlib.sha256(f"store/s1/frame.npy\0{hashlib.sha256(b'pixels').hexdigest()}\n".encode()).hexdigest()
    )
