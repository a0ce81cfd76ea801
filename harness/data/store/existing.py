"""The clip stores that are there: whole, damaged, or made from other videos."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from harness.data.store.space import allocated, gib
from harness.data.store.spec import StoreSpec
from harness.ledger.files import refuse_link
from mtcd_plugin.formats.clip_store import FRAMES, INDEX, ClipStore, StoreError, store_name


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
    for folder in _folders(store, codecs):
        try:
            return ClipStore.open(folder).folder
        except StoreError:
            continue
    return None


def remove_damaged(stores: Iterable[StoreSpec], codecs: Iterable[str], check: bool, say: Callable[[str], None]) -> None:
    """Remove the stores that cannot be read, with ``check`` also those with a frame that is not as it was written."""
    for folder in (f for s in stores for f in _folders(s, codecs)):
        try:
            found = ClipStore.open(folder)
            damaged = found.verify() if check else []
            if damaged:
                raise StoreError(f"{folder}: {len(damaged)} clips do not match their checksum, e.g. {damaged[0]}")
        except StoreError as error:
            refuse_link(folder)
            say(f"{error}; building it anew")
            shutil.rmtree(folder)


def _folders(store: StoreSpec, codecs: Iterable[str]) -> list[Path]:
    folders = [store.root / store_name(store.modality, store.size, store.source, name) for name in codecs]
    return [folder for folder in folders if folder.is_dir()]
