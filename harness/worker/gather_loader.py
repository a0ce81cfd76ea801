"""Batches gathered from clip stores in the training's own process, each while the one before is in use."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
from mmaction.structures import ActionDataSample
from torch import Tensor
from torch.utils.data import DataLoader

from harness.worker.gather import ClipGather, ClipPlan

BUFFERS = 2  # one in use, one being filled
# Seconds for which the thread that copies waits for the interpreter between two clips, which take a millisecond, while
# the other one draws; by default five times as long as a clip.
HAND_OVER_S = 2e-5


class GatherLoader:
    """The batches of a DataLoader, bit for bit, in two buffers that are used in turns: a batch is valid until the next
    one is asked for.

    What is drawn is drawn in the caller's thread, in the order of the DataLoader; only frames are copied in a thread.
    Where draws depend on those before them nothing is drawn ahead.

    Args:
        loader: of the data set that ``gather`` was made of; its sampler and batches count, its processes do not.
        device: where batches lie. pin: batches in page-locked memory, for a GPU that copies them itself.

    Batches are dicts of ``inputs``, uint8 [N, 1, C, T, H, W] whose memory has channels last (a dict by modality where
    there are several), and ``data_samples``.
    """

    def __init__(self, loader: DataLoader, gather: ClipGather, device: str = "cpu", pin: bool = False) -> None:
        self.loader = loader
        self.gather = gather
        self.device = device
        self.pin = pin
        self._plans = DataLoader(
            gather, batch_sampler=loader.batch_sampler, collate_fn=_as_it_is, generator=loader.generator
        )
        self._buffers: list[dict[str, Tensor]] = [{} for _ in range(BUFFERS)]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["loader"], name)

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        ahead = BUFFERS - 1 if self.gather.dataset.draws_by_index else 0
        under_way: deque[Future] = deque()
        pool = ThreadPoolExecutor(1, "gather")
        before = sys.getswitchinterval()
        sys.setswitchinterval(min(before, HAND_OVER_S))
        try:
            for number, plans in enumerate(self._plans):
                under_way.append(pool.submit(self._gather, plans, number % BUFFERS, self._end_of_work()))
                if len(under_way) > ahead:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            sys.setswitchinterval(before)
            pool.shutdown(cancel_futures=True)

    def _end_of_work(self) -> torch.cuda.Event | None:
        """What the GPU has been told until now, the copy of the batch that will be overwritten included."""
        if not self.pin:
            return None
        event = torch.cuda.Event()
        event.record()
        return event

    def _gather(self, plans: list[ClipPlan], number: int, free: torch.cuda.Event | None) -> dict[str, Any]:
        if free is not None:
            free.synchronize()
        batch = {name: self._buffer(number, name, (len(plans), *s)) for name, s in self.gather.shapes(plans[0]).items()}
        self.gather.fill(plans, batch)
        return collated(batch, [plan.sample for plan in plans])

    def _buffer(self, number: int, name: str, shape: tuple[int, ...]) -> Tensor:
        kept = self._buffers[number].get(name)
        if kept is None or kept.shape[1:] != shape[1:] or len(kept) < shape[0]:
            kept = torch.empty(shape, dtype=torch.uint8, device=self.device, pin_memory=self.pin)
            self._buffers[number][name] = kept
        return kept[: shape[0]]


def collated(batch: dict[str, Tensor], samples: list[ActionDataSample]) -> dict[str, Any]:
    """Clips [N, T, h, w, C] by modality, and their data samples, as loaders of MMEngine give them."""
    inputs = {name: clips.permute(0, 4, 1, 2, 3)[:, None] for name, clips in batch.items()}
    return {"inputs": next(iter(inputs.values())) if len(inputs) == 1 else inputs, "data_samples": samples}


def _as_it_is(plans: list[ClipPlan]) -> list[ClipPlan]:
    return plans
