"""The loader benchmark runs through and says what it measured; its numbers are nobody's business here."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from harness.bench import data as bench
from harness.bench.clip_set import moving_noise, write_clip_set
from harness.bench.gathering import checks_of, median_ratio
from harness.cli import cli
from mtcd_plugin.formats.mgr_dark import read_mgr_dark
from mtcd_plugin.formats.video import probe


def test_the_clip_set_is_what_it_says(tmp_path):
    write_clip_set(tmp_path, 2, frames=10, size=(64, 48), other_size=(32, 24))
    table = read_mgr_dark(str(tmp_path))
    assert table.synthetic and [clip.split for clip in table.clips] == ["train", "train"]
    streams = table.clips[1].streams
    assert [probe(streams[m].path)[:3] for m in ("rgb", "depth", "ir")] == [
        (10, 64, 48),
        (10, 32, 24),
        (10, 32, 24),
    ]
    frames = moving_noise(3, (64, 48), 3, 0)
    assert (frames[0] != frames[1]).mean() > 0.5


@pytest.mark.slow
def test_json_has_every_source_and_ratio(monkeypatch):
    small = bench.BenchSizes(clips=2, decoded=2, stored=3, rounds=1, steps=1, turns=1, size=(320, 256))
    monkeypatch.setattr(bench, "QUICK", small)
    monkeypatch.setattr(bench, "WORKERS", (0, 1))
    command = ["bench", "data", "--quick", "--json"]
    done = CliRunner().invoke(cli, command, catch_exceptions=False, standalone_mode=False)
    result = json.loads(done.stdout[done.stdout.index("{") :])
    names = [row["source"] for row in result["sources"]]
    assert {"stock", "video", "store raw", "store jpeg", "store raw rgb+depth+ir"} <= set(names)
    for row in result["sources"]:
        assert set(row["clips_per_s"]) == {"0", "1"} and row["p95_ms"]["0"] >= row["p50_ms"]["0"] > 0
    for name in ("ratio_raw_to_stock", "builder_to_decoder", "synchronised_to_bytes"):
        assert result[name] > 0
    assert 0 < result["data_time_share_store"] < 1 and result["quick"] is True
    assert result["batches_equal"] is True and result["gathered_clips_per_s"] > 0
    assert done.return_value == (0 if all(check["ok"] for check in result["checks"]) else 1)


FOUND = {
    "gather_over_copy": 0.7,
    "gather_over_copy_cpu": 0.6,
    "machine_busy": False,
    "threads_over_workers": 4.0,
    "data_time_share_gathered": 0.02,
    "batches_equal": True,
}


@pytest.mark.parametrize(
    ("name", "worse"),
    [
        ("gather_over_copy", 0.69),
        ("threads_over_workers", 3.9),
        ("data_time_share_gathered", 0.021),
        ("batches_equal", False),
    ],
)
def test_what_falls_short_is_said(name, worse):
    assert all(check.ok for check in checks_of(FOUND))
    short = [check for check in checks_of({**FOUND, name: worse}) if not check.ok]
    assert len(short) == 1 and short[0].line.startswith("short: ")


def test_on_a_busy_machine_the_bare_copy_is_compared_by_processor_time():
    busy = {**FOUND, "machine_busy": True}
    short = [check.line for check in checks_of(busy) if not check.ok]
    assert len(short) == 1 and "0.70 by the clock, 0.60 by processor time" in short[0] and "is busy" in short[0]
    assert all(check.ok for check in checks_of({**busy, "gather_over_copy": 0.4, "gather_over_copy_cpu": 0.8}))


def test_ways_are_compared_within_a_round():
    """The cores are twice as slow in one round, and faster for the copy alone in another one."""
    copy = np.array([[0.5, 0.4], [1.0, 0.8], [0.2, 0.1]])
    gathered = np.array([[1.0, 0.5], [2.0, 1.0], [1.0, 0.5]])
    assert median_ratio(copy, gathered).tolist() == [0.5, 0.8]
