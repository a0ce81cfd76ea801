"""The resolved config of a run, as pages read it: written freely, so any part may be of another type than is usual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

UNREADABLE: Final = "not readable"  # what pages say of it
OTHER: Final = object()  # what stands below a value that is no dict, though its readers look into it


def look(config: Any, key: str) -> Any:
    """The value at a dotted key of dicts; None where there is none, ``OTHER`` where what should hold it is no dict."""
    for part in key.split("."):
        if config is None:
            return None
        if not isinstance(config, Mapping):
            return OTHER
        config = config.get(part)
    return config


def section(config: Any, key: str) -> Mapping[str, Any]:
    """The dict at a dotted key; empty where there is none, or something else."""
    found = look(config, key)
    return found if isinstance(found, Mapping) else {}


def number(value: Any) -> float | None:
    """A number that pages can show; None for all else: yes and no, infinity, what is no number."""
    of_type = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if of_type and abs(value) < 1e300 else None


def in_words(value: Any) -> str:
    """A number or a word; ``UNREADABLE`` for all else."""
    if number(value) is not None:
        return f"{value:g}"
    return value if isinstance(value, str) and value else UNREADABLE
