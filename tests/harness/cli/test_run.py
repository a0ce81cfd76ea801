"""From video file to page, with real processes on a tiny data set."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.ledger.lock import RunLock
from harness.ledger.store import load_records
from mtcd_plugin.formats.mgr_dark import read_mgr_dark
from tests.helpers.command_line import harness, harness_here


@pytest.fixture
def options(small_configs, tiny_data, tmp_path):
    return [
        "--configs",
        small_configs,
        "--data-root",
        tiny_data,
        "--work-dir",
        tmp_path / "work é 1",
        "--profile",
        "smoke",
        "--jobs",
        "2",
    ]


def test_run_all_writes_records_and_pages_and_a_second_one_does_nothing(options, tmp_path):
    """Paths with spaces and letters beyond ASCII included."""
    first = harness("run-all", *options, "--site", tmp_path / "site é")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "2 jobs: 0 done before, 2 run, 0 failed" in first.stdout
    records, rejected = load_records(options[5])
    assert not rejected and len(records) == 2
    for folder, record in records.values():
        assert record.status == "done" and record.metrics is not None and record.cost.params > 0
        assert len(record.epochs) == 1 and record.data.test_clips > 0 and record.checkpoint_sha256
        assert not (folder / "mm").exists() and RunLock(folder).holder() is None
    index = tmp_path / "site é" / "index.html"
    assert index.is_file() and "refresh" not in index.read_text()
    said = first.stdout.splitlines()
    end = said[said.index(next(line for line in said if line.startswith("2 jobs:"))) + 1 :]
    assert [line.split(": ")[0] for line in end] == ["Table 2, RGB", "Table 2, Depth", "leaderboard", end[-1]]
    assert "(synthetic MGR-Dark, profile smoke, 1 seed, newest run 20" in end[0]
    assert end[-1] == index.resolve().as_uri()
    written = [p for root in (options[5], tmp_path / "site é") for p in root.rglob("*") if p.is_file()]
    assert written and not any(b"file://" in p.read_bytes() for p in written)

    second = harness_here("run-all", *options, "--site", tmp_path / "site é")
    assert "2 jobs: 2 done before, 0 run" in second.stdout and "pages unchanged" in second.stdout
    assert end[0] in second.stdout and end[-1] in second.stdout
    (tmp_path / "site é" / "index.html").write_text("lost")
    third = harness_here("run-all", *options, "--site", tmp_path / "site é")
    assert "unchanged" not in third.stdout and "<html" in (tmp_path / "site é" / "index.html").read_text()
    report = harness_here("report", *options[:2], *options[4:6], "--site", tmp_path / "other")
    assert end[0] in report.stdout.splitlines()
    assert report.stdout.splitlines()[-1] == (tmp_path / "other" / "index.html").resolve().as_uri()
    status = harness_here("status", *options[:-2], "--check")
    assert status.returncode == 0
    assert "2 jobs: 2 done" in status.stdout


def test_a_broken_video_fails_its_runs_with_one_line_and_leaves_the_others(options, tiny_data, tmp_path):
    import shutil

    data = tmp_path / "data"
    shutil.copytree(tiny_data / "mgr_dark", data / "mgr_dark")
    broken = Path(read_mgr_dark(str(data / "mgr_dark")).clips[0].streams["rgb"].path)
    broken.write_bytes(broken.read_bytes()[:200])
    options[3] = data
    got = harness_here("run", *options, "--no-cache")
    assert got.returncode == 1 and "1 run, 1 failed" in got.stdout
    failed = [line for line in got.stderr.splitlines() if line.startswith("failed:")]
    assert len(failed) == 1 and "data_error" in failed[0] and str(broken.name) in failed[0]


def test_the_log_of_a_stopped_harness_says_how_to_go_on_and_going_on_works(options):
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "run", *map(str, options)], stdout=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if "started" in line:
            break
    process.send_signal(signal.SIGINT)
    rest = process.stdout.read()
    assert process.wait(600) == 130 and "run the same command again" in rest
    again = harness_here("run", *options)
    assert again.returncode == 0 and "0 failed" in again.stdout
