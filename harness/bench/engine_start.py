"""What it takes to start a job on a cluster, whatever it does then: the engine's own share, and the interpreter's."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median

from harness.errors import BadUsage

REPEATS = 3


def start_seconds(backend: str, flags: Sequence[str]) -> float | None:
    """Seconds of the engine's own shortest job, the median of some; None for an engine that is not known here.

    Args:
        flags: the backend and its options, as the command line has them.
    """
    value = {flag: flags[i + 1] for i, flag in enumerate(flags[:-1])}
    if backend == "slurm":
        return _median(lambda: _srun(value.get("--slurm", "")))
    if backend == "ray":
        return _median(lambda: _ask_an_actor(value.get("--ray", "")))
    return None


def imports_cpu_seconds() -> float:
    """Processor seconds of an interpreter that imports what a worker does; jobs of this machine share one."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", "from harness.worker.__main__ import load; load()"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _median(act: Callable[[], None]) -> float:
    took = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        act()
        took.append(time.perf_counter() - began)
    return median(took)


def _srun(asked: str) -> None:
    from harness.executors.slurm.options import arguments, parse

    command = ["srun", "--quiet", "--ntasks=1", *arguments(parse(asked) if asked else {}), "true"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise BadUsage(f"--slurm {asked}: {' '.join(done.stderr.split()) or 'srun failed'}")


def _ask_an_actor(asked: str) -> None:
    import ray

    from harness.executors.ray.cluster import connect, nodes
    from harness.executors.ray.options import for_nodes, parse

    given = parse(asked)
    connect(given.address)

    class Nothing:
        def answer(self) -> int:
            return 1

    actor = ray.remote(Nothing).options(**for_nodes(given, 1, nodes()).of_a_job(1)).remote()
    ray.get(actor.answer.remote())
    ray.kill(actor)
