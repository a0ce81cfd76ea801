"""``scipy.stats`` at its first use: MMAction2's pose transforms take one function of it, for a fifth of all imports."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

NAME = "scipy.stats"


class _Later(ModuleType):
    """Stands for the module; whatever else is asked of it, it is imported for."""

    @staticmethod
    def mode(*args: Any, **kwargs: Any) -> Any:
        return _real().mode(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # of the import system
            raise AttributeError(name)
        return getattr(_real(), name)


def _real() -> ModuleType:
    if isinstance(sys.modules.get(NAME), _Later):
        del sys.modules[NAME]
    return import_module(NAME)


@contextmanager
def scipy_stats_later() -> Iterator[None]:
    """What is imported meanwhile does not import ``scipy.stats`` for its ``mode`` alone."""
    later = _Later(NAME)
    sys.modules.setdefault(NAME, later)
    try:
        yield
    finally:
        if sys.modules.get(NAME) is later:
            del sys.modules[NAME]
