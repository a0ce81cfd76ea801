"""A Ray on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

QUICK = {  # a node that is silent is lost within seconds
    "RAY_health_check_initial_delay_ms": "0",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "500",
    "RAY_health_check_failure_threshold": "3",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",  # by default jobs give way to all else that the machine does
}
BROKEN = """
import os, sys
if any(word.endswith("default_worker.py") for word in sys.orig_argv):
    print("libgone.so: cannot open shared object file", file=sys.stderr, flush=True)
    os._exit(1)
"""
STORE_BYTES = 80 << 20  # of each node, for objects, of which there are none


def why_not() -> str:
    """Why such a cluster cannot be started here, "" where it can."""
    return "" if find_spec("ray") else "no Ray here: pip install -c constraints.txt 'ray'"


class RayCluster:
    """Two raylets: a head that runs no jobs, and a node with two cores. ``environment`` leads processes to it."""

    def __init__(self) -> None:
        os.environ.update(QUICK)
        from ray.cluster_utils import Cluster

        spared = {"include_dashboard": False, "no_monitor": True, "include_log_monitor": False}
        self._cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": STORE_BYTES, **spared}
        )
        self.add_node()
        self.environment = {**QUICK, "RAY_ADDRESS": self._cluster.address}

    def lose_node(self) -> None:
        """As a node is lost: its raylet is gone without a word, and with it what it runs."""
        self._cluster.remove_node(self._node, allow_graceful=False)

    def add_node(self) -> None:
        """In the main thread: Ray listens to signals there."""
        self._node = self._cluster.add_node(num_cpus=2, object_store_memory=STORE_BYTES)

    @contextmanager
    def broken_node(self, num_cpus: int, folder: Path) -> Iterator[None]:
        """One more node, whose Python cannot start what Ray asks of it. ``folder``: an empty one."""
        (folder / "sitecustomize.py").write_text(BROKEN, encoding="utf-8")
        node = self._cluster.add_node(
            num_cpus=num_cpus, object_store_memory=STORE_BYTES, env_vars={"PYTHONPATH": str(folder)}
        )
        try:
            yield
        finally:
            self._cluster.remove_node(node)

    def stop(self) -> None:
        self._cluster.shutdown()
