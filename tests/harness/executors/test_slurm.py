"""The Slurm executor on a real cluster of two nodes: what Slurm alone does (see ``test_clusters.py`` for the rest)."""

import signal
import sys
from contextlib import ExitStack

import pytest

from harness.bench.engine_start import REPEATS, start_seconds
from harness.errors import BadUsage
from harness.executors import node_script
from harness.executors.base import Resources
from harness.executors.slurm import client
from harness.executors.slurm.executor import SlurmExecutor
from harness.ledger.store import load_record
from harness.ledger.submission import recall
from harness.plan.run_state import folder_of
from harness.schedule import scheduler
from tests.helpers.cluster_jobs import chain, drive, end_of, prepared, quicken, starts


@pytest.fixture
def engine(engine_of, monkeypatch):
    engine = engine_of("slurm")
    quicken(engine, monkeypatch)
    return engine


def test_where_a_job_goes_is_written_down_before_it_does(work_dir, quick, monkeypatch):
    task = prepared(work_dir)
    seen = []
    monkeypatch.setattr(client, "submit", lambda name, *_: seen.append((name, recall(task.folder).id)))
    quick.submit(task.folder, Resources())
    assert seen[0][0] == seen[0][1]
    assert SlurmExecutor({}).attach(seen[0][0]) is None  # it never arrived


def test_a_program_that_a_node_cannot_start_is_said_at_once(work_dir, quick, monkeypatch):
    make = node_script.make_script
    monkeypatch.setattr(node_script, "make_script", lambda *asked: make(*asked).replace("/bin/sh", "/nowhere/sh", 1))
    said = r"node \w+ did not start job \d+ \(execve\(\): bad interpreter\(/nowhere/sh\): No such file or directory\)"
    with pytest.raises(BadUsage, match=said):
        end_of(quick, quick.submit(prepared(work_dir).folder, Resources()))


def test_a_node_whose_prolog_fails_is_a_lost_one(slurm_cluster, work_dir, quick):
    slurm_cluster.fail_prologs(True)
    outcome = end_of(quick, quick.submit(prepared(work_dir).folder, Resources()))
    slurm_cluster.fail_prologs(False)
    assert outcome.cause == "node_failure" and "could not start it (Error running slurm prolog: 1)" in outcome.message


def test_an_answer_that_was_lost_submits_nothing_twice(work_dir, quick, monkeypatch):
    monkeypatch.setattr(client, "PAUSE_S", 0.1)
    call, lost = client._call, []

    def lossy(*command, **kind):
        said = call(*command, **kind)
        if command[0] == "sbatch" and not lost:
            lost.append(said)
            raise client.SlurmError("sbatch: error: Socket timed out on send/recv operation")
        return said

    monkeypatch.setattr(client, "_call", lossy)
    (work_dir / "go").touch()
    assert end_of(quick, quick.submit(prepared(work_dir).folder, Resources())).exit_code == 0
    assert lost and starts(work_dir) == ["alone"]


def test_a_full_queue_is_said_and_what_it_does_not_take_is_submitted_once_later(
    slurm_cluster, engine, work_dir, monkeypatch
):
    monkeypatch.setattr(scheduler, "FULL_SECONDS", 1.0)
    monkeypatch.setattr(client, "FULL_AFTER_S", 1.0)
    monkeypatch.setattr(client, "PAUSE_S", 0.1)
    (work_dir / "go").touch()
    waits, room = [], ExitStack()

    def report(event, job, said):
        if event == "waiting":
            waits.append(said)
            room.close()

    with room:
        room.enter_context(slurm_cluster.room_for(1))
        status = drive(engine, work_dir, report=report)
    assert status.done == 3 and starts(work_dir) == ["child", "first", "other"]
    assert len(waits) == 1 and waits[0].startswith(
        "Slurm's queue is full (sbatch: Slurm temporarily unable to accept job"
    )
    assert {load_record(folder_of(job, work_dir)).attempts for job in chain()} == {1}


def test_a_full_queue_is_no_reason_not_to_start(slurm_cluster):
    with slurm_cluster.room_for(0):
        SlurmExecutor.create({"slurm": "partition=main", "slurm_jobs": None, "detach": None}, Resources())


def test_a_job_that_does_not_stop_at_its_time_limit_is_killed_and_has_had_its_time(work_dir, quick, monkeypatch):
    places, deaf = node_script._places, work_dir / "deaf"
    deaf.write_text(f"#!/bin/sh\ntrap '' TERM\nexec {sys.executable} \"$@\"\n")
    deaf.chmod(0o755)
    monkeypatch.setattr(node_script, "_places", lambda *asked: places(*asked) | {"python": str(deaf)})
    monkeypatch.setattr(node_script, "KILL_AFTER_S", 1.0)
    outcome = end_of(quick, quick.submit(prepared(work_dir).folder, Resources(time_limit=1.0)))
    assert (outcome.exit_code, outcome.cause) == (-signal.SIGKILL, "time_limit")


def test_what_slurm_itself_takes_is_that_of_an_empty_batch_job_with_the_options_of_the_others(slurm_cluster):
    before = set(client.jobs())
    assert start_seconds("slurm", ["--backend", "slurm", "--slurm", "partition=short"]) > 0.0
    new = {name: seen for name, seen in client.jobs().items() if name not in before}
    assert len(new) == REPEATS and {seen.state for seen in new.values()} == {"COMPLETED"}
    assert {seen.limit for seen in new.values()} == {60.0}  # that of the partition
    with pytest.raises(BadUsage, match="--slurm partition=none: sbatch: .*invalid partition"):
        start_seconds("slurm", ["--backend", "slurm", "--slurm", "partition=none"])


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ("partition=none", "invalid partition specified: none.*; partitions here: main, short"),
        ("gres=gpu:1", "[Ii]nvalid generic resource"),
        ("mem=9000G", "not available"),
        ("partition=short,time=8:00:00", "partition short allows 0.0167 hours"),
    ],
)
def test_what_the_cluster_does_not_have_is_said_before_anything_is_submitted(slurm_cluster, asked, line):
    with pytest.raises(BadUsage, match=line):
        SlurmExecutor.create({"slurm": asked, "slurm_jobs": None, "detach": None}, Resources())
