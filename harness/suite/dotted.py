"""Values of nested configs by dotted keys, in which a number is a position of a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

ABSENT: Final = object()  # what a key has that is not there
DATA: Final = (
    "data."  # begins an override ``data.SET.ARGUMENT``, for a data set wherever a config or its stages read it
)


def get_dotted(config: Any, key: str) -> Any:
    """The value at a dotted key, ``ABSENT`` where there is none."""
    for part in key.split("."):
        if isinstance(config, Mapping) and part in config:
            config = config[part]
        elif isinstance(config, (list, tuple)) and part.isdigit() and int(part) < len(config):
            config = config[int(part)]
        else:
            return ABSENT
    return config


def set_dotted(config: Any, key: str, value: Any) -> Any:
    """A copy of nested dicts and lists with one dotted key set; only the path to it is copied.

    Missing dicts are made.
    """
    head, _, rest = key.partition(".")
    if isinstance(config, (list, tuple)):
        items = list(config)
        items[int(head)] = set_dotted(items[int(head)], rest, value) if rest else value
        return items
    copy = dict(config)
    copy[head] = set_dotted(copy.get(head) or {}, rest, value) if rest else value
    return copy


def without(config: Any, keys: Iterable[str]) -> Any:
    """A copy of a config in which the given dotted keys are None,
    as the places of the parents' outputs are for the key.
    """
    for key in keys:
        config = set_dotted(config, key, None)
    return config
