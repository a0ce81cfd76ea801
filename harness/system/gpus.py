"""The NVIDIA GPUs of this machine, asked for without importing torch."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def detect_gpus() -> tuple[str, ...]:
    """Ids of the visible GPUs: CUDA_VISIBLE_DEVICES, else what the driver lists."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return tuple(v for v in visible.split(",") if v.strip() not in ("", "-1"))
    root = Path("/proc/driver/nvidia/gpus")
    return tuple(str(i) for i in range(len(list(root.iterdir())))) if root.is_dir() else ()


def free_gpu_memory(gpu: str) -> int | None:
    """Free bytes of a GPU (of the fullest, where several are named with commas) as its driver's tool says.

    Returns None where the tool is missing or does not know it.
    """
    ask = ["nvidia-smi", f"--id={gpu}", "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(ask, capture_output=True, text=True, timeout=30).stdout.split()
    except (OSError, subprocess.TimeoutExpired):
        return None
    return min(int(mib) for mib in said) << 20 if said and all(s.isdigit() for s in said) else None
