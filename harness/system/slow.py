"""A line for what takes long, where it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer

AFTER_S = 3.0


@contextmanager
def said_if_slow(say: Callable[[str], object], line: str, after: float | None = None) -> Iterator[None]:
    """Say ``line`` once where what is in its context takes longer than ``after`` seconds, ``AFTER_S`` by default."""
    timer = Timer(AFTER_S if after is None else after, say, (line,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
