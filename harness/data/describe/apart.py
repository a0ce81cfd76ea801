"""Work on files that may be damaged, in a process of its own: one that ends it ends no more than that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, TypeVar

Result = TypeVar("Result")


def run_apart(work: Callable[..., Result], every: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Result | None, str]]:
    """``work`` with each of these arguments, one after the other: its result, or None and in a line what stopped it.

    Args:
        work: a function of a module, which the other process imports.
    """
    pool = ProcessPoolExecutor(1, get_context("spawn"))
    try:
        for arguments in every:
            try:
                yield pool.submit(work, *arguments).result(), ""
            except BrokenProcessPool:
                pool.shutdown()
                pool = ProcessPoolExecutor(1, get_context("spawn"))
                yield None, "a file ends the process that decodes it; `harness data verify` names it"
            except Exception as error:  # noqa: BLE001  whatever is wrong with the data: the caller goes on and says it
                yield None, " ".join(str(error).split()) or type(error).__name__
    finally:
        pool.shutdown()
