"""What Slurm says and is told, without a Slurm."""

import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

from harness.errors import BadUsage, EngineLost
from harness.executors import node_script, shared_files
from harness.executors.base import Resources
from harness.executors.slurm import client, executor, reach
from harness.executors.slurm import job as slurm_job
from harness.executors.slurm.client import Seen
from harness.executors.slurm.ends import end_of
from harness.executors.slurm.executor import SlurmExecutor
from harness.executors.slurm.job import SlurmJob
from harness.executors.slurm.options import arguments, check_gpus, parse, warning
from harness.ledger.run_dir import LOG, RESUME
from harness.plan.run_state import folder_of
from harness.schedule.dispatch import make_spec
from harness.schedule.options import Options
from harness.schedule.task import Task
from harness.worker.signals import EXIT_STOPPED
from harness.worker.spec import write_spec
from tests.helpers.toy_jobs import toy_job


@pytest.fixture
def slurm():
    return SlurmExecutor({})


@pytest.fixture
def job(tmp_path, slurm):
    """A submitted job, of which Slurm has heard nothing."""
    task = Task(toy_job("a"), folder_of(toy_job("a"), tmp_path))
    assert task.lock.acquire()
    spec = make_spec([task], Options(tmp_path, clip_store=str(tmp_path)))
    write_spec(task.folder, spec)
    return SlurmJob(slurm.outcome_of, "a.b", task.folder, spec)


def test_options_of_sbatch_may_hold_commas():
    asked = parse("partition=gpu,nodelist=n[1,3],n7,exclusive,time=8:00:00,gres=gpu:a100:1,shard:2")
    assert list(asked.values()) == ["gpu", "n[1,3],n7", "", "8:00:00", "gpu:a100:1,shard:2"]
    assert arguments(asked)[1:3] == ["--nodelist=n[1,3],n7", "--exclusive"]


@pytest.mark.parametrize("text", ["", "gpu", "partition=", "=gpu", "time=1,time=2", "output=x", "requeue=1"])
def test_options_that_make_no_sense_are_named(text):
    with pytest.raises(BadUsage, match="--slurm "):
        parse(text)


def test_as_many_gpus_as_processes_are_asked_for():
    check_gpus(parse("gres=gpu:a100:2"), 2)
    check_gpus(parse("partition=gpu"), 4)
    for text in ("gres=gpu:2", "gpus=2", "gpus-per-node=a100:2"):
        with pytest.raises(BadUsage, match="add --gpus-per-job 2"):
            check_gpus(parse(text), 1)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("90", 5400), ("1:30", 90), ("8:00:00", 28800), ("1-12", 129600), ("1-0:30", 88200), ("2-01:02:03", 176523)],
)
def test_times_are_read_as_slurm_reads_them(said, seconds):
    assert client.seconds(said) == seconds


def test_times_without_an_end_or_a_meaning():
    assert client.seconds("UNLIMITED") is None and warning(None) == 90 and warning(60.0) == 15
    for text in ("soon", "1:2:3:4", "-5"):
        with pytest.raises(ValueError, match=r".+"):
            client.seconds(text)


@pytest.mark.parametrize(
    ("said", "code"), [("768", 3), ("9", -9), ("0", 0), ("3:0", 3), ("0:15", -15), ("137", -9), ("4021", -53)]
)
def test_exit_codes_are_those_of_the_process(said, code):
    assert client.exit_code(said) == code


def seen(state, code=0, used=10.0, limit=28800.0, reason="None"):
    return Seen("17", state, code, "n1", used, limit, reason)


@pytest.mark.parametrize(
    ("state", "code", "ends"),
    [
        ("COMPLETED", 0, (0, None)),
        ("FAILED", EXIT_STOPPED, (EXIT_STOPPED, None)),
        ("FAILED", -signal.SIGKILL, (-9, None)),
        ("PREEMPTED", -signal.SIGTERM, (EXIT_STOPPED, None)),
        ("NODE_FAIL", 0, (None, "node_failure")),
        ("BOOT_FAIL", 0, (None, "node_failure")),
        ("OUT_OF_MEMORY", -125, (-125, "out_of_memory")),
        ("CANCELLED", EXIT_STOPPED, (EXIT_STOPPED, "cancelled")),
        ("TIMEOUT", -signal.SIGTERM, (-15, "time_limit")),
    ],
)
def test_what_the_states_of_slurm_mean(job, state, code, ends):
    outcome = end_of(job, seen(state, code))
    assert (outcome.exit_code, outcome.cause) == ends
    assert outcome.alone == (state == "OUT_OF_MEMORY")


