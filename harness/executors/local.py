"""Jobs on this machine: one process per job from a preloaded fork server, on device slots."""

from __future__ import annotations

import functools
import json
import logging
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Mapping
from multiprocessing.connection import wait as wait_for
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, ClassVar

import click
import psutil

from harness.errors import BadUsage
from harness.executors.base import GRACE_SECONDS, Outcome, Resources
from harness.ledger.logs import log_to
from harness.ledger.run_dir import LOG
from harness.system.environment import usable_cores
from harness.system.gpus import detect_gpus, free_gpu_memory
from harness.system.memory_kills import MemoryWatch
from harness.system.parent_exit import on_parent_exit
from harness.system.process import keep_freed_memory, start_time, this_machine

log = logging.getLogger(__name__)

ORPHAN_KILL_TIMEOUT_S = 60.0  # from the death of the harness to that of a job that does not stop
JOB_BYTES = 1.2 * 2**30  # of memory, as a rule of thumb for the number of jobs
EXIT_UNSEEN = 255  # what multiprocessing says of a job whose fork server is gone
PRELOAD = "harness.executors.fork_server"  # module of what is done once for all jobs
TIMED_OUT = "stopped at the time limit"
OUT_OF_MEMORY = (
    "killed by the system, which had run out of memory; fewer jobs at a time need less: run with a lower --jobs"
)
PROCESSES = click.IntRange(1, 1024)


@functools.cache
def _say_once(line: str) -> None:
    """A command makes its executor twice where it makes data first."""
    log.info("%s", line)


class LocalJob:
    """A job's process, the leader of a process group; see ``JobHandle``.

    Args:
        process: None for one that another harness has started: how that ends is not seen.
        slot: of the executor that it takes.
    """

    def __init__(self, pid: int, process: BaseProcess | None = None, slot: int | None = None) -> None:
        self.pid = pid
        self.process = process
        self.slot = slot
        self.started = start_time(pid)
        self.deadline: float | None = None  # on the monotonic clock: when it is asked to stop
        self.kill_at: float | None = None  # and when it is killed
        self.timed_out = False
        self.memory = None if process is None else MemoryWatch(pid)
        self.outcome: Outcome | None = None

    @property
    def id(self) -> str:
        return json.dumps([*this_machine(), self.pid, self.started])

    def is_alive(self) -> bool:
        if self.process is not None:
            return self.process.is_alive()
        return self.started != 0.0 and start_time(self.pid) == self.started

    def poll(self) -> Outcome | None:
        if self.outcome is None and not self.is_alive():
            self.outcome = self._end()
        return self.outcome

    def cancel(self, grace: float = GRACE_SECONDS) -> None:
        self.kill_at = time.monotonic() + grace
        if self.is_alive():
            signal_group(self.pid, signal.SIGTERM)

    def keep_watch(self) -> None:
        """Ask to stop, or kill, what has had its time, and note what may end it."""
        now = time.monotonic()
        if self.memory is not None:
            self.memory.look()
        if self.deadline is not None and now > self.deadline:
            self.deadline, self.timed_out = None, True
            self.cancel()
        if self.kill_at is not None and now > self.kill_at and self.is_alive():
            signal_group(self.pid, signal.SIGKILL)

    def _end(self) -> Outcome:
        if self.process is None or self.memory is None:
            return Outcome(None)
        self.process.join()
        for_memory = self.memory.killed()
        signal_group(self.pid, signal.SIGKILL)  # what the job left behind (data-loading processes)
        code = None if self.process.exitcode == EXIT_UNSEEN else self.process.exitcode
        if self.timed_out:
            return Outcome(code, "time_limit", TIMED_OUT)
        if code in (None, -signal.SIGKILL) and for_memory:
            return Outcome(code, "out_of_memory", OUT_OF_MEMORY)
        return Outcome(code)


