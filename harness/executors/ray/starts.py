"""Whether nodes of a Ray cluster start processes at all: Ray tries for ever on one that cannot, without a word."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import BadUsage
from harness.executors.ray.options import COUNTED

PENDING_S = 60.0  # for which a job may wait before nodes are asked; so long Ray itself waits for a process
START_S = 120.0  # for a node to start a process that needs no CPU
AGAIN_S = 600.0  # between two rounds while jobs wait for others to end
LAST_BYTES = 1 << 14  # of a log


class StartProbes:
    """Asks nodes for a process that reserves nothing, while jobs wait.

    Args:
        wanted: options of an actor for a job; nodes that have less are not asked.
    """

    def __init__(self, wanted: Mapping[str, float]) -> None:
        self._wanted = wanted
        self._asked: dict[Any, dict[str, Any]] = {}  # answers to come -> nodes
        self._asked_at: float | None = None

    def check(self, pending_s: float) -> None:
        """To be called now and then.

        Args:
            pending_s: seconds for which a job has waited to be started.

        Raises:
            BadUsage: a node that could run such a job has not started a process in ``START_S``.
        """
        import ray

        now = time.monotonic()
        if pending_s < PENDING_S:
            self._asked, self._asked_at = {}, None
        elif self._asked_at is None or (not self._asked and now - self._asked_at > AGAIN_S):
            self._asked, self._asked_at = {_ask(node): node for node in self._fitting()}, now
        elif self._asked:
            for answered in ray.wait(list(self._asked), num_returns=len(self._asked), timeout=0)[0]:
                del self._asked[answered]
            if self._asked and now - self._asked_at > START_S:
                self._raise(pending_s)

    def _fitting(self) -> list[dict[str, Any]]:
        import ray

        return [
            node
            for node in ray.nodes()
            if node["Alive"] and all(node["Resources"].get(COUNTED[k], 0.0) >= n for k, n in self._wanted.items())
        ]

    def _raise(self, pending_s: float) -> None:
        alive = {node["NodeID"] for node in self._fitting()}
        silent = [node for node in self._asked.values() if node["NodeID"] in alive]
        self._asked = {}
        if silent:
            address, said = silent[0]["NodeManagerAddress"], _last_words(silent[0])
            words = f" (it said: {said})" if said else ""
            raise BadUsage(
                f"--backend ray: a job is PENDING for {pending_s:.0f} s, and node {address} has not started any "
                f"process within {START_S:.0f} s{words}; have its Python mended (raylet.err among Ray's logs there "
                "says more), or take it out of the cluster: `ray stop` there"
            )


def _ask(node: Mapping[str, Any]) -> Any:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    def answer() -> None:  # goes to the node as it is: the harness need not be there
        return

    there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
    return ray.remote(answer).options(num_cpus=0, max_retries=0, scheduling_strategy=there).remote()


def _last_words(node: Mapping[str, Any]) -> str:
    """The last line that processes which Ray started on this machine have left it with; "" where it is another one."""
    import ray

    if node["NodeManagerHostname"] != socket.gethostname():
        return ""
    said: list[str] = []
    logs = Path(ray._private.worker._global_node.get_logs_dir_path())
    for log in sorted(logs.glob("raylet*.err"), key=lambda path: path.stat().st_mtime):
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - LAST_BYTES))
            lines = file.read().decode("utf-8", errors="replace").splitlines()
        said += [line.strip() for line in lines if line.strip() and not line.startswith("[")]  # Ray's own
    return said[-1] if said else ""
