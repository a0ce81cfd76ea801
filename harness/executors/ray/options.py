"""``--ray KEY=VALUE,...``: which cluster, and what each job gets of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.errors import BadUsage, unknown_name

EXAMPLE = "address=10.0.0.1:6379,num_cpus=8,num_gpus=1"
ANY_CLUSTER = "auto"  # that of RAY_ADDRESS, or the one that this machine is a node of
COUNTED = {"num_cpus": "CPU", "num_gpus": "GPU", "memory": "memory"}  # what Ray calls them
UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


@dataclass(frozen=True)
class Asked:
    """What is asked of a cluster; None where it follows from the cluster and the job.

    Args:
        address: HOST:PORT of the head, or ``ANY_CLUSTER``.
        num_gpus: of a job; below 1 where several jobs share one. memory: bytes that a job reserves.
    """

    address: str = ANY_CLUSTER
    num_cpus: int | None = None
    num_gpus: float | None = None
    memory: int | None = None

    def of_a_job(self, gpus: int) -> dict[str, float]:
        """Options of an actor for a job that so many GPUs, or processes on the CPU, train together."""
        found: dict[str, float] = {"num_cpus": self.num_cpus or gpus, "num_gpus": min(self.num_gpus or 0, gpus)}
        return found if self.memory is None else found | {"memory": self.memory}


def parse(text: str) -> Asked:
    """Read the value of ``--ray``, "" for none of them. Raises BadUsage for a key or value that makes no sense."""
    found: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        key, _, value = part.partition("=")
        if key not in READERS:
            raise BadUsage(f"--ray {part}: {unknown_name('key', key, READERS)}, e.g. {EXAMPLE}")
        if key in found:
            raise BadUsage(f"--ray {part}: {key} is given twice")
        read, form = READERS[key]
        found[key] = read(value)
        if found[key] is None:
            raise BadUsage(f"--ray {part}: {key} is {form}")
    return Asked(**found)


def check_gpus(asked: Asked, gpus_per_job: int) -> None:
    """Raise BadUsage where a job would get another number of GPUs than processes that train it."""
    given = asked.num_gpus
    if given and given != gpus_per_job and not (given < 1 and gpus_per_job == 1):
        other = f", or add --gpus-per-job {given:g}" if given >= 1 else ""
        raise BadUsage(f"--ray num_gpus={given:g}: jobs run on {gpus_per_job}; ask for num_gpus={gpus_per_job}{other}")


def for_nodes(asked: Asked, gpus_per_job: int, nodes: Iterable[Mapping[str, float]]) -> Asked:
    """With the GPUs of a job filled in, where the cluster has some. Raises BadUsage where no node could ever run one.

    Args:
        nodes: what each has, as Ray counts it.
    """
    has = [{key: node.get(name, 0.0) for key, name in COUNTED.items()} for node in nodes]
    if asked.num_gpus is None:
        asked = replace(asked, num_gpus=gpus_per_job if any(node["num_gpus"] for node in has) else 0)
    wanted = asked.of_a_job(gpus_per_job)
    if not any(all(node[key] >= amount for key, amount in wanted.items()) for node in has):
        said = ",".join(f"{key}={amount:g}" for key, amount in wanted.items() if amount)
        there = sorted({",".join(f"{key}={node[key]:g}" for key in wanted) for node in has})
        raise BadUsage(f"--ray {said}: no node of the cluster has that; nodes have {'; '.join(there) or 'nothing'}")
    return asked


def _address(value: str) -> str | None:
    return value if value == ANY_CLUSTER or re.fullmatch(r"([^\s:/\[\]]+|\[[\w.:%]+\]):\d{1,5}", value) else None


def _whole(value: str) -> int | None:
    return int(value) if re.fullmatch(r"[1-9]\d{0,5}", value) else None


def _gpus(value: str) -> float | None:
    if not re.fullmatch(r"\d{1,4}(\.\d+)?", value):
        return None
    number = float(value)
    return number if number < 1 or number == int(number) else None


def _bytes(value: str) -> int | None:
    match = re.fullmatch(r"(\d{1,15})([KMGT]?)B?", value.upper())
    return int(match[1]) * UNITS[match[2]] or None if match else None


READERS: Mapping[str, tuple[Callable[[str], Any], str]] = {  # and what values look like
    "address": (
        _address,
        f"HOST:PORT of the head, [HOST]:PORT for IPv6, or {ANY_CLUSTER}; the harness runs on a node of that cluster",
    ),
    "num_cpus": (_whole, "a whole number, at least 1"),
    "num_gpus": (_gpus, "a whole number, or a part of one GPU, e.g. 0.5"),
    "memory": (_bytes, "a size, e.g. 48G"),
}
