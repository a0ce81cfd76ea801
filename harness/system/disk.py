"""Room on the disk for what a job writes, and how a full disk is told from other errors."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from harness.errors import BadUsage

NEEDED_BYTES = 64 * 2**20  # to be free besides: for logs, predictions, records; below it no job is started
TORCH_SAVE = ("PytorchStreamWriter failed", "inline_container", "iostream error")  # its failing writes
STATES = 3  # a checkpoint holds weights and up to two moments of each


class DiskFull(OSError):
    """There is no room for what comes next. The message is one line with what is needed."""


def check_writable(folder: Path, option: str) -> None:
    """Raises BadUsage where a folder's place is not in a folder, OSError where it cannot be written to.

    Nothing is made.

    Args:
        option: of the command line that names the folder.
    """
    at = Path(folder)
    while not at.exists() and at != at.parent:
        at = at.parent
    if not at.is_dir():
        raise BadUsage(f"{option} {folder}: {at} is not a folder; choose another one")
    if not os.access(at, os.W_OK):
        raise OSError(f"{at}: not writable; give another folder with {option}")


def require_room(folder: Path, model, files: int) -> None:
    """Raise DiskFull where ``files`` checkpoints of a model (a torch module) do not fit."""
    weights = sum(v.numel() * v.element_size() for v in model.state_dict().values())
    need = files * STATES * weights + NEEDED_BYTES
    free = shutil.disk_usage(folder).free
    if free < need:
        raise DiskFull(f"{need / 2**20:.0f} MiB are needed to go on, {free / 2**20:.0f} MiB are free")


def need_line(e: BaseException) -> str:
    """What is needed, as far as the error knows."""
    return str(e) if isinstance(e, DiskFull) else f"{' '.join(str(e).split())[:200]}, with too little free"


def is_disk_full(e: BaseException | None, folder: Path) -> bool:
    """Whether an error, or one that it came from, is that of a full disk. torch.save says it without a number."""
    while e is not None:
        if isinstance(e, DiskFull) or getattr(e, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            return True
        if any(words in str(e) for words in TORCH_SAVE) and shutil.disk_usage(folder).free < NEEDED_BYTES:
            return True
        e = e.__cause__ or e.__context__
    return False
