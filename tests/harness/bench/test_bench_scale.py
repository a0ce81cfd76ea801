"""How costs grow: what the numbers are made of, and that every command that is measured runs."""

import sys

import numpy as np
import pytest

from harness.bench import scale
from harness.bench.clip_set import write_clip_set
from harness.bench.scale import QUICK, Cost, Sizes, bench_scale, cost_of, exponent, falls_short, link_clips
from harness.data.clips import select
from harness.plan.workspace import open_workspace
from mtcd_plugin.formats.mgr_dark import read_mgr_dark
from tests.harness.conftest import small_configs, tiny_data  # noqa: F401


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_an_exponent_is_that_of_the_costs(power):
    assert exponent([Cost(n, 3 * n**power, 1) for n in (10, 20, 40)]) == pytest.approx(power)


def test_what_is_above_a_limit_is_a_line():
    found = {"plan_exponent": 1.0, "report_exponent": 1.3, "status_s": 3.5, "status_mib": 100.0}
    assert falls_short(found) == ["status_s: 3.50, at most 3", "report_exponent: 1.30, at most 1.1"]


@pytest.mark.parametrize(
    ("sizes", "ledgers"),
    [(QUICK, [250, 500, 1000]), (Sizes(records=2400), [600, 1000, 1200, 2400]), (Sizes(), [1000, 5000, 10000, 20000])],
)
def test_the_site_is_the_one_of_1000_runs(monkeypatch, sizes, ledgers):
    made = stub_costs(monkeypatch)
    found = bench_scale(None, sizes, lambda _: None)
    assert made == ledgers
    assert (found["site_n"], found["site_s"], found["site_again_s"]) == (1000, 10, 1) and "site" not in found
    assert found["report_n"] == sizes.records and found["report_exponent"] == pytest.approx(1)


def test_no_site_of_1000_runs_is_said_and_not_judged(monkeypatch):
    made = stub_costs(monkeypatch)
    found = bench_scale(None, Sizes(8, 999, 8), lambda _: None)
    assert made == [249, 499, 999] and "not measured" in found["site"] and "1000" in found["site"]
    assert not [name for name in found if name.startswith("site_")] and falls_short(found) == []


def stub_costs(monkeypatch):
    """Costs that need no process: a report takes 10 ms a run, one after a new run 1 ms. Returns the sizes of ledgers
    that are asked for."""
    made = []

    def ledger(ws, records, folder, done):
        made.append(records)
        return {"report": Cost(records, records / 100, 1), "report_again": Cost(records, records / 1000, 1)}

    monkeypatch.setattr(scale, "_ledger", ledger)
    monkeypatch.setattr(scale, "_clips", lambda clips: {})
    monkeypatch.setattr(scale, "planning_command", lambda ws, cells: ([], cells))
    monkeypatch.setattr(scale, "cost_of", lambda command, n: Cost(n, n / 1e6, 1))
    return made


def test_a_cost_is_of_the_process_alone_and_a_failure_says_its_last_words():
    held = np.ones(300 * 2**17)  # 300 MiB that the one who measures has
    idle = cost_of([sys.executable, "-IS", "-c", "pass"], 3)
    busy = cost_of([sys.executable, "-IS", "-c", f"b = bytearray({200 * 2**20})"], 3)
    assert idle.n == 3 and 1 < idle.mib < 100 < busy.mib < 290 and idle.seconds < 5 and held[-1] == 1
    with pytest.raises(ValueError, match=r"-c .* failed: so be it"):
        cost_of([sys.executable, "-c", "import sys; sys.exit('so be it')"], 1)


def test_the_memory_of_a_process_counts_with_what_those_that_it_starts_have_meanwhile():
    held = f"import time; b = bytearray({100 * 2**20}); "
    child = f"{held} time.sleep(3)"
    both = cost_of(
        [sys.executable, "-c", f"{held} import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"], 1
    )
    assert 200 < both.mib < 290 and both.wall > 3 > both.seconds


def test_linked_clips_are_a_data_set_of_few_files(tmp_path):
    root = write_clip_set(tmp_path, 2, frames=4, size=(32, 32), other_size=(32, 32))
    link_clips(root, 7)
    clips = read_mgr_dark(str(root)).clips
    assert [c.clip_id for c in clips] == [f"clip{i}" for i in range(7)]
    files = {(s.stat().st_ino) for s in (root / "clips").rglob("*.mp4")}
    assert len(files) == 6 and len(list((root / "clips").rglob("*.mp4"))) == 21
    dataset = {"type": "MGRDarkDataset", "data_root": str(root), "split": "train", "modalities": ("rgb", "ir")}
    assert len(select(dataset).clips) == 7


@pytest.mark.slow
def test_every_cost_is_measured(small_configs, tiny_data):  # noqa: F811
    ws = open_workspace(small_configs, "smoke", tiny_data, None, None)
    said = []
    found = bench_scale(ws, Sizes(8, 20, 8), said.append)
    for name in ("plan", "status", "verify", "report", "report_again", "fingerprint", "dataset"):
        assert found[f"{name}_s"] > 0 and found[f"{name}_mib"] > 1 and found[f"{name}_n"] >= 8
        assert f"{name}_exponent" in found
    assert "not measured" in found["site"] and len(said) == 3 * 7
