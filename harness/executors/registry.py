"""The executors that are installed, by name: entry points of the group ``harness.executors``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from harness.errors import BadUsage, not_installed, one_line
from harness.executors.base import Executor, Resources
from harness.executors.checked import ExecutorFault, ask

GROUP = "harness.executors"
BUILT_IN = (  # a checkout has no metadata
    EntryPoint("local", "harness.executors.local:LocalExecutor", GROUP),
    EntryPoint("ray", "harness.executors.ray.executor:RayExecutor", GROUP),
    EntryPoint("slurm", "harness.executors.slurm.executor:SlurmExecutor", GROUP),
)

PARTS = ("name", "options", "create", "submit", "attach", "wait", "free_memory")  # of an executor
FLAG = re.compile("--[a-z][a-z0-9]*(-[a-z0-9]+)*")


@cache
def executors() -> Mapping[str, type[Executor]]:
    """The class of every executor, by the name that ``--backend`` takes.

    Raises:
        ValueError: one is declared twice, cannot be loaded or is no executor; the message names its package's object.
    """
    found: dict[str, EntryPoint] = {}
    for point in (*BUILT_IN, *entry_points(group=GROUP)):
        if (other := found.setdefault(point.name, point)).value != point.value:
            raise ValueError(
                f"executor {point.name} is declared twice in entry-point group {GROUP}: {other.value} and "
                f"{point.value}; rename one of them, or uninstall its package"
            )
    return {name: _load(found[name]) for name in sorted(found)}


def _load(point: EntryPoint) -> type[Executor]:
    try:
        found: type[Executor] = point.load()
    except Exception as e:  # whatever a package does when it is imported
        if isinstance(e, ModuleNotFoundError) and point in BUILT_IN:
            raise ValueError(not_installed(e)) from e
        raise ValueError(
            f"executor {point.name}: {point.value} cannot be loaded ({one_line(e)}); fix or uninstall its package"
        ) from e
    if missing := [part for part in PARTS if not hasattr(found, part)]:
        raise ValueError(
            f"executor {point.name}: {point.value} is no harness.executors.base.Executor: it has no "
            f"{' and no '.join(missing)}; correct entry-point group {GROUP} of its package"
        )
    if found.name != point.name:
        raise ValueError(
            f"executor {point.name}: {point.value} is named {found.name!r}; correct entry-point group {GROUP} of its "
            "package"
        )
    return found


def executor_options() -> dict[str, Mapping[str, Any]]:
    """The options of all executors for the command line: flag -> arguments of ``click.option``.

    Raises:
        ValueError: a flag is no single long one, or two executors declare it in two ways.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for name, executor in executors().items():
        for flag, kind in executor.options.items():
            if not FLAG.fullmatch(flag):
                raise ValueError(f"executor {name}: option {flag!r}; write it as --one-name")
            if found.setdefault(flag, kind) != kind:
                raise ValueError(f"executor {name}: another one declares option {flag} in another way; rename it")
    return found


def option_name(flag: str) -> str:
    """The name under which the command line hands over the value of a flag."""
    return flag.lstrip("-").replace("-", "_")


def make_executor(backend: str, given: Mapping[str, Any], resources: Resources) -> Executor:
    """An executor with its own options.

    Args:
        given: values of the options of all executors, by ``option_name``; None for one that was not given.

    Raises:
        BadUsage: no executor of that name, an option of another one, or something that is not there.
        ExecutorFault: it cannot be made, for another reason.
    """
    known = executors()
    if backend not in known:
        raise BadUsage(f"--backend {backend}: not installed; choose from {', '.join(known)}")
    own = known[backend].options
    for flag in dict.fromkeys(flag for kind in known.values() for flag in kind.options):
        if flag not in own and given.get(option_name(flag)) is not None:
            of = " and ".join(name for name, kind in known.items() if flag in kind.options)
            raise BadUsage(
                f"{flag}: is an option of --backend {of}; --backend {backend} has {', '.join(own) or 'none'}"
            )
    values = {option_name(flag): given.get(option_name(flag)) for flag in own}
    made: Executor = ask(backend, "create", known[backend].create, values, resources)
    slots = ask(backend, "slots", getattr, made, "slots")
    if not isinstance(slots, int) or slots < 1:
        raise ExecutorFault(f"executor {backend}: slots is {slots!r}, not how many jobs it takes at a time, from 1 on")
    return made
