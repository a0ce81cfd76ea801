"""What Ray is told and says, without a Ray."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.errors import BadUsage
from harness.executors.base import Resources
from harness.executors.node_script import OTHER_PYTHON
from harness.executors.ray import executor, node
from harness.executors.ray.options import Asked, check_gpus, for_nodes, parse
from harness.ledger.run_dir import LOG
from harness.system.process import start_time
from harness.worker.spec import read_spec
from tests.helpers.cluster_jobs import prepared
from tests.helpers.fake_head import SSH, Server

REPOSITORY = Path(__file__).parents[3]
FOR_EVER = 1e9  # a job ends its process, here that of the tests, some time after it
CPU_NODE, GPU_NODE = {"CPU": 4.0, "memory": 8e9}, {"CPU": 8.0, "GPU": 2.0, "memory": 16e9}


def test_keys_and_values_are_read():
    assert parse("") == Asked() == Asked("auto", None, None, None)
    asked = parse("address=10.0.0.1:6379,num_cpus=8,num_gpus=0.5,memory=2G")
    assert asked == Asked("10.0.0.1:6379", 8, 0.5, 2 << 30)
    assert parse("address=[fe80::1%eth0]:6379,num_cpus=8") == Asked("[fe80::1%eth0]:6379", 8)
    for no_head in ("::1:6379", "[::1]", "[::1:6379", "::1]:6379"):
        with pytest.raises(BadUsage, match=r"\[HOST\]:PORT for IPv6"):
            parse(f"address={no_head}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cpus=8", "unknown key 'cpus' .*; choose from address, num_cpus, num_gpus, memory"),
        ("num_cpus", "num_cpus is a whole number"),
        ("num_cpus=0", "num_cpus is a whole number, at least 1"),
        ("num_gpus=1.5", "or a part of one GPU"),
        ("memory=lots", "memory is a size, e.g. 48G"),
        ("address=ray://10.0.0.1:10001", "HOST:PORT of the head, .*; the harness runs on a node of that cluster"),
        ("num_cpus=1,num_cpus=2", "num_cpus is given twice"),
    ],
)
def test_values_that_make_no_sense_are_named(text, said):
    with pytest.raises(BadUsage, match=f"--ray .*{said}"):
        parse(text)


def test_as_many_gpus_as_processes_are_asked_for():
    for text, processes in (("num_gpus=2", 2), ("num_gpus=0", 4), ("num_gpus=0.5", 1), ("", 3)):
        check_gpus(parse(text), processes)
    with pytest.raises(BadUsage, match="ask for num_gpus=1, or add --gpus-per-job 2"):
        check_gpus(parse("num_gpus=2"), 1)
    with pytest.raises(BadUsage, match="ask for num_gpus=2$"):
        check_gpus(parse("num_gpus=0.5"), 2)


@pytest.mark.parametrize(
    ("text", "nodes", "gpus", "given"),
    [
        ("", [CPU_NODE], 1, {"num_cpus": 1, "num_gpus": 0}),
        ("", [CPU_NODE], 4, {"num_cpus": 4, "num_gpus": 0}),  # processes that train together
        ("num_cpus=8", [CPU_NODE, GPU_NODE], 2, {"num_cpus": 8, "num_gpus": 2}),
        ("num_gpus=0,memory=1G", [GPU_NODE], 1, {"num_cpus": 1, "num_gpus": 0, "memory": 2**30}),
        ("num_gpus=0.5", [GPU_NODE], 1, {"num_cpus": 1, "num_gpus": 0.5}),
    ],
)
def test_a_job_gets_gpus_where_there_are_some(text, nodes, gpus, given):
    assert for_nodes(parse(text), gpus, nodes).of_a_job(gpus) == given


def test_a_job_that_renders_gets_one_gpu_where_others_get_two():
    assert for_nodes(parse(""), 2, [GPU_NODE]).of_a_job(1)["num_gpus"] == 1


@pytest.mark.parametrize(
    ("text", "gpus"), [("num_cpus=5,num_gpus=0", 1), ("num_gpus=3", 3), ("memory=12G,num_gpus=0", 1)]
)
def test_what_no_node_has_is_named_with_what_they_have(text, gpus):
    with pytest.raises(BadUsage, match=r"--ray .*: no node of the cluster has that; nodes have num_cpus=4,"):
        for_nodes(parse(text), gpus, [CPU_NODE])


def test_where_there_is_no_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BadUsage, match=r"no Ray here; pip install .*\[ray\].*--backend local"):
        executor.RayExecutor.create({"ray": None, "ray_jobs": None, "detach": None}, Resources())


def connect_elsewhere(asked, before="", **environment):
    """The last line of a process that connects to Ray, as this one is already."""
    program = f"{before}from harness.executors.ray.cluster import connect; connect({asked!r})"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, env={**os.environ, **environment})
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("asked", ["127.0.0.1:9", "auto"])  # auto: that of RAY_ADDRESS
def test_where_no_cluster_answers(asked):
    pytest.importorskip("ray")
    last = connect_elsewhere(asked, RAY_ADDRESS="127.0.0.1:9")
    assert "BadUsage: " in last and "address=127.0.0.1:9: no cluster answers there" in last and "refused" in last


def test_a_head_that_has_left_its_address_behind_is_not_waited_for(tmp_path):
    pytest.importorskip("ray")
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("127.0.0.1:9")
    # whatever else this machine runs
    alone = "import functools, ray._private.services as s; s.find_gcs_addresses = functools.cache(set); "
    last = connect_elsewhere("auto", alone, RAY_ADDRESS="", RAY_TMPDIR=str(tmp_path))
    assert "BadUsage: --ray address=127.0.0.1:9: no cluster answers there" in last
    (tmp_path / "ray" / "ray_current_cluster").unlink()
    last = connect_elsewhere("auto", alone, RAY_ADDRESS="", RAY_TMPDIR=str(tmp_path))
    assert "BadUsage: --ray address=auto: Could not find any running Ray" in last and "`ray start --head`" in last


def test_where_something_else_answers():
    pytest.importorskip("ray")
    with Server(SSH) as server:
        last = connect_elsewhere(server.address)
    assert f"BadUsage: --ray address={server.address}: no cluster answers there (what listens there is no head" in last


class Died(Exception):
    pass


class EnvironmentMissing(Exception):
    pass


@pytest.fixture
def job(monkeypatch):
    """A job that runs, with as much of Ray as is asked of it."""
    ray = SimpleNamespace(
        wait=lambda refs, timeout: (refs, []),
        kill=lambda actor: None,
        exceptions=SimpleNamespace(
            ActorUnavailableError=KeyError,
            OutOfMemoryError=MemoryError,
            RayError=Exception,
            RuntimeEnvSetupError=EnvironmentMissing,
        ),
    )
    monkeypatch.setitem(sys.modules, "ray", ray)
    actor = SimpleNamespace(
        report=SimpleNamespace(remote=lambda: None), stop=SimpleNamespace(remote=lambda grace: None)
    )

    def answers(*said):
        left = list(said)

        def get(ref):
            answer = left.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        ray.get = get
        return executor.RayJob("a.b@c", actor)

    return answers


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (Died("The actor died because its node has died. Node Id: 3f"), "node_failure"),
        (Died("Worker exit detail: Task was killed due to the node running low on memory."), "out_of_memory"),
        (MemoryError(), "out_of_memory"),
        (Died("The actor is dead because it was killed by `ray.kill`."), "cancelled"),
        (Died("its worker process has died. Worker exit type: SYSTEM_ERROR"), "killed"),
        (Died("an error raised in its creation task, ray::NodeJob() (ip=10.0.0.3)\n  ...\nTypeError: no\n"), "crash"),
    ],
)
def test_what_the_death_of_an_actor_means(job, error, cause):
    died = job(("10.0.0.3", None), error)
    assert died.poll() is None and died.poll().cause == cause and "10.0.0.3" in f"{died.poll().message} 10.0.0.3"


def test_what_broke_as_a_job_was_started_is_the_last_that_ray_quotes(job):
    outcome = job(
        Died("an error raised in its creation task, ray::NodeJob.__init__()\n File ...\nEOFError: bad\n")
    ).poll()
    assert outcome.message == "its node could not start it: EOFError: bad"


def test_an_environment_that_a_node_cannot_set_up_ends_the_run_in_a_line(job):
    waits = job(EnvironmentMissing("Failed to set up runtime environment.\nNo such package: torch==9\n"))
    with pytest.raises(
        BadUsage, match=r"^--backend ray: its node cannot set up .* \(No such package: torch==9\); correct"
    ):
        waits.poll()
    assert waits.poll().exit_code is None  # said once


def test_a_worker_that_a_node_cannot_start_is_said_with_the_reason(tmp_path, monkeypatch):
    (tmp_path / "log").mkdir()  # cannot be written to
    at = node.NodeJob("true", str(tmp_path / "log"), {}, False, None, FOR_EVER)
    at.stop(0.0)
    code, why = at._end
    task = prepared(tmp_path)
    monkeypatch.setattr(executor.RayJob, "_question", lambda self: None)
    job = executor.RayJob("a.b@c", None, task.folder, read_spec(task.folder))
    job.address = "10.0.0.3"
    with pytest.raises(BadUsage, match="^--backend ray: node 10.0.0.3: .* cannot be written to; .*Is a directory"):
        job._end(code, why)


def test_what_a_node_said_of_what_it_lacks_is_in_the_line(tmp_path, monkeypatch):
    task = prepared(tmp_path)
    monkeypatch.setattr(executor.RayJob, "_question", lambda self: None)
    job = executor.RayJob("a.b@c", None, task.folder, read_spec(task.folder))
    (task.folder / LOG).write_text(
        "submission x began on n\nTraceback\nModuleNotFoundError: No module named 'harness'\n"
    )
    with pytest.raises(
        BadUsage, match=r"is not Python .* \(it said: ModuleNotFoundError: No module named 'harness'\)$"
    ):
        job._end(OTHER_PYTHON, "")


def test_an_actor_that_cannot_be_reached_is_asked_again(job):
    there = job(KeyError("unavailable"), ("n", (0, "")))
    assert there.poll() is None and there.poll().exit_code == 0


@pytest.mark.parametrize(
    ("end", "ends"),
    [
        ((0, ""), (0, None)),
        ((-9, ""), (-9, None)),
        ((-9, "out_of_memory"), (-9, "out_of_memory")),
        ((3, "time_limit"), (3, "time_limit")),
    ],
)
def test_ends_of_workers(job, end, ends):
    outcome = job(("10.0.0.3", end)).poll()
    assert (outcome.exit_code, outcome.cause) == ends


def until(condition):
    deadline = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.02)


WATCHER = """
import sys, time
from harness.executors.ray.node import NodeJob
NodeJob("sleep 600 & echo $$ $!; wait", sys.argv[1], {"PATH": "/usr/bin:/bin"}, False, None)
print("watches", flush=True)
time.sleep(600)
"""


def test_a_worker_and_all_that_it_started_end_with_the_process_that_watches_it(tmp_path):
    log = tmp_path / "log"
    environment = {"PYTHONPATH": ":".join(filter(None, sys.path))}
    command = [sys.executable, "-c", WATCHER, str(log)]
    watcher = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert watcher.stdout.readline() == "watches\n"
    until(lambda: log.exists() and len(log.read_text().split()) == 2)
    started = [int(pid) for pid in log.read_text().split()]
    assert all(start_time(pid) for pid in started)
    watcher.kill()
    watcher.communicate()
    until(lambda: not any(start_time(pid) for pid in started))


def test_only_a_job_on_gpus_sees_those_that_ray_gave(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    for name, on_gpu, seen in (("one", True, "2,3"), ("other", False, "")):
        log = tmp_path / name
        job = node.NodeJob(
            "echo $CUDA_VISIBLE_DEVICES", str(log), {"CUDA_VISIBLE_DEVICES": "7"}, on_gpu, None, FOR_EVER
        )
        until(lambda job=job: job._end == (0, ""))
        assert log.read_text() == f"{seen}\n"


@pytest.mark.parametrize(("for_memory", "cause"), [(True, "out_of_memory"), (False, "")])
def test_a_worker_that_the_system_killed_for_memory_has_run_out_of_it(tmp_path, monkeypatch, for_memory, cause):
    # Not of the module: where this process has asked Ray for an actor, unpickling gave the class globals of its own.
    watch = node.NodeJob._watch.__globals__["MemoryWatch"]
    monkeypatch.setattr(watch, "killed", lambda self: for_memory)
    job = node.NodeJob("kill -9 $$", str(tmp_path / "log"), {}, False, None, FOR_EVER)
    until(lambda: job._end == (-signal.SIGKILL, cause))