@pytest.mark.parametrize(
    ("limit", "code", "used", "ends"),
    [
        (600.0, 124, 601.0, (124, "time_limit")),
        (600.0, -signal.SIGKILL, 661.0, (-9, "time_limit")),  # it did not stop when timeout(1) asked it to
        (600.0, -signal.SIGKILL, 30.0, (-9, None)),
        (None, -signal.SIGKILL, 661.0, (-9, None)),
    ],
)
def test_a_job_that_is_killed_has_had_its_time_or_not(job, limit, code, used, ends):
    job.time_limit = limit
    outcome = end_of(job, seen("FAILED", code, used))
    assert (outcome.exit_code, outcome.cause) == ends


@pytest.mark.parametrize("end", [seen("TIMEOUT", -15), seen("FAILED", EXIT_STOPPED, used=28720.0)])
def test_at_the_clusters_time_limit_a_job_goes_on_as_long_as_it_gets_further(job, end):
    assert end_of(job, end).cause == "time_limit" and "--slurm time=" in end_of(job, end).message
    (job.run_dir / RESUME).parent.mkdir()
    (job.run_dir / RESUME).write_text("state")
    assert end_of(job, end).exit_code == EXIT_STOPPED and end_of(job, end).cause is None


def test_a_job_that_nobody_knows_any_more_was_killed(job):
    assert (end_of(job, None).exit_code, end_of(job, None).cause) == (None, "killed")


def test_a_controller_that_is_away_does_not_make_a_job_unknown(monkeypatch):
    answers = [client.SlurmError("squeue: Unable to contact slurm controller")] * 3 + [{"a.b": seen("PENDING")}]

    def jobs():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(client, "jobs", jobs)
    monkeypatch.setattr(client, "PAUSE_S", 0.0)
    monkeypatch.setattr(executor, "QUICK_POLL_S", 0.0)
    assert SlurmExecutor({}).attach("a.b") is not None and not answers
    answers[:] = [client.SlurmError("squeue: Unable to contact slurm controller")] * 9
    monkeypatch.setattr(client, "OUTAGE_S", -1.0)
    with pytest.raises(EngineLost, match="no answer for .*Unable to contact.*nothing is lost.* run the same command"):
        SlurmExecutor({}).attach("a.b")


@pytest.mark.parametrize(("said", "error"), [("Unable to contact", EngineLost), ("no such", client.SlurmError)])
def test_a_controller_that_is_away_for_long_fails_no_job_that_is_submitted(monkeypatch, said, error):
    def call(*_, **__):
        raise client.SlurmError(f"sbatch: {said}")

    monkeypatch.setattr(client, "_call", call)
    monkeypatch.setattr(client, "OUTAGE_S", -1.0)
    with pytest.raises(error, match=said):
        client.submit("a.b", [], "")


def test_a_record_that_the_network_does_not_show_yet_is_waited_for(job, slurm, monkeypatch):
    slurm._seen, slurm._asked_at = {"a.b": seen("COMPLETED")}, float("inf")
    assert job.poll() is None
    (job.run_dir / "run.json").touch()
    assert job.poll().exit_code == 0


def test_a_record_that_never_shows_is_missing(job, slurm, monkeypatch):
    slurm._seen, slurm._asked_at = {"a.b": seen("COMPLETED")}, float("inf")
    monkeypatch.setattr(shared_files, "VISIBLE_S", -1.0)
    log(job, began(job))
    assert job.poll().exit_code == 0


def test_a_job_that_is_called_completed_and_has_not_run_is_no_crash(job, slurm, monkeypatch):
    slurm._seen, slurm._asked_at = {"a.b": seen("COMPLETED")}, float("inf")
    monkeypatch.setattr(shared_files, "VISIBLE_S", -1.0)
    with pytest.raises(
        BadUsage, match=r"node n1 did not start job 17 \(Slurm calls it COMPLETED, None\); .*exclude=n1"
    ):
        job.poll()


def log(job, *lines):
    with (job.run_dir / LOG).open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))


def began(job):
    return f"{node_script.began_line(job.spec)} on n1"


NO_CHDIR = "slurmstepd-n1: error: couldn't chdir to `/here': No such file or directory: going to /tmp instead"
NO_INTERPRETER = "slurmstepd-n1: error: execve(): bad interpreter(/bin/sh): No such file or directory"
PROLOG = "Error running slurm prolog: 7"


