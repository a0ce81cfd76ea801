"""What it takes to start a job on a cluster, whatever it does then: the engine's own share, and the interpreter's."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median
from uuid import uuid4

from harness.errors import BadUsage, QueueFull

REPEATS = 3
LOOK_S, QUICK_S = 0.1, 10.0  # between two looks at a job, and for how long so often


def start_seconds(backend: str, flags: Sequence[str]) -> float | None:
    """Seconds of the engine's own shortest job, the median of some; None for an engine that is not known here.

    Args:
        flags: the backend and its options, as the command line has them.
    """
    value = {flag: flags[i + 1] for i, flag in enumerate(flags[:-1])}
    if backend == "slurm":
        return _median(lambda: _batch_job(value.get("--slurm", "")))
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


def _batch_job(asked: str) -> None:
    """Jobs are batch jobs, which wait for the scheduler's next round: ``srun`` would not."""
    from harness.executors.slurm import client
    from harness.executors.slurm.executor import is_over
    from harness.executors.slurm.options import arguments, parse

    name, began = f"bench.{uuid4().hex}", time.monotonic()
    options = ["--ntasks=1", "--output=/dev/null", *arguments(parse(asked) if asked else {})]
    try:
        client.submit(name, options, "#!/bin/sh\n")
        while not is_over(client.jobs()[name]):
            time.sleep(LOOK_S if time.monotonic() - began < QUICK_S else 1.0)
    except (client.SlurmError, QueueFull) as e:
        raise BadUsage(f"--slurm {asked}: {e}") from None


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