class LocalExecutor:
    """Slots on this machine, see ``Executor``.

    Args:
        jobs: jobs side by side on the CPU, or per GPU (per group of GPUs where a job takes several).
        gpus: ids of the GPUs to use; empty for the CPU.
        cores: CPU cores to divide between the jobs.
        gpus_per_job: GPUs of one slot.

    Raises:
        BadUsage: less than one job or GPU, or more GPUs to a job than there are.
    """

    name: ClassVar[str] = "local"
    options: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "--jobs": {"type": PROCESSES, "help": "Jobs side by side on the CPU.  [default: one per core]"},
        "--jobs-per-gpu": {"type": PROCESSES, "help": "Jobs side by side on each GPU.  [default: 1]"},
    }

    def __init__(self, jobs: int, gpus: tuple[str, ...] = (), cores: int = 1, gpus_per_job: int = 1) -> None:
        if jobs < 1:
            raise BadUsage(f"--jobs {jobs}: at least 1 is needed")
        if gpus_per_job < 1 or (gpus and gpus_per_job > len(gpus)):
            raise BadUsage(f"--gpus-per-job {gpus_per_job}: choose from 1 to {len(gpus) or 'the number of cores'}")
        groups = [",".join(gpus[i : i + gpus_per_job]) for i in range(0, len(gpus) - gpus_per_job + 1, gpus_per_job)]
        self._devices: list[str | None] = [g for g in groups for _ in range(jobs)] or [None] * jobs
        self.threads = max(1, cores // self.slots)
        self._jobs: list[LocalJob] = []  # those that run
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(name, str(self.threads))
        # threads that wait for each other sleep: spinning ones take the cores of other jobs
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        os.environ.setdefault("KMP_BLOCKTIME", "0")
        keep_freed_memory()
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([PRELOAD])

    @classmethod
    def create(cls, options: Mapping[str, Any], resources: Resources) -> LocalExecutor:
        gpus = detect_gpus()
        if options["jobs_per_gpu"] and not gpus:
            raise BadUsage("--jobs-per-gpu: there is no GPU; --jobs says how many run side by side on the CPU")
        if options["jobs"] and gpus:
            _say_once("note: --jobs has no effect where there is a GPU; --jobs-per-gpu says how many run on each")
        jobs = (options["jobs_per_gpu"] or 1) if gpus else options["jobs"] or default_jobs(resources.gpus)
        return cls(jobs, gpus, usable_cores(), resources.gpus)

    @property
    def slots(self) -> int:
        return len(self._devices)

    def submit(self, run_dir: Path, resources: Resources) -> LocalJob:
        """A job has its slot's GPUs and threads, whatever it asks for; on the CPU those of further slots as well.

        These are not taken: where another job becomes ready, it starts there, and they share the cores.
        """
        slot = self._free_slots()[0]
        devices = self._devices[slot]
        threads = self.threads * (resources.slots if devices is None else 1)
        process = self._context.Process(target=_child, args=(str(run_dir), threads, devices), name=run_dir.name)
        process.start()
        job = LocalJob(process.pid or 0, process, slot)
        job.deadline = None if resources.time_limit is None else time.monotonic() + resources.time_limit
        self._jobs.append(job)
        return job

    def attach(self, job_id: str) -> LocalJob | None:
        try:
            *machine, pid, started = json.loads(job_id)
        except (ValueError, TypeError, RecursionError):
            return None
        if not isinstance(pid, int):
            return None
        if own := next((j for j in self._running() if j.id == job_id), None):
            return own
        job = LocalJob(pid)
        if tuple(machine) != this_machine() or job.started != started or not job.is_alive():
            return None
        self._jobs.append(job)
        return job

    def wait(self, timeout: float) -> None:
        running = self._running()
        for job in running:
            job.keep_watch()
        wait_for([j.process.sentinel for j in running if j.process is not None], timeout)

    def free_memory(self) -> int | None:
        free = self._free_slots()
        device = self._devices[free[0]]
        sharing = sum(self._devices[i] == device for i in free)
        total = psutil.virtual_memory().available if device is None else free_gpu_memory(device)
        return None if total is None else total // sharing

    def _running(self) -> list[LocalJob]:
        self._jobs = [j for j in self._jobs if j.poll() is None]
        return self._jobs

    def _free_slots(self) -> list[int]:
        taken = {j.slot for j in self._running()}
        return [i for i in range(self.slots) if i not in taken]


def default_jobs(processes: int = 1) -> int:
    """Jobs side by side on the CPU: a process per core, as far as memory goes.

    Args:
        processes: of each job.
    """
    most = min(usable_cores(), int(psutil.virtual_memory().available / JOB_BYTES))
    return max(1, most // max(1, processes))


def signal_group(pid: int, number: int) -> None:
    """Send a signal to a process and all that it has started."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        try:  # not yet the leader of its own group, or gone
            os.kill(pid, number)
        except ProcessLookupError:
            return


def _child(run_dir: str, threads: int, devices: str | None) -> None:
    """The job's process: leads a group of its own, which ends with the harness."""
    log_to(Path(run_dir) / LOG)  # what is said of an environment that lacks something, too
    from harness.worker.attempt import main

    os.setsid()
    on_parent_exit(_end_orphan)
    sys.exit(main(Path(run_dir), threads, devices))


def _end_orphan() -> None:
    """Stop this job as if the harness had asked it to, and kill it where that does not help."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ORPHAN_KILL_TIMEOUT_S)
    os.killpg(os.getpgid(0), signal.SIGKILL)
