"""Clip stores for the data sets of a plan: what is there, what is stale, what is to be built, and whether it fits."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from harness.data.store.build import (
    DiskFull,
    Wanted,
    begin,
    build,
    complete,
    decoders,
    jobs_of,
    locked,
)
from harness.data.store.journal import read_journal
from harness.errors import BadUsage, unknown_name
from harness.ledger.files import refuse_link
from harness.plan.data import TABLE_KEYS, dataset_clips
from harness.system.duration import duration
from mtcd_plugin.formats import frame_codec
from mtcd_plugin.formats.clip_store import (
    FRAMES,
    INDEX,
    ClipStore,
    StoreError,
    groups,
    source_hash,
    store_name,
)
from mtcd_plugin.formats.clips import source_stream
from mtcd_plugin.formats.frame_codec import CODECS
from mtcd_plugin.formats.splits import read_quarantine
from mtcd_plugin.formats.video import read_frames

MARGIN_BYTES = 256 * 2**20  # left free on the disk
SAMPLED_CLIPS = 4  # to estimate how well frames compress
UNKNOWN_BYTES = 1.25  # on top of that estimate
EVERY_S = 5.0  # between lines of progress
NAMED = 5  # unreadable clips named in a message


def wanted_stores(datasets: Iterable[dict[str, Any]], root: Path, codec: str = "raw") -> list[Wanted]:
    """The stores that these dataset configs would read, each once, complete for their data set and lighting.

    A clip is left out where every config that reads the store has it in quarantine.
    """
    if codec not in CODECS:
        raise BadUsage(unknown_name("codec", codec, CODECS))
    found: dict[Path, Wanted] = {}
    for dataset in datasets:
        size = _size(dataset)
        if dataset.get("type") not in TABLE_KEYS or size is None:
            continue
        table, used = dataset_clips(dataset)
        lightings = {c.lighting for c in used}
        file = dataset.get("quarantine")
        skipped = read_quarantine(str(file)) if file else frozenset()
        given = dataset.get("stores") or {}
        for modality in dataset.get("modalities") or ("rgb",):
            for lighting, clips in groups(table.clips, modality).items() if modality not in given else ():
                if lighting not in lightings:
                    continue
                origin = f"{table.name} {lighting}".strip()
                source = source_hash(clips, modality)
                store = Wanted(root, modality, size, source, codec, origin, tuple(clips), skipped)
                known = found.get(store.folder, store)
                found[store.folder] = Wanted(
                    root, modality, size, source, codec, origin, tuple(clips), skipped & known.skipped
                )
    return list(found.values())


def build_for_datasets(
    datasets: Iterable[dict[str, Any]],
    root: Path,
    processes: int,
    say: Callable[[str], None],
    codec: str | None = None,
    check: bool = False,
) -> list[Path]:
    """Build the stores that these dataset configs lack. Returns the folders of all of them.

    Args:
        datasets: dataset configs of MMEngine, with ``pipeline``.
        root: folder of stores.
        processes: that decode side by side.
        say: gets lines for the user: sizes before it starts, progress, stale stores.
        codec: ``raw`` or ``jpeg``; None builds raw ones where there is no store of either.
        check: compare every frame of the stores that are there with its checksum, and build damaged ones anew.

    Raises:
        DiskFull: they would fill the disk, or did.
        ValueError, FileNotFoundError: clips cannot be decoded; the line names them. The others are kept.
    """
    root = Path(root)
    stores = wanted_stores(datasets, root, codec or CODECS[0])
    if not stores:
        return []
    root.mkdir(parents=True, exist_ok=True)
    say_stale(stores, root, say)
    names = (codec,) if codec else CODECS
    if check or not all(find_whole(s, names) for s in stores):
        with locked(root, lambda: say(f"{root}: another process builds stores there; waiting for it")) as lock:
            remove_damaged(stores, names, check, say)
            missing = [s for s in stores if not find_whole(s, names)]
            check_space(missing, root, say)
            with decoders(processes if missing else 1) as pool:
                problems = []
                for store in missing:
                    lock.check()
                    problems.append(_problem(store, pool, processes, say))
        if problems := [p for p in problems if p]:
            raise ValueError("; ".join(problems))
    return [folder for s in stores if (folder := find_whole(s, names))]


def _problem(store: Wanted, pool, processes: int, say: Callable[[str], None]) -> str:
    """Build one store; why it could not be, "" where it was. One that cannot be built does not stop the others."""
    try:
        build_store(store, pool, processes, say)
    except ValueError as e:
        return str(e)
    return ""


def build_store(store: Wanted, pool, processes: int, say: Callable[[str], None]) -> None:
    """Build one store, or go on with it. See ``build_for_datasets`` for what it raises."""
    done = begin(store)
    jobs = jobs_of(store)
    todo = [job for job in jobs if job.clip_id not in done]
    if done:
        say(f"{store}: going on, {len(done)} of {len(jobs)} clips are there")
    bad: list[str] = []
    began = said = time.monotonic()
    for number, (_, problem) in enumerate(build(store, todo, pool, processes), start=1):
        if problem:
            bad.append(problem)
        now = time.monotonic()
        if now - said > EVERY_S:
            said = now
            _check_margin(store)
            rate = number / (now - began)
            say(
                f"{store}: {len(done) + number} of {len(jobs)} clips, {rate:.1f} clips/s, "
                f"about {duration((len(todo) - number) / rate)} left"
            )
    if bad:
        more = f" (and {len(bad) - NAMED} more)" if len(bad) > NAMED else ""
        raise ValueError(
            "; ".join(bad[:NAMED]) + more + "; `harness data verify --quarantine FILE` lists all such clips, "
            "--quarantine SET=FILE leaves them out; the other clips are kept"
        )
    if source_hash(store.clips, store.modality) != store.source:
        shutil.rmtree(store.building)
        raise ValueError(f"{store}: the videos changed while it was built; run the same command again")
    complete(store)
    size, seconds = _bytes(store.folder), time.monotonic() - began
    say(f"{store}: {len(jobs)} clips, {size / 2**20:.0f} MiB, {duration(seconds)}")


def estimated_bytes(store: Wanted) -> int:
    """Size of a store once built: exact for raw; for jpeg from a few clips, with something on top."""
    if store.codec == "raw":
        return store.raw_bytes
    clips = [c for c in store.clips if c.clip_id not in store.skipped]
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


def check_space(missing: list[Wanted], root: Path, say: Callable[[str], None]) -> None:
    """Say what will be written, and refuse with DiskFull where it would fill the disk."""
    free = shutil.disk_usage(root).free
    need = 0
    for store in missing:
        size = estimated_bytes(store)
        need += max(0, size - _allocated(store.building / FRAMES))
        about = "" if store.codec == "raw" else "about "
        say(
            f"{store}: {len(store.clips)} clips, {store.frames} frames, {about}{_gib(size)}"
            + (f", {len(read_journal(store.building))} clips done before" if store.building.exists() else "")
        )
    if missing:
        say(f"{root}: {_gib(need)} to be written, {_gib(free)} free")
    if need + MARGIN_BYTES > free:
        raise DiskFull(
            f"{root}: the clip stores need {_gib(need)} (and {_gib(MARGIN_BYTES)} to spare) and {_gib(free)} are free; "
            "free some, use --codec jpeg, put the work dir elsewhere, or run with --no-cache"
        )


def stale_stores(stores: Iterable[Wanted], root: Path) -> list[Path]:
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


def say_stale(stores: Iterable[Wanted], root: Path, say: Callable[[str], None]) -> None:
    for folder in stale_stores(stores, root):
        say(
            f"{folder}: stale, made from other videos than those at hand; never read, remove it to free "
            f"{_gib(_bytes(folder))}"
        )


def find_whole(store: Wanted, codecs: Iterable[str]) -> Path | None:
    """The folder of a whole store of one of these codecs, or None."""
    for folder in _folders(store, codecs):
        try:
            return ClipStore.open(folder).folder
        except StoreError:
            continue
    return None


def remove_damaged(stores: Iterable[Wanted], codecs: Iterable[str], check: bool, say: Callable[[str], None]) -> None:
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


def _folders(store: Wanted, codecs: Iterable[str]) -> list[Path]:
    folders = [store.root / store_name(store.modality, store.size, store.source, name) for name in codecs]
    return [folder for folder in folders if folder.is_dir()]


def _check_margin(store: Wanted) -> None:
    free = shutil.disk_usage(store.root).free
    if free < MARGIN_BYTES // 2:
        raise DiskFull(
            f"{store.root}: only {_gib(free)} are free; free some and run the same command again (finished clips "
            f"are kept in {store.building}), or remove that folder"
        )


def _allocated(path: Path) -> int:
    try:
        return path.stat().st_blocks * 512
    except FileNotFoundError:
        return 0


def _bytes(folder: Path) -> int:
    return _allocated(folder / FRAMES)


def _gib(size: float) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"


def _size(dataset: dict[str, Any]) -> tuple[int, int] | None:
    for transform in dataset.get("pipeline") or []:
        if transform.get("type") == "LoadModalities":
            width, height = transform.get("size", (256, 256))
            return int(width), int(height)
    return None