@pytest.mark.parametrize(
    ("state", "code", "lines", "said"),
    [
        ("FAILED", 2, [NO_CHDIR, NO_INTERPRETER], r"execve\(\): bad interpreter\(/bin/sh\): No such file or directory"),
        ("FAILED", 13, ["slurmstepd: error: execve(): /spool/slurm_script: Permission denied"], "Permission denied"),
        ("FAILED", EXIT_STOPPED, ["slurmstepd: error: TaskProlog failed status=3"], "TaskProlog failed status=3"),
        ("FAILED", 70, ["slurmstepd: error: TaskProlog failed status=70"], "TaskProlog failed status=70"),
        ("COMPLETED", 0, [NO_INTERPRETER], "bad interpreter"),
        ("FAILED", -52, [], "Slurm calls it FAILED, None"),  # its error 4020, as the status of a process
    ],
)
def test_a_job_that_slurm_could_not_start_is_one_line_with_what_slurm_said(job, state, code, lines, said):
    log(job, *lines)
    with pytest.raises(BadUsage, match=rf"--backend slurm: node n1 did not start job 17 \(.*{said}.*\); .*exclude=n1"):
        end_of(job, seen(state, code))


def test_what_was_said_of_an_earlier_attempt_is_not_what_became_of_this_one(job):
    log(job, NO_INTERPRETER)
    again = SlurmJob(job._outcome_of, "a.c", job.run_dir, job.spec)
    assert end_of(again, seen("FAILED", 2)).exit_code == 2
    log(again, began(again), NO_CHDIR)
    assert end_of(again, seen("FAILED", 2)).exit_code == 2


@pytest.mark.parametrize(
    ("lines", "end", "cause"),
    [
        ([PROLOG], seen("CANCELLED", used=60.0), "node_failure"),
        ([], seen("CANCELLED", used=0.0), "node_failure"),  # its folder for jobs is full, which nobody is told
        ([], seen("CANCELLED", used=60.0), "cancelled"),  # while its prolog ran
        ([], seen("CANCELLED", -signal.SIGTERM, used=0.0), "cancelled"),
        (["slurmstepd-n1: error: *** JOB 17 ON n1 CANCELLED AT 12:00 ***"], seen("CANCELLED", used=60.0), "cancelled"),
        ([], Seen("17", "CANCELLED", 0, "", 0.0, None, "None"), "cancelled"),  # it waited for a node
    ],
)
def test_a_job_that_slurm_gave_up_as_it_started_was_cancelled_by_nobody(job, lines, end, cause):
    log(job, *lines)
    outcome = end_of(job, end)
    assert outcome.cause == cause and ("prolog: 7" in outcome.message) == (lines == [PROLOG])
    log(job, began(job))
    assert end_of(job, end).cause == "cancelled"


def test_where_there_is_no_slurm(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BadUsage, match=r"no Slurm here \(sbatch, .*--backend local"):
        SlurmExecutor.create({"slurm": None, "slurm_jobs": None, "detach": None}, Resources())


def refused():
    with pytest.raises(BadUsage) as refusal:
        SlurmExecutor.create({"slurm": None, "slurm_jobs": None, "detach": None}, Resources())
    with pytest.raises(ConnectionError) as fault:
        SlurmExecutor.describe(["a.b"])
    assert str(fault.value).replace("squeue", "sinfo") == str(refusal.value) and "\n" not in str(refusal.value)
    return str(refusal.value)


def test_settings_that_are_not_there_or_not_to_be_read_are_said_at_once(tmp_path, monkeypatch):
    if shutil.which("sbatch") is None:
        pytest.skip("no Slurm here")
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "slurm.conf"))
    assert f"SLURM_CONF={tmp_path}/slurm.conf is not there; name the cluster's" in refused()
    (tmp_path / "slurm.conf").write_text("garbage\n")
    said = refused()
    assert "the slurm.conf of this machine cannot be used (Parse error in file" in said and "have it mended" in said


NO_CONF = (
    "resolve_ctls_from_dns_srv: res_nsearch error: Unknown host\nfatal: Could not establish a configuration source"
)
NO_MUNGE = """error: If munged is up, restart with --num-threads=10
error: Munge encode failed: Failed to access "/run/munge/munge.socket.2": No such file or directory
error: slurm_send_node_msg: auth_g_create: REQUEST_PARTITION_INFO has authentication error
slurm_load_partitions: Protocol authentication error"""


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (NO_CONF, "--backend slurm: this machine is part of no Slurm cluster: .*; run on a login node"),
        (NO_MUNGE, r"prove who asks it \(Munge encode failed: Failed [^;]*\); see that munged runs"),
        (
            "Unable to contact slurm controller (connect failure)",
            "no controller of the cluster answers .*slurmctld runs",
        ),
        ("slurm_load_partitions: Zero Bytes were transmitted or received", "slurm: .*: Zero Bytes"),
    ],
)
def test_why_slurm_does_not_answer_is_a_line_that_says_what_to_do(monkeypatch, said, line):
    monkeypatch.setattr(reach, "check_installed", lambda: None)
    failed = subprocess.CompletedProcess([], 1, "", said)
    monkeypatch.setattr(client, "_run", lambda command, script: failed)
    assert re.search(line, refused())


