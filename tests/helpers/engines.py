"""The engines of executors, as those who use them by hand do; for tests of what all executors must do.

Of each: ``light``, what makes its jobs train nothing; ``quick``, what lets its executor ask often besides; ``limited``,
options that give a job little memory.
"""

from __future__ import annotations

from collections.abc import Mapping

import psutil

from tests.helpers import memory_group, quick_worker

WORKER = ("harness.executors.node_script.WORKER", "tests.helpers.quick_worker")
GROUP = "tests-{}"  # by the id of the process in it


class LocalEngine:
    """Processes of this machine. ``cluster``: there is none."""

    name = "local"
    limited: Mapping[str, str] = {}
    light = (("harness.executors.local._child", quick_worker.child),)
    quick = (*light, ("harness.executors.local.PRELOAD", "tests.helpers.quick_worker"))

    def __init__(self, cluster=None) -> None:
        self._limited: list[int] = []

    def executor(self, slots=2, detach=False):
        from harness.executors.local import LocalExecutor

        return LocalExecutor(slots)

    def jobs(self) -> list[str]:
        """Those of a harness end with it."""
        return []

    def cancel_all(self) -> None:
        """Those of a harness end with it."""

    def limit_memory(self, pid: int, size: int) -> None:
        """Of a job's process, which may use so many bytes more."""
        memory_group.limit(GROUP.format(pid), pid, size)
        self._limited.append(pid)

    def restore(self) -> None:
        while self._limited:
            memory_group.remove(GROUP.format(self._limited.pop()))


class SlurmEngine:
    """A Slurm that ``SLURM_CONF`` leads to; ``cluster`` where this process has started it."""

    name = "slurm"
    limited = {"slurm": "mem=150"}
    light = (WORKER,)
    quick = (
        WORKER,
        ("harness.executors.slurm.executor.POLL_S", 0.5),
        ("harness.executors.slurm.executor.QUICK_POLL_S", 0.2),
    )

    def __init__(self, cluster=None) -> None:
        self._cluster = cluster
        self._lost: list[str] = []

    def executor(self, slots=16, detach=False):
        from harness.executors.slurm.executor import SlurmExecutor

        return SlurmExecutor({"partition": "main"}, slots, detach)

    def jobs(self) -> list[str]:
        """Ids of those that wait or run."""
        from harness.executors.slurm import client, executor

        return [name for name, seen in client.jobs().items() if not executor.is_over(seen)]

    def cancel_all(self) -> None:
        self._cluster.ask("scancel", "--me")

    def limit_memory(self, pid: int, size: int) -> None:
        """Slurm has done so."""

    def node_of(self, process: psutil.Process) -> str:
        return process.environ()["SLURMD_NODENAME"]

    def lose_node_of(self, pid: int) -> None:
        """The node that runs a process."""
        node = self.node_of(psutil.Process(pid))
        self._cluster.kill_node(node)
        self._cluster.ask("scontrol", "update", f"nodename={node}", "state=down", "reason=lost")
        self._lost.append(node)

    def replace_node(self) -> None:
        """There are two."""

    def give_back(self) -> None:
        """The nodes that were lost."""
        while self._lost:
            node = self._lost.pop()
            self._cluster.start_node(node)
            self._cluster.ask("scontrol", "update", f"nodename={node}", "state=resume")

    def restore(self) -> None:
        self.give_back()
        self._cluster.until_up()

    def end(self) -> None:
        self.cancel_all()
        self._cluster.stop()


class RayEngine(LocalEngine):
    """A Ray that ``RAY_ADDRESS`` leads to; ``cluster`` where this process has started it."""

    name = "ray"
    light = (WORKER,)
    quick = (WORKER, ("harness.executors.ray.executor.POLL_S", 0.2))

    def __init__(self, cluster=None) -> None:
        super().__init__()
        self._cluster = cluster

    def executor(self, slots=16, detach=False):
        from harness.executors.base import Resources
        from harness.executors.ray.executor import RayExecutor

        return RayExecutor.create({"ray": None, "ray_jobs": slots, "detach": detach}, Resources())

    def jobs(self) -> list[str]:
        """Ids of those that wait or run."""
        return [f"{name}@{self._address()}" for name in self._names()]

    def cancel_all(self) -> None:
        import ray

        from harness.executors.ray.executor import NAMESPACE

        for name in self._names():
            ray.kill(ray.get_actor(name, namespace=NAMESPACE))

    def node_of(self, process: psutil.Process) -> str:
        return "the only one that runs jobs"

    def lose_node_of(self, pid: int) -> None:
        self._cluster.lose_node()

    def replace_node(self) -> None:
        self._cluster.add_node()

    def give_back(self) -> None:
        self._cluster.add_node()

    def end(self) -> None:
        import ray

        self.cancel_all()
        ray.shutdown()
        self._cluster.stop()

    def _names(self) -> list[str]:
        import ray

        from harness.executors.ray.cluster import connect
        from harness.executors.ray.executor import NAMESPACE

        connect("auto")
        found = ray.util.list_named_actors(all_namespaces=True)
        return [actor["name"] for actor in found if actor["namespace"] == NAMESPACE]

    def _address(self) -> str:
        from harness.executors.ray.cluster import cluster_address

        return cluster_address()


ENGINES = {kind.name: kind for kind in (LocalEngine, SlurmEngine, RayEngine)}
