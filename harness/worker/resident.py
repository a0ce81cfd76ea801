"""Clip stores held in the memory of the training's device."""

from __future__ import annotations

from collections.abc import Iterable

import psutil
import torch
from torch import Tensor

from harness.errors import BadUsage
from harness.worker.gather import mapped_frames
from mtcd_plugin.formats.clip_store import ClipStore

SHARE = 0.5  # of the free memory, that stores may take where nobody asked for it; networks need the rest
GIB = 2**30


class ResidentStores:
    """The frames of stores: of those that are held, on the device; of all others, in the page cache.

    Args:
        asked: ``auto``: a GPU holds what takes at most ``SHARE`` of its free memory; on a CPU the page cache is memory
            already, which all jobs share. ``on``: what fits. ``off``: nothing.
        device: ``cpu`` or a GPU with its number, e.g. ``cuda:0``: another thread's current one may be another.
        retried: memory has run out before; then ``auto`` holds nothing.
    """

    def __init__(self, asked: str, device: str, retried: bool = False) -> None:
        self.asked = asked
        self.device = device
        self.retried = retried
        self._held: dict[str, Tensor] = {}

    def hold(self, stores: Iterable[ClipStore]) -> bool:
        """Copy stores to the device, all or none. Says whether batches can be gathered there.

        Raises:
            BadUsage: they do not fit, and were asked for.
        """
        missing = {str(s.folder): s for s in stores if str(s.folder) not in self._held}
        need, free = sum(s.all_frames.nbytes for s in missing.values()), free_memory(self.device)
        if self.asked == "on" and need > free:
            raise BadUsage(
                f"--resident on: the clip stores take {need / GIB:.1f} GiB, the {self.device} has {free / GIB:.1f} GiB "
                "free; choose auto or off"
            )
        if self.asked == "off" or (self.asked == "auto" and not self._of_use(need, free)):
            return False
        for folder, store in missing.items():
            self._held[folder] = torch.empty(store.all_frames.shape, dtype=torch.uint8, device=self.device)
            self._held[folder].copy_(mapped_frames(store))
        return True

    def _of_use(self, need: int, free: int) -> bool:
        return self.device != "cpu" and not self.retried and need <= SHARE * free

    def frames_of(self, store: ClipStore) -> Tensor:
        """uint8 [frames, height, width, channels]."""
        held = self._held.get(str(store.folder))
        return mapped_frames(store) if held is None else held

    @property
    def bytes(self) -> int:
        """What is held."""
        return sum(frames.nbytes for frames in self._held.values())


def free_memory(device: str) -> int:
    """Free bytes of the CPU's memory or of a GPU."""
    return int(psutil.virtual_memory().available if device == "cpu" else torch.cuda.mem_get_info(device)[0])
