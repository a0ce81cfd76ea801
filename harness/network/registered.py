"""Whether the classes that a config names are registered, and what to say where one is not."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harness.errors import near

NOT_REGISTERED = re.compile(r"([\w.]+) is not in the \S+ registry")  # MMEngine's words, in all that it wraps them in


class NotRegistered(ValueError):
    """A class that no registry has."""


def check_registered(config: Mapping[str, Any]) -> None:
    """Raise NotRegistered for the first ``type`` outside of ``model`` that no registry has.

    A network's own arguments may have types that are no registry's business; what it lacks, ``not_registered`` says
    when it is built. What ``custom_imports`` names must have been imported.
    """
    known = registered()
    for key, name in _types({k: v for k, v in config.items() if k != "model"}):
        if name not in known and "." not in name:  # MMEngine imports a dotted one itself
            raise NotRegistered(_line(key, name, known))


IMPORTABLE = "install the package with this Python, or put its folder on PYTHONPATH"


def not_registered(e: BaseException, config: Mapping[str, Any]) -> str:
    """One line about MMEngine's error for a class that no registry has: the key, and names like it.

    "" for another error.
    """
    found = NOT_REGISTERED.search(str(e))
    if found is None:
        return ""
    name = found.group(1)
    return _line(next((key for key, given in _types(config) if given == name), "type"), name, registered())


def _line(key: str, name: str, known: Iterable[str]) -> str:
    return (
        f"{key}: no class '{name}' is registered{near(name, known)}; correct it, or name the module that registers it "
        "in custom_imports"
    )


def registered() -> set[str]:
    """The names in all registries of MMAction2, and of MMEngine's that they extend."""
    import mtcd_plugin.register  # noqa: F401  isort: skip  (its shims come before MMAction2)
    from mmaction import registry as registries
    from mmengine.registry import Registry

    ours = [r for r in vars(registries).values() if isinstance(r, Registry)]
    found: set[str] = set()
    for registry in dict.fromkeys((*ours, *(r.parent for r in ours if r.parent is not None))):
        with contextlib.suppress(ImportError):  # MMAction2 names modules that it does not have
            registry.import_from_location()
        found |= set(registry.module_dict)
    return found


def _types(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Dotted keys of all types that are given by name."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            here = f"{path}.{key}" if path else str(key)
            if key == "type" and isinstance(value, str):
                yield here, value
            else:
                yield from _types(value, here)
    elif isinstance(node, (list, tuple)):
        for i, value in enumerate(node):
            yield from _types(value, f"{path}.{i}")
