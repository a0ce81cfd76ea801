"""The kill test on a made-up harness that survives, and on one that does not; and what the comparison finds."""

import json
import random
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from harness.bench.kill import Count, kill_in_the_middle, kill_something
from harness.bench.kills import EPOCHS, KillPlan, bench_kills, of_several_epochs, survive
from harness.bench.ledger_diff import compare_ledgers, files_of
from harness.bench.start import Start
from harness.ledger.lock import RunLock
from harness.plan.resolve import resolve
from tests.helpers.made_up_run import write_run


def test_equal_ledgers_are_equal_whatever_the_time_they_took(tmp_path):
    write_run(tmp_path / "a")
    write_run(tmp_path / "b")
    found = compare_ledgers(tmp_path / "a", tmp_path / "b")
    assert (found.equal, found.unequal, found.missing) == (1, [], [])


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"top": float(np.nextafter(np.float32(0.9), np.float32(1.0)))}, "predictions"),  # the last bit
        ({"loss": 1.0 + 2e-16}, "losses"),
        ({"checkpoint": "d"}, "checkpoint_sha256"),
    ],
)
def test_one_bit_is_found(tmp_path, change, what):
    write_run(tmp_path / "a")
    write_run(tmp_path / "b", **change)
    found = compare_ledgers(tmp_path / "a", tmp_path / "b")
    assert found.equal == 0 and len(found.unequal) == 1 and what in found.unequal[0]


def test_a_missing_a_surplus_and_a_damaged_run_are_named(tmp_path):
    write_run(tmp_path / "a")
    write_run(tmp_path / "a", "lost")
    write_run(tmp_path / "b", "surplus")
    (write_run(tmp_path / "b") / "run.json").write_text("{")
    missing = "\n".join(compare_ledgers(tmp_path / "a", tmp_path / "b").missing)
    assert all(word in missing for word in ("lost-", "surplus-", "corrupt"))


def test_a_rendering_is_compared_by_its_files(tmp_path):
    for name, text in (("a", "1"), ("b", "2")):
        store = write_run(tmp_path / name) / "store"
        store.mkdir()
        (store / "frames.bin").write_text(text)
    assert "rendering" in compare_ledgers(tmp_path / "a", tmp_path / "b").unequal[0]


def test_leftover_files_are_seen_hidden_ones_too(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / ".x.tmp").touch()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "one.log").touch()  # of a harness: as many as there were starts
    assert files_of(tmp_path) == {"runs", "runs/.x.tmp"}


HARNESS = """
import os, random, sys, time, pathlib
sys.path[:0] = {path!r}
from tests.helpers.made_up_run import write_run
pathlib.Path("work").mkdir(exist_ok=True)
for i in range(3):
    done = pathlib.Path(f"work/done-{{i}}")
    if done.exists():
        continue
    print(f"00:00:00  started   job-{{i}}", flush=True)
    job = os.fork()
    if job == 0:
        os.setsid()
        time.sleep({seconds})
        write_run(pathlib.Path("work"), f"job-{{i}}", **{change})
        done.touch()
        os._exit(0)
    if os.waitpid(job, 0)[1] != 0:
        print(f"00:00:00  failed    job-{{i}}", flush=True)
        sys.exit(1)
print("3 jobs: done", flush=True)
"""


def made_up_harness(tmp_path, change="{}", seconds=0.2):
    path = tmp_path / "made_up.py"
    places = [str(Path(__file__).parent), *filter(None, sys.path)]
    path.write_text(textwrap.dedent(HARNESS.format(path=places, change=change, seconds=seconds)))
    return [sys.executable, str(path)]


def test_a_harness_that_goes_on_survives(tmp_path):
    result = bench_kills(tmp_path / "k", 4, 1, command=made_up_harness(tmp_path), longest_wait=1.0)
    assert result["kills"] == 4 == sum(result["kills_by_phase"].values())
    assert result["records_equal"] == 3 * result["runs"]
    assert not result["records_unequal"] and not result["lost"] and result["processes_left"] == 0
    json.dumps(result)


def test_a_harness_whose_results_depend_on_the_kills_is_found_out(tmp_path):
    command = made_up_harness(tmp_path, change="{'loss': random.random()}")
    result = bench_kills(tmp_path / "k", 1, 0, command=command, longest_wait=1.0)
    assert result["records_unequal"] and result["records_equal"] == 0


def test_failing_without_a_kill_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="although nothing was killed: boom"):
        bench_kills(tmp_path / "k", 1, command=[sys.executable, "-c", "print('boom'); raise SystemExit(1)"])


def test_a_folder_in_use_is_refused(tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(ValueError, match="not empty"):
        bench_kills(tmp_path, 1)


def test_without_a_job_the_harness_is_the_target(tmp_path):
    start = Start([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path)
    count = Count()
    assert kill_something(start, random.Random(0), count, 0.2) == "harness"
    assert start.result() == -9 and count.by_phase == {"plan": 1}


def test_nothing_runs_on_when_it_is_interrupted(tmp_path):
    class Interrupt(random.Random):
        def random(self):
            while not (tmp_path / "pid").exists():
                time.sleep(0.01)
            raise KeyboardInterrupt

    code = "import time, pathlib; pathlib.Path('pid').touch(); time.sleep(300)"
    starts = []

    def start(*args):
        starts.append(Start(*args))
        return starts[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.bench.kills.Start", start)
        with pytest.raises(KeyboardInterrupt):
            survive([sys.executable, "-c", code], tmp_path, KillPlan(Interrupt(), 1, 1.0), Count(), print)
    assert starts[0].process.wait(30) == -9


def test_every_stage_of_the_longer_configs_has_a_middle_and_full_pools(tmp_path):
    configs = Path(__file__).resolve().parents[3] / "mm_configs"
    of_several_epochs(configs, tmp_path / "copy")
    for path in sorted((tmp_path / "copy").glob("[!_]*/*.py")):
        copied, own = resolve(path, "smoke").config, resolve(configs / path.parent.name / path.name, "smoke").config
        if copied.get("train_cfg"):
            assert copied["train_cfg"]["max_epochs"] == EPOCHS > 2 and own["train_cfg"]["max_epochs"] == 1
            own["train_cfg"]["max_epochs"] = EPOCHS
        assert copied == own
        if copied["model"]["type"] == "SDATranslator":  # full before the first checkpoint
            assert copied["model"]["pool_size"] <= copied["train_dataloader"]["batch_size"]


def test_a_training_is_killed_once_as_soon_as_it_has_saved_a_state(tmp_path):
    run = tmp_path / "work" / "runs" / "a-s0-0123"
    (run / "mm").mkdir(parents=True)
    start = Start([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path)
    lock = RunLock(run)
    assert lock.acquire()
    join = f"from harness.ledger.lock import RunLock; RunLock({str(run)!r}, {lock.number}).join()"
    job = Start([sys.executable, "-c", f"import time; {join}; time.sleep(60)"], Path(__file__).parents[3])
    while len(lock.holder().processes) < 2:
        time.sleep(0.02)
    try:
        count = Count()
        assert kill_in_the_middle(start, tmp_path, count) == "" and not job.over
        (run / "mm" / "last.pth").touch()
        assert kill_in_the_middle(start, tmp_path, count) == "a-s0-0123"
        assert job.process.wait(30) == -9 and not start.over
        assert kill_in_the_middle(start, tmp_path, count) == "" and count.kills == 1 and count.middle == {"a-s0-0123"}
    finally:
        start.end()
        job.end()
