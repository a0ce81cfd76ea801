"""The connection of this process to a Ray cluster. Ray is imported here, and only where it is used."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from harness.errors import BadUsage, one_line
from harness.executors.ray.head import bounded, greet, outlast_it
from harness.executors.ray.options import ANY_CLUSTER

REACH_S = 10.0  # for a head to answer at all; Ray itself tries for minutes
HEAD = "node:__internal_head__"  # what Ray counts on the head's node alone

_named = ""  # the address that this process was connected by


def connect(address: str) -> None:
    """Connect this process to a cluster, unless it already is.

    Args:
        address: HOST:PORT of the head, or ``ANY_CLUSTER``.

    Raises:
        BadUsage: no Ray here, no cluster there, or one of another version of Ray or Python; one line.
    """
    global _named
    with _own_signals():
        try:
            import ray
        except ImportError:
            raise BadUsage(
                "--backend ray: no Ray here; pip install 'mgr-dark-benchmark[ray]' in the version of the cluster, or "
                "run with --backend local"
            ) from None
        if ray.is_initialized():
            if address not in (ANY_CLUSTER, _named, cluster_address()):
                raise BadUsage(f"--ray address={address}: this process is connected to {cluster_address()} already")
            return
        outlast_it()
        try:
            named = address
            if address == ANY_CLUSTER:
                named = ray._private.services.get_ray_address_from_environment(address, None)
            if named.rpartition(":")[2].isdecimal():
                _check_reachable(named)
            with bounded(named):
                ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
            _keep_standard_output(ray._private.worker)
            _named = address
        except BadUsage:
            raise
        except (OSError, RuntimeError, ValueError, AssertionError) as e:
            raise BadUsage(f"--ray address={address}: {one_line(e)}{_advice(e)}") from None


def disconnect() -> None:
    """Let go of the cluster that this process is connected to, if it is; detached jobs go on."""
    import ray

    ray.shutdown()


def cluster_address() -> str:
    """HOST:PORT of the head of the cluster that this process is connected to, the same whatever it was named by."""
    import ray

    named = str(ray.get_runtime_context().gcs_address)
    heads = [n["NodeManagerAddress"] for n in ray.nodes() if n["Alive"] and HEAD in n["Resources"]]
    return f"{heads[0]}:{named.rpartition(':')[2]}" if heads else named


def nodes() -> list[dict[str, float]]:
    """What each node of the cluster has, as Ray counts it."""
    import ray

    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _check_reachable(address: str) -> None:
    try:
        greet(address, REACH_S)
    except (OSError, OverflowError) as e:
        raise BadUsage(
            f"--ray address={address}: no cluster answers there ({one_line(e)}); `ray status` names it on its head"
        ) from None


def _advice(e: Exception) -> str:
    if "ersion mismatch" in str(e):
        return "; install the cluster's versions here, or start the harness with a Python of the cluster's"
    if isinstance(e, ConnectionError):
        return "; start one with `ray start --head`, or run the harness on a node of the cluster"
    return ""


def _keep_standard_output(worker: ModuleType) -> None:
    """What Ray's daemons say of a node that is lost, a page long, is in their logs; no option keeps it from here."""
    worker.print_to_stdstream = lambda *_, **__: None  # type: ignore[attr-defined]


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray takes SIGTERM for itself when it is imported; it stays the harness's, which stops its jobs then."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():  # no other one can set it
            signal.signal(signal.SIGTERM, before)
