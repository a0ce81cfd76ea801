"""The clip stores that are there: whole, damaged, or made from other videos."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import cast

from harness.data.store.note import is_noted, note, state_of
from harness.data.store.space import allocated, gib
from harness.data.store.spec import StoreSpec
from harness.errors import count
from harness.ledger.files import refuse_link
from harness.system.duration import left
from mtcd_plugin.formats.clip_store import FRAMES, INDEX, ClipStore, StoreError, store_name

EVERY_S = 5.0  # between lines of progress
ADVICE = re.compile(r"; (remove \w+( \w+)? and )?build it anew$")  # which is what the harness does


def stale_stores(stores: Iterable[StoreSpec], root: Path) -> list[Path]:
    """Folders (also half-built ones) for the same data set, modality and size as a wanted store, but made from other
    videos. They are never read, because a store's name holds the hash of what it is made from."""
    wanted = {s.folder.name for s in stores} | {s.building.name for s in stores}
    kinds = {(s.origin, s.modality, *s.size) for s in stores}
    prefixes = {s.folder.name.removesuffix(s.source) for s in stores}
    found = []
    for folder in sorted(p for p in root.iterdir() if p.is_dir()):
        if folder.name in wanted:
            continue
        if folder.name.startswith("."):
            if folder.name.endswith(".building") and folder.name[1:].startswith(tuple(prefixes)):
                found.append(folder)
            continue
        try:
            index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
            kind = (index.get("origin", ""), index["modality"], index["width"], index["height"])
            sources = {s.source for s in stores if (s.origin, s.modality, *s.size) == kind}
        except (OSError, ValueError, KeyError, AttributeError):
            continue  # not a store
        if kind in kinds and index.get("source") not in sources:
            found.append(folder)
    return found


def say_stale(stores: Iterable[StoreSpec], root: Path, say: Callable[[str], None]) -> None:
    for folder in stale_stores(stores, root):
        say(
            f"{folder}: stale, made from other videos than those at hand; never read, remove it to free "
            f"{gib(allocated(folder / FRAMES))}"
        )


def find_whole(store: StoreSpec, codecs: Iterable[str]) -> Path | None:
    """The folder of a whole store of one of these codecs, or None."""
    return next((f for codec, f in _folders(store, codecs) if not _fault(store, codec, f)), None)


def all_known(stores: Iterable[StoreSpec], codecs: Iterable[str]) -> bool:
    """Whether each of these stores is there, and all that lies under its names is whole, and was built here or compared
    with its checksums since it changed last."""
    for store in stores:
        folders = _folders(store, codecs)
        if not folders or not all(not _fault(store, codec, f) and is_noted(f) for codec, f in folders):
            return False
    return True


def remove_damaged(stores: Iterable[StoreSpec], codecs: Iterable[str], check: bool, say: Callable[[str], None]) -> None:
    """Remove what cannot be read as these stores, or has a frame that is not as it was written.

    Args:
        check: compare the frames of all of them; else of those that were neither built here nor compared since they
            changed.
    """
    for store in stores:
        removed = []
        for codec, folder in _folders(store, codecs):
            fault = _fault(store, codec, folder)
            if not fault and (check or not is_noted(folder)):
                fault = _compare(store, folder, say)
                if check and not fault:
                    say(f"{store}: compared with its checksums, all frames as they were written")
            if fault:
                _remove(folder, fault)
                removed.append(f"{folder}: {fault}")
        other = find_whole(store, codecs) if removed else None
        for line in removed:
            say(f"{line}; " + (f"removed, {other.name} is read" if other else "building it anew"))


def _remove(folder: Path, fault: str) -> None:
    refuse_link(folder)
    try:
        if folder.is_dir():
            shutil.rmtree(folder)
        else:
            folder.unlink()
    except OSError as error:
        raise OSError(
            f"{folder}: {fault}, and cannot be removed ({error.strerror}); remove it, or run with --no-cache"
        ) from error


class _Comparison(ClipStore):
    """A store whose frames are compared with their checksums."""

    def differing(self) -> Iterator[tuple[str, bool]]:
        """Each clip, and whether its bytes are not as they were written. Reads the whole store."""
        for clip_id, entry in self._clips.items():
            yield clip_id, zlib.crc32(self._block(entry)) != entry["crc32"]  # type: ignore[arg-type]  # bytes


def _compare(store: StoreSpec, folder: Path, say: Callable[[str], None]) -> str:
    """What is wrong with the frames of a store; where nothing is, that is noted."""
    before = state_of(folder)
    found = cast(_Comparison, _Comparison.open(folder))
    total = len(found.clip_ids)
    differing = []
    began = said = time.monotonic()
    for number, (clip_id, differs) in enumerate(found.differing(), start=1):
        if differs:
            differing.append(clip_id)
        now = time.monotonic()
        if now - said > EVERY_S:
            said = now
            say(f"{store}: {number} of {total} clips compared with their checksums{left(now - began, number, total)}")
    if differing:
        return f"{len(differing)} of {count(total, 'clip')} do not match their checksum, e.g. {differing[0]}"
    note(folder, say, before)
    return ""


def _fault(store: StoreSpec, codec: str, folder: Path) -> str:
    """Why a folder is not the store that its name says, "" where it is; the frames themselves are not read."""
    if not folder.is_dir():
        return "is no folder"
    try:
        found = ClipStore.open(folder)
    except IsADirectoryError as error:
        return f"not a clip store ({error.filename} is a folder)"
    except StoreError as error:
        return ADVICE.sub("", str(error).removeprefix(f"{folder}: "))
    if (found.modality, found.size, found.source or store.source, found.codec) == (*_kind(store), codec):
        return ""
    size = f"{found.size[0]}x{found.size[1]}"
    return f"is a store of {found.modality} {size} {found.codec} made from {found.source}"


def _kind(store: StoreSpec) -> tuple[str, tuple[int, int], str]:
    return store.modality, store.size, store.source


def _folders(store: StoreSpec, codecs: Iterable[str]) -> list[tuple[str, Path]]:
    folders = [(name, store.root / store_name(store.modality, store.size, store.source, name)) for name in codecs]
    return [(name, folder) for name, folder in folders if os.path.lexists(folder)]
