"""The precisions that a run may compute in, and where they are there."""

from __future__ import annotations

import subprocess
from enum import StrEnum
from pathlib import Path

from harness.errors import BadUsage
from harness.system.bfloat16 import bfloat16_gradients_are_right
from harness.system.gpus import detect_gpus


class Precision(StrEnum):
    """Of forward and backward passes; weights and optimizer are float32 always."""

    FP32 = "fp32"
    TF32 = "tf32"  # float32 with products of 10 bits, on GPUs
    BF16 = "bf16"  # autocast to bfloat16


CHOICES = ("auto", *(p.value for p in Precision))
AMPERE = 8.0  # the compute capability that brought bfloat16 and TF32
CPU_FLAGS = ("avx512_bf16", "amx_bf16")
WRONG_GRADIENTS = "bfloat16 convolutions of this torch give wrong gradients on this processor"


def check_precision(asked: str) -> None:
    """Raise BadUsage where the precision that is asked for is not there on this machine's devices."""
    if asked in ("auto", Precision.FP32):
        return
    if gpus := detect_gpus():
        for gpu in gpus:
            capability = compute_capability(gpu)
            if capability is not None and capability < AMPERE:
                raise BadUsage(
                    f"--precision {asked}: GPU {gpu} has compute capability {capability}, {AMPERE} is needed; "
                    "choose fp32 or auto"
                )
    elif asked == Precision.TF32:
        raise BadUsage("--precision tf32: there is no GPU; choose fp32, bf16 or auto")
    elif not set(CPU_FLAGS) & cpu_flags():
        raise BadUsage(
            f"--precision bf16: this processor has none of {' and '.join(CPU_FLAGS)}, without which bfloat16 is slower "
            "than float32; choose fp32 or auto"
        )
    elif not bfloat16_gradients_are_right():
        raise BadUsage(f"--precision bf16: {WRONG_GRADIENTS}; choose fp32 or auto")


def compute_capability(gpu: str) -> float | None:
    """Of a GPU as its driver's tool says; None where the tool is missing or does not know it."""
    ask = ["nvidia-smi", f"--id={gpu}", "--query-gpu=compute_cap", "--format=csv,noheader"]
    try:
        return float(subprocess.run(ask, capture_output=True, text=True, timeout=30).stdout.split()[0])
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError):
        return None


def cpu_flags() -> set[str]:
    """What the kernel says that the processor can do; empty where it does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return set(next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), []))
