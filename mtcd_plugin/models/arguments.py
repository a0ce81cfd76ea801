"""Which argument of a config its class does not have, where a network cannot be built."""

from __future__ import annotations

import inspect
from difflib import get_close_matches
from typing import Any


def unknown_arguments(kind: Any, given: dict[str, Any]) -> str:
    """What a class is given in a config and no ``__init__`` of it or its bases names, with what is near;
    "" for nothing.

    A class that hands ``**kwargs`` on may take such an argument all the same: ask where it did not.
    """
    if not inspect.isclass(kind):
        return ""
    takes = accepted_arguments(kind)
    unknown = [name for name in given if name not in takes and name not in ("type", "_scope_")]
    named = []
    for name in unknown:
        near = get_close_matches(name, takes, n=3)
        named.append(f"'{name}'" + (f" (near: {', '.join(near)})" if near else ""))
    return f"{kind.__name__} has no argument {', '.join(named)}" if named else ""


def accepted_arguments(kind: type) -> list[str]:
    """The arguments that the ``__init__`` of a class and its bases name."""
    found: dict[str, None] = {}
    for base in kind.__mro__:
        if inspect.isfunction(init := vars(base).get("__init__")):
            for name, parameter in inspect.signature(init).parameters.items():
                if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) and name != "self":
                    found[name] = None
    return list(found)