def run_script(job, **changes):
    at = node_script._places(job.run_dir, job.spec) | changes
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(node_script, "_places", lambda *_: at)
        patch.setattr(node_script, "WORKER", "tests.helpers.quick_worker")
        text = node_script.make_script(job.run_dir, job.spec, executor.THREADS)
    with (job.run_dir / LOG).open("ab") as file:
        given = {"stdout": file, "stderr": file, "env": {**os.environ, "PYTHONPATH": os.getcwd()}}
        return subprocess.run(["/bin/sh"], input=text, text=True, **given).returncode


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"run_dir": "/nowhere/run"}, "put --work-dir on a file system that all nodes share"),
        ({"cwd": "/nowhere/here"}, "from where the harness was started"),
        ({"python": "/nowhere/python"}, "install the harness on a file system"),
        ({"version": "3.6.1"}, "is not Python .* with the harness of"),
        ({"package": "/nowhere/harness"}, "is not Python .* with the harness of"),
        ({"store": "/nowhere/store"}, "clip store .*--no-cache"),
    ],
)
def test_what_a_node_lacks_is_one_line(job, changes, line):
    code = run_script(job, **changes)
    with pytest.raises(BadUsage, match=f"--backend slurm: node n1: .*{line}"):
        end_of(job, seen("FAILED", code))


def test_what_the_node_said_of_it_is_in_the_line(job, tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho python: no libpython3.11.so.1.0 >&2; exit 127\n")
    broken.chmod(0o755)
    code = run_script(job, python=str(broken))
    with pytest.raises(BadUsage, match=r"is not Python .* \(it said: python: no libpython3.11.so.1.0\)$"):
        end_of(job, seen("FAILED", code))


def test_on_a_node_that_has_everything_the_worker_runs(job):
    (job.run_dir.parent.parent / "go").touch()
    assert run_script(job) == 0 and (job.run_dir / "run.json").exists()
    assert sys.executable in node_script.make_script(job.run_dir, job.spec, executor.THREADS, 5.0)


@pytest.mark.parametrize(
    ("said", "full"),
    [
        ("AssocMaxSubmitJobLimit; Batch job submission failed: Job violates accounting/QOS policy (job submit limit, "
         "user's size and/or time limits)", True),
        ("QOSMaxSubmitJobPerUserLimit; Batch job submission failed: Job violates accounting/QOS policy", True),
        ("AssocGrpSubmitJobsLimit; Batch job submission failed: Job violates accounting/QOS policy", True),
        ("Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time "
         "limits)", True),
        ("Slurm temporarily unable to accept job, sleeping and retrying", True),
        ("Slurm job queue full, sleeping and retrying", True),
        ("Batch job submission failed: Resource temporarily unavailable", True),
        ("QOSMaxWallDurationPerJobLimit; Batch job submission failed: Job violates accounting/QOS policy (job submit "
         "limit, user's size and/or time limits)", False),  # it never passes
        ("Unable to contact slurm controller (connect failure)", False),
    ],
)  # fmt: skip
def test_a_full_queue_is_told_from_a_limit_that_never_passes(said, full):
    assert client.is_full(f"sbatch: {said}") is full


def test_a_controller_that_is_away_is_said_once(monkeypatch, caplog):
    answers = [client.SlurmError("sbatch: Unable to contact slurm controller")] * 3 + [""]

    def call(*command, **_):
        answer = answers.pop(0) if command[0] == "sbatch" else ""
        if answer:
            raise answer
        return ""

    monkeypatch.setattr(client, "_call", call)
    monkeypatch.setattr(client, "PAUSE_S", 0.0)
    client.submit("a.b", [], "")
    assert [r.getMessage() for r in caplog.records] == [
        "waiting   sbatch: Unable to contact slurm controller; asked again for 15 minutes"
    ]


def test_the_controller_is_asked_more_often_the_nearer_the_end(job, slurm, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(slurm_job.time, "monotonic", lambda: now[0])
    assert job.pause == slurm_job.POLL_S
    (job.run_dir / "run.json").touch()
    pauses = [job.pause]
    for _ in range(2):
        now[0] += slurm_job.LAST_S - 1.0
        pauses.append(job.pause)
    assert pauses == [slurm_job.LAST_POLL_S, slurm_job.LAST_POLL_S, slurm_job.QUICK_POLL_S]
    slurm._jobs = [job]
    monkeypatch.setattr(job, "poll", lambda: None)
    monkeypatch.setattr(slurm_job.time, "sleep", lambda seconds: now.append(now.pop() + seconds))
    job.recorded = before = now[0]
    slurm.wait(0.5)
    assert now[0] - before == pytest.approx(slurm_job.LAST_POLL_S)
