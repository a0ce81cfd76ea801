"""Jobs on this machine: one process per job from a preloaded fork server, on device slots."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil

from harness.errors import BadUsage
from harness.executors import Outcome
from harness.system.environment import usable_cores
from harness.system.parent_exit import on_parent_exit

GRACE_SECONDS = 20.0
ORPHAN_KILL_TIMEOUT_S = 60.0  # from the death of the harness to that of a job that does not stop


@dataclass
class _Running:
    process: BaseProcess
    directory: Path
    slot: int
    deadline: float | None
    timed_out: bool = False


class LocalExecutor:
    """Slots on this machine.

    Args:
        jobs: jobs side by side on the CPU, or per GPU (per group of GPUs where a job takes several).
        gpus: ids of the GPUs to use; empty for the CPU.
        cores: CPU cores to divide between the jobs.
        time_limit: seconds after which a job is stopped, None for no limit.
        gpus_per_job: GPUs of one slot.

    Raises:
        ValueError: less than one job or GPU, or more GPUs to a job than there are.
    """

    def __init__(
        self,
        jobs: int,
        gpus: tuple[str, ...] = (),
        cores: int = 1,
        time_limit: float | None = None,
        gpus_per_job: int = 1,
    ) -> None:
        if jobs < 1:
            raise BadUsage(f"--jobs {jobs}: at least 1 is needed")
        if gpus_per_job < 1 or (gpus and gpus_per_job > len(gpus)):
            raise BadUsage(f"--gpus-per-job {gpus_per_job}: choose from 1 to {len(gpus) or 'the number of cores'}")
        groups = [",".join(gpus[i : i + gpus_per_job]) for i in range(0, len(gpus) - gpus_per_job + 1, gpus_per_job)]
        self._devices: list[str | None] = [g for g in groups for _ in range(jobs)] or [None] * jobs
        self.slots = len(self._devices)
        self.threads = max(1, cores // self.slots)
        self._time_limit = time_limit
        self._running: dict[int, _Running] = {}
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(name, str(self.threads))
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["harness.executors.fork_server"])

    def free(self) -> int:
        return self.slots - len(self._running)

    def free_memory(self) -> int | None:
        free = self._free_slots()
        device = self._devices[free[0]]
        sharing = sum(self._devices[i] == device for i in free)
        total = psutil.virtual_memory().available if device is None else free_gpu_memory(device)
        return None if total is None else total // sharing

    def _free_slots(self) -> list[int]:
        taken = {r.slot for r in self._running.values()}
        return [i for i in range(self.slots) if i not in taken]

    def submit(self, directory: Path) -> int:
        slot = self._free_slots()[0]
        process = self._context.Process(
            target=_child, args=(str(directory), self.threads, self._devices[slot]), name=directory.name
        )
        process.start()
        deadline = None if self._time_limit is None else time.monotonic() + self._time_limit
        self._running[process.pid] = _Running(process, directory, slot, deadline)
        return process.pid

    def wait(self, timeout: float) -> list[Outcome]:
        wait_for([r.process.sentinel for r in self._running.values()], timeout)
        for r in self._running.values():
            if r.deadline is not None and time.monotonic() > r.deadline:
                r.timed_out = True
                r.deadline = None
                end_process_group(r.process.pid, GRACE_SECONDS, r.process)
        ended = [pid for pid, r in self._running.items() if not r.process.is_alive()]
        outcomes = []
        for pid in ended:
            r = self._running.pop(pid)
            r.process.join()
            _signal_group(pid, signal.SIGKILL)  # what the job left behind (data-loading processes)
            outcomes.append(Outcome(r.directory, r.process.exitcode, r.timed_out))
        return outcomes

    def stop(self, grace: float = GRACE_SECONDS) -> None:
        for pid in self._running:
            _signal_group(pid, signal.SIGTERM)
        end = time.monotonic() + grace
        for pid, r in self._running.items():
            r.process.join(max(0.0, end - time.monotonic()))
            if r.process.is_alive():
                _signal_group(pid, signal.SIGKILL)
                r.process.join()
        self._running.clear()


def end_process_group(pid: int, grace: float, process: BaseProcess) -> None:
    """TERM, then KILL after ``grace`` seconds."""
    _signal_group(pid, signal.SIGTERM)
    process.join(grace)
    if process.is_alive():
        _signal_group(pid, signal.SIGKILL)
        process.join()


def _signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        try:  # not yet the leader of its own group, or gone
            os.kill(pid, number)
        except ProcessLookupError:
            return


def _child(directory: str, threads: int, devices: str | None) -> None:
    """The job's process: leads a group of its own, which ends with the harness."""
    from harness.worker.attempt import main

    os.setsid()
    on_parent_exit(_end_orphan)
    sys.exit(main(Path(directory), threads, devices))


def _end_orphan() -> None:
    """Stop this job as if the harness had asked it to, and kill it where that does not help."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ORPHAN_KILL_TIMEOUT_S)
    os.killpg(os.getpgid(0), signal.SIGKILL)


def free_gpu_memory(gpu: str) -> int | None:
    """Free bytes of an NVIDIA GPU as its driver's tool says, None where the tool is missing or does not know it."""
    ask = ["nvidia-smi", f"--id={gpu}", "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(ask, capture_output=True, text=True, timeout=30).stdout.split()
    except (OSError, subprocess.TimeoutExpired):
        return None
    return min(int(mib) for mib in said) << 20 if said and all(s.isdigit() for s in said) else None


def default_jobs(processes: int = 1) -> int:
    """Jobs side by side on the CPU: a process per core, as far as memory goes (1.2 GiB a process).

    Args:
        processes: of each job.
    """
    most = min(usable_cores(), int(psutil.virtual_memory().available / (1.2 * 2**30)))
    return max(1, most // max(1, processes))


def detect_gpus() -> tuple[str, ...]:
    """Ids of the visible NVIDIA GPUs, without importing torch: CUDA_VISIBLE_DEVICES, else what the driver lists."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return tuple(v for v in visible.split(",") if v.strip() not in ("", "-1"))
    root = Path("/proc/driver/nvidia/gpus")
    return tuple(str(i) for i in range(len(list(root.iterdir())))) if root.is_dir() else ()
