"""The disk that clip stores need, and whether it is there."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harness.data.store.journal import read_journal
from harness.data.store.spec import StoreSpec
from harness.errors import count
from harness.system.disk import DiskFull
from mtcd_plugin.formats import frame_codec
from mtcd_plugin.formats.clip_store import FRAMES
from mtcd_plugin.formats.clips import source_stream
from mtcd_plugin.formats.video import read_frames

MARGIN_BYTES = 256 * 2**20  # left free on the disk
SAMPLED_CLIPS = 4  # to estimate how well frames compress
UNKNOWN_BYTES = 1.25  # on top of that estimate


def estimated_bytes(store: StoreSpec) -> int:
    """Size of a store once built: exact for raw; for jpeg from a few clips, with something on top."""
    if store.codec == "raw":
        return store.raw_bytes
    clips = store.decoded
    shares = []
    for clip in clips[:: max(1, len(clips) // SAMPLED_CLIPS)][:SAMPLED_CLIPS]:
        stream = source_stream(clip, store.modality)
        middle = [(stream.start + stream.end) // 2]
        try:
            frames = read_frames(stream.path, middle, store.size, gray=store.modality != "rgb")
        except (ValueError, FileNotFoundError):
            continue  # the build names it
        shares.append(len(frame_codec.encode(frames)) / frames.nbytes)
    share = float(np.mean(shares)) if shares else 1.0
    return int(store.raw_bytes * min(1.0, share * UNKNOWN_BYTES))


def _to_decode(store: StoreSpec) -> str:
    frames = sum(source_stream(c, store.modality).frames for c in store.decoded)
    left_out = len(store.clips) - len(store.decoded)
    said = f"{count(len(store.decoded), 'clip')}, {count(frames, 'frame')}"
    return said + (f" ({left_out} in quarantine left out)" if left_out else "")


def check_space(missing: list[StoreSpec], root: Path, say: Callable[[str], None]) -> None:
    """Say what will be written, and refuse with DiskFull where it would fill the disk."""
    free = shutil.disk_usage(root).free
    need = 0
    for store in missing:
        size = estimated_bytes(store)
        need += max(0, size - allocated(store.building / FRAMES))
        about = "" if store.codec == "raw" else "about "
        say(
            f"{store}: {_to_decode(store)}, {about}{gib(size)}"
            + (f", {len(read_journal(store.building))} clips done before" if store.building.exists() else "")
        )
    if missing:
        say(f"{root}: {gib(need)} to be written, {gib(free)} free")
    if need + MARGIN_BYTES > free:
        raise DiskFull(
            f"{root}: the clip stores need {gib(need)} (and {gib(MARGIN_BYTES)} to spare) and {gib(free)} are free; "
            "free some, build them with `python -m harness data cache --codec jpeg`, put the work dir elsewhere, or "
            "run with --no-cache"
        )


def check_margin(store: StoreSpec) -> None:
    free = shutil.disk_usage(store.root).free
    if free < MARGIN_BYTES // 2:
        raise DiskFull(
            f"{store.root}: only {gib(free)} are free; free some and run the same command again (finished clips "
            f"are kept in {store.building}), or remove that folder"
        )


def allocated(path: Path) -> int:
    try:
        return path.stat().st_blocks * 512
    except FileNotFoundError:
        return 0


def gib(size: float) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"


def as_disk_full(error: OSError, path: Path) -> OSError:
    """What a full disk is called, any other error as it is."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return error
    return DiskFull(
        f"{path.parent}: the disk is full; free some space and run the same command again (finished clips are kept "
        "there), or remove that folder"
    )
