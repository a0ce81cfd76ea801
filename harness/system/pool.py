"""Pools of processes that end with their work: when the caller is interrupted, fails or is killed."""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

from harness.system.parent_exit import exit_with_parent

LOOK_EVERY_S = 1.0

Result = TypeVar("Result")


@contextmanager
def process_pool(
    processes: int, initializer: Callable[[], None] | None = None, kill: bool = True
) -> Iterator[ProcessPoolExecutor]:
    """A pool of spawned processes, since the caller may hold threads or locks that do not survive a fork.

    Ctrl-C reaches the whole terminal; the processes leave it to the caller. Where the block ends with an error or an
    interrupt, so do they.

    Args:
        kill: then at once, which what they do must bear; False: each finishes what it has begun.
    """
    pool = _Pool(processes, get_context("spawn"), _start, (initializer,))
    try:
        yield pool
        pool.shutdown(cancel_futures=True)
    except BaseException:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # a second one would leave it half ended
        try:
            for process in list((pool._processes or {}).values()) if kill else []:  # Python 3.14 has kill_workers()
                process.kill()
            pool.shutdown(cancel_futures=True)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        raise


def completed(futures: Collection[Future[Result]]) -> Iterator[Future[Result]]:
    """The futures, each when it is done.

    Waits in steps: an interrupt that comes in the instant before a thread waits on a lock does not wake it, so that one
    without a limit would last as long as the work.
    """
    left = set(futures)
    while left:
        try:
            for future in as_completed(left, timeout=LOOK_EVERY_S):
                left.discard(future)
                yield future
        except TimeoutError:
            continue


class _Pool(ProcessPoolExecutor):
    """Starts its processes, which it does when work is submitted, deaf to Ctrl-C until they can ignore it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return super().submit(fn, *args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(initializer: Callable[[], None] | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    exit_with_parent()
    if initializer is not None:
        initializer()
