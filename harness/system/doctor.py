"""Checks of the installation, each with its remedy."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path

from harness.errors import REINSTALL, count
from harness.system.environment import cpu_model


@dataclass(frozen=True)
class Check:
    name: str
    ok: bool
    found: str
    remedy: str = ""


SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  the kernel's own
LOADERS = 4
PAPER_BATCH = 32 * 3 * 32 * 224 * 224  # bytes: clips, channels, frames, height, width
PINNED = {"mmaction2": "1.2.0", "mmengine": "0.10.7", "mmcv-lite": "2.1.0"}


def checks(dataset_classes: Callable[[], Iterable[str]]) -> Iterator[Check]:
    """All checks, cheap ones first; each is independent of the others.

    Args:
        dataset_classes: names the classes that must be registered once the plugin is imported.
    """
    python = ".".join(map(str, sys.version_info[:3]))
    yield Check("Python", (3, 11) <= sys.version_info[:2] <= (3, 12), python, "use Python 3.11 or 3.12")
    for name, wanted in PINNED.items():
        found = _version(name)
        yield Check(name, found == wanted, found or "not installed", f"{REINSTALL} (wants {wanted})")
    both = _version("mmcv") and _version("mmcv-lite")
    yield Check(
        "one mmcv",
        not both,
        "mmcv and mmcv-lite" if both else "mmcv-lite",
        "pip uninstall mmcv, then reinstall mmcv-lite==2.1.0",
    )
    yield _attempt(
        "OpenCV",
        _opencv,
        "pip uninstall opencv-python opencv-contrib-python; pip install opencv-python-headless",
    )
    yield _attempt("video codecs (PyAV)", _codecs, "pip install --force-reinstall av")
    yield _attempt("torch", _torch, REINSTALL)
    yield _attempt("MMAction2 and plugin", partial(_plugin, dataset_classes), REINSTALL)
    yield _attempt("device", _device, "the CPU is used; for a GPU, install a torch that fits its driver")
    yield Check("CPU", True, cpu_model())
    free = shutil.disk_usage(".").free / 2**30
    yield Check("free disk here", free > 2.0, f"{free:.0f} GiB", "free at least 2 GiB for data and runs")
    yield shared_memory()
    browser = next((b for b in ("chromium", "chromium-browser", "google-chrome") if shutil.which(b)), None)
    yield Check("browser (tests only)", True, browser or "none: the tests of the pages in a browser are skipped")


def shared_memory(folder: Path = SHARED_MEMORY, batch_bytes: int = PAPER_BATCH) -> Check:
    """Room for the batches that four loader processes have under way, the default on a GPU, at the paper's sizes."""
    if not folder.is_dir():
        return Check("shared memory", True, "no /dev/shm here")
    usage = shutil.disk_usage(folder)
    need = (LOADERS * 2 + 1) * batch_bytes
    return Check(
        "shared memory",
        usage.free >= need,
        f"{usage.free >> 20} of {usage.total >> 20} MiB free in {folder}; loaders "
        f"of the paper profile want {need >> 20}",
        f"docker run --shm-size=8g, or mount -o remount,size=8g {folder}; until then clips are loaded in a thread",
    )


def _attempt(name: str, probe: Callable[[], str], remedy: str) -> Check:
    try:
        return Check(name, True, probe())
    except Exception as e:  # noqa: BLE001  whatever is broken, say it and go on to the next check
        return Check(name, False, f"{type(e).__name__}: {' '.join(str(e).split())}"[:160], remedy)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _opencv() -> str:
    import cv2

    return cv2.__version__


def _codecs() -> str:
    import av

    missing = [c for c in ("libx264", "h264") if c not in av.codecs_available]
    if missing:
        raise RuntimeError(f"av {av.__version__} lacks {', '.join(missing)}")
    return f"av {av.__version__} with H.264"


def _torch() -> str:
    import torch

    return f"{torch.__version__}, {count(torch.get_num_threads(), 'thread')}"


def _plugin(dataset_classes: Callable[[], Iterable[str]]) -> str:
    from mmaction.registry import DATASETS

    import mtcd_plugin.register

    for kind in dataset_classes():
        if DATASETS.get(kind) is None:
            raise RuntimeError(f"{kind} is not registered")
    return f"registered from {Path(mtcd_plugin.register.__file__).parent}"


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return f"{len(names)} GPU: {', '.join(names)}"
    return "CPU (no CUDA device)"
