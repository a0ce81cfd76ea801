"""How a job's clips reach its training: from processes, by shared memory, or from a thread where that is too small.

A process that finds no room in shared memory sends nothing and says nothing to the training, which would wait for ever:
PyTorch puts tensors there in a thread of the process whose errors are only printed. Here the room is looked at before,
and tensors are put there where errors are passed on.
"""

from __future__ import annotations

import contextlib
import errno
import queue
import random
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement
from torch.utils.data import DataLoader

from harness.system.disk import NEEDED_BYTES

SHM = Path("/dev/shm")  # noqa: S108  the kernel's own
SPARE_BYTES = 2**20  # for the semaphores of the processes' queues
FULL = ("unable to allocate shared memory", "</torch_", "Bus error", "out of shared memory")
LOADER_DIED = "DataLoader worker (pid"  # begins PyTorch's message of a loader process that was killed
ADVICE = (
    f"enlarge {SHM} (docker run --shm-size=8g; elsewhere: mount -o remount,size=8g {SHM}), or load with --workers 0"
)


class SharedMemoryFull(OSError):
    """Loader processes found no room to hand over a batch. The message is one line with what to do."""

    def __init__(self) -> None:
        size = shutil.disk_usage(SHM).total >> 20 if SHM.is_dir() else 0
        super().__init__(
            f"{SHM} ({size} MiB) is too small for loader processes: {ADVICE}; a further attempt takes a thread"
        )


def shared_memory_free() -> int | None:
    """Free bytes for tensors between processes, None where the system has no such folder."""
    return shutil.disk_usage(SHM).free if SHM.is_dir() else None


def is_shared_memory_full(e: BaseException | None, folder: Path) -> bool:
    """Whether an error, or one that it came from, says that loader processes found no room to hand over a batch."""
    free = shared_memory_free()
    while e is not None:
        if any(words in str(e) for words in FULL):
            return True
        if getattr(e, "errno", None) == errno.ENOSPC and free is not None and free < SPARE_BYTES:
            return shutil.disk_usage(folder).free >= NEEDED_BYTES
        e = e.__cause__ or e.__context__
    return False


class LoaderRoomHook(Hook):
    """Before clips are loaded by processes: looks whether their batches fit into shared memory,
    takes a thread otherwise.

    Args:
        in_thread: take a thread in any case. ``notes``: what a reader of the run must know, one line each.
    """

    def __init__(self, in_thread: bool) -> None:
        self.in_thread = in_thread
        self.notes: list[str] = []

    def before_train(self, runner) -> None:
        self._settle(runner.train_loop)

    def before_test(self, runner) -> None:
        self._settle(runner.test_loop)

    def _settle(self, loop) -> None:
        loader = loop.dataloader
        if not isinstance(loader, DataLoader) or not loader.num_workers:
            return
        free, need = shared_memory_free(), room_needed(loader) * get_world_size()
        if not self.in_thread and (free is None or need <= free):
            loader.collate_fn = InSharedMemory(loader.collate_fn)
            return
        self.in_thread = True
        loader.num_workers = 0
        loop.dataloader = ThreadLoader(loader)
        if not self.notes:
            room = f"{SHM} has {(free or 0) / 2**20:.0f} MiB free, loader processes need {need / 2**20:.0f}"
            self.notes.append(f"clips were loaded in a thread: {room}")
            print(f"{self.notes[0]}; {ADVICE}", flush=True)


def loading_notes(runner: Runner) -> list[str]:
    """What a reader must know about how the clips of a run were loaded, one line each."""
    return [note for hook in runner.hooks if isinstance(hook, LoaderRoomHook) for note in hook.notes]


def room_needed(loader: DataLoader) -> int:
    """Bytes of shared memory that the processes of a loader fill: all batches under way, and the one in use."""
    with same_random_state():
        sample = tensor_bytes(loader.dataset[0])
    size = loader.batch_size
    batch: int = size if size is not None else getattr(loader.batch_sampler, "batch_size", 1)
    return sample * batch * (loader.num_workers * (loader.prefetch_factor or 2) + 1) + SPARE_BYTES


def tensor_bytes(value: Any) -> int:
    """Bytes of all tensors in what a data set gives."""
    if isinstance(value, torch.Tensor):
        return value.numel() * value.element_size()
    return sum(map(tensor_bytes, parts_of(value)))


def parts_of(value: Any) -> Iterable[Any]:
    """What a container of samples holds: a dict, a list, or a data element of MMEngine."""
    if isinstance(value, BaseDataElement):
        return value.all_values()
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, (list, tuple)) else ()


@contextmanager
def same_random_state() -> Iterator[None]:
    """Leave the random generators of this process as they were."""
    state = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(state[0])
        np.random.set_state(state[1])
        torch.set_rng_state(state[2])


class InSharedMemory:
    """A collate function whose tensors lie in shared memory already; where there is no room it raises,
    in the process.
    """

    def __init__(self, collate: Callable[[list], Any]) -> None:
        self.collate = collate

    def __call__(self, samples: list) -> Any:
        return self._share(self.collate(samples))

    def _share(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value.share_memory_()
        for part in parts_of(value):
            self._share(part)
        return value


class ThreadLoader:
    """The batches of a DataLoader without processes, each fetched by a thread while the one before is in use.

    One thread, which starts after the first batch: ``random`` and ``numpy.random`` are drawn from in the order of
    loading in the training's own process, and what is seeded at the first batch is seeded before the thread draws.
    """

    def __init__(self, loader: DataLoader, ahead: int = 2) -> None:
        self.loader = loader
        self.ahead = ahead

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["loader"], name)

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        batches = iter(self.loader)
        try:
            yield next(batches)
        except StopIteration:
            return
        ready: queue.Queue = queue.Queue(self.ahead)
        over = threading.Event()

        def put(item: tuple) -> None:
            while not over.is_set():
                with contextlib.suppress(queue.Full):
                    ready.put(item, timeout=0.1)
                    return

        def fetch() -> None:
            try:
                while not over.is_set():
                    put((next(batches), None))
            except BaseException as e:  # noqa: BLE001  raised where the batch is asked for
                put((None, e))

        thread = threading.Thread(target=fetch, daemon=True, name="loader")
        thread.start()
        try:
            while True:
                batch, error = ready.get()
                if isinstance(error, StopIteration):
                    return
                if error is not None:
                    raise error
                yield batch
        finally:
            over.set()
            thread.join()
