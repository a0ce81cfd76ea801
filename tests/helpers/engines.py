"""The engines of clusters, as those who use them by hand do; for tests of what all their executors must do.

``quick`` of each: what lets its executor ask often, and start jobs that train nothing.
"""

from __future__ import annotations

import psutil

WORKER = ("harness.executors.node_script.WORKER", "tests.helpers.quick_worker")


class SlurmEngine:
    """A Slurm that ``SLURM_CONF`` leads to; ``cluster`` where this process has started it."""

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

    def lose_node_of(self, pid: int) -> None:
        """The node that runs a process."""
        node = psutil.Process(pid).environ()["SLURMD_NODENAME"]
        self._cluster.kill_node(node)
        self._cluster.ask("scontrol", "update", f"nodename={node}", "state=down", "reason=lost")
        self._lost.append(node)

    def replace_node(self) -> None:
        """There are two."""

    def restore(self) -> None:
        while self._lost:
            node = self._lost.pop()
            self._cluster.start_node(node)
            self._cluster.ask("scontrol", "update", f"nodename={node}", "state=resume")
        self._cluster.until_up()


class RayEngine:
    """A Ray that ``RAY_ADDRESS`` leads to; ``cluster`` where this process has started it."""

    quick = (WORKER, ("harness.executors.ray.executor.POLL_S", 0.2))

    def __init__(self, cluster=None) -> None:
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

    def lose_node_of(self, pid: int) -> None:
        self._cluster.lose_node()

    def replace_node(self) -> None:
        self._cluster.add_node()

    def restore(self) -> None:
        """There is another node already."""

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


ENGINES = {"slurm": SlurmEngine, "ray": RayEngine}
