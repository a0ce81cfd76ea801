"""Renders clips on several cores: whole batches side by side, each in a thread of its own, so that the store is the
same with any number of them.

Threads that share an operation add up its sums in another order, and a pixel in millions comes out as another grey.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
from mmengine.hooks import Hook

KNOWN = "mtcd_plugin."  # modules whose networks keep nothing of one batch for the next
MOST = 8  # batches at a time: each takes memory of its own


class RenderThreadsHook(Hook):
    """Before a rendering on the CPU: gives each thread of this process a batch, where they would share an operation.

    It comes after the hooks that choose how batches are loaded, and how they are computed. Networks of others are left
    as they are: they may keep something of one batch for the next.

    Args:
        one_by_one: a batch at a time in any case, where several have needed too much memory.
    """

    def __init__(self, one_by_one: bool = False) -> None:
        self.one_by_one = one_by_one

    def before_test(self, runner) -> None:
        threads, loop = torch.get_num_threads(), runner.test_loop
        torch.set_num_threads(1)
        mixed = torch.is_autocast_enabled("cpu") or getattr(loop, "fp16", False)  # which other threads would not see
        if threads == 1 or self.one_by_one or mixed or not type(runner.model).__module__.startswith(KNOWN):
            return
        ahead = BatchesAhead(loop.dataloader, runner.model.test_step, min(threads, MOST))
        loop.dataloader, runner.model.test_step = ahead, ahead.test_step


class BatchesAhead:
    """The batches of a loader in their order. When one is given, its step and those of the next have begun.

    Args:
        step: of a model that keeps nothing of one batch for the next, but what it reads at the first.
        threads: steps at a time.

    ``test_step`` takes the place of ``step``.
    """

    def __init__(self, loader, step: Callable[[Any], Any], threads: int) -> None:
        self.loader = loader
        self.step = step
        self.threads = threads
        self._given: tuple[Any, Future | None] = (None, None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["loader"], name)

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        pool = ThreadPoolExecutor(self.threads, "render", initializer=torch.set_num_threads, initargs=(1,))
        begun: deque[tuple[Any, Future]] = deque()
        try:
            for i, batch in enumerate(self.loader):
                begun.append((batch, pool.submit(self._run, batch)))
                if i == 0 or len(begun) > self.threads:  # the first alone: the model reads its weights
                    yield self._give(begun)
            while begun:
                yield self._give(begun)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def test_step(self, data: Any) -> Any:
        """What ``step`` made of ``data``, the batch that was given last. Raises what it raised."""
        batch, result = self._given
        return result.result() if result is not None and batch is data else self.step(data)

    def _give(self, begun: deque[tuple[Any, Future]]) -> Any:
        self._given = begun.popleft()
        return self._given[0]

    @torch.no_grad()
    def _run(self, batch: Any) -> Any:
        return self.step(batch)
