"""Work on files that may be damaged, in a process of its own: one that ends it ends no more than that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from harness.system.pool import completed, process_pool

Result = TypeVar("Result")


def run_apart(work: Callable[..., Result], every: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Result | None, str]]:
    """``work`` with each of these arguments, one after the other: its result, or None and in a line what stopped it.

    Args:
        work: a function of a module, which the other process imports.
    """
    left = iter(every)
    while True:
        with process_pool(1) as pool:
            for arguments in left:
                try:
                    yield next(completed([pool.submit(work, *arguments)])).result(), ""
                except BrokenProcessPool:
                    yield None, "a file ends the process that decodes it; `harness data verify` names it"
                    break  # the next has another process
                except Exception as error:  # noqa: BLE001  whatever is wrong with the data: the caller goes on and says it
                    yield None, " ".join(str(error).split()) or type(error).__name__
            else:
                return
