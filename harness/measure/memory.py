"""Peak memory of a stretch of work."""

from __future__ import annotations

import platform
import resource

import torch


class PeakMemory:
    """Context: ``bytes`` is the peak afterwards.

    On a GPU: the most that torch's allocator held at once within the context. On the CPU: the most that the
    process ever held resident, which the system only reports since its start; run one job per process.

    Args:
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ...; left out: the GPU where there is one.
    """

    def __init__(self, device: str | torch.device | None = None) -> None:
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.bytes = 0

    def __enter__(self) -> PeakMemory:
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        return self

    def __exit__(self, *exc: object) -> None:
        if self.device.type == "cuda":
            self.bytes = int(torch.cuda.max_memory_allocated(self.device))
        else:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            self.bytes = peak if platform.system() == "Darwin" else peak * 1024  # macOS: bytes, Linux: KiB
