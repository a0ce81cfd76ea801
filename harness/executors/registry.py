"""The executors that are installed, by name: entry points of the group ``harness.executors``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from harness.errors import BadUsage
from harness.executors.base import Executor, Resources

GROUP = "harness.executors"
BUILT_IN = (EntryPoint("local", "harness.executors.local:LocalExecutor", GROUP),)  # a checkout has no metadata


@cache
def executors() -> Mapping[str, type[Executor]]:
    """The class of every executor, by the name that ``--backend`` takes."""
    found = {point.name: point for point in (*BUILT_IN, *entry_points(group=GROUP))}
    return {name: found[name].load() for name in sorted(found)}


def executor_options() -> dict[str, Mapping[str, Any]]:
    """The options of all executors for the command line: flag -> arguments of ``click.option``."""
    return {flag: kind for executor in executors().values() for flag, kind in executor.options.items()}


def option_name(flag: str) -> str:
    """The name under which the command line hands over the value of a flag."""
    return flag.lstrip("-").replace("-", "_")


def make_executor(backend: str, given: Mapping[str, Any], resources: Resources) -> Executor:
    """An executor with its own options.

    Args:
        given: values of the options of all executors, by ``option_name``; None for one that was not given.

    Raises:
        BadUsage: no executor of that name, an option of another one, or something that is not there.
    """
    known = executors()
    if backend not in known:
        raise BadUsage(f"--backend {backend}: not installed; choose from {', '.join(known)}")
    own = known[backend].options
    for name, kind in known.items():
        for flag in kind.options:
            if flag not in own and given.get(option_name(flag)) is not None:
                raise BadUsage(
                    f"{flag}: is an option of --backend {name}; --backend {backend} has {', '.join(own) or 'none'}"
                )
    return known[backend].create({option_name(flag): given.get(option_name(flag)) for flag in own}, resources)
