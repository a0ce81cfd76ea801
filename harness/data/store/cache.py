"""Clip stores for the dataset configs of a plan: those that are missing are built."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.data.builder import locked
from harness.data.clips import dataset_clips
from harness.data.names import at_light
from harness.data.registry import clips_of_config
from harness.data.store.build import begin, build, complete, decoders
from harness.data.store.clip_writer import jobs_of
from harness.data.store.existing import all_known, find_whole, remove_damaged, say_stale
from harness.data.store.note import note
from harness.data.store.space import allocated, check_margin, check_space
from harness.data.store.spec import StoreSpec
from harness.errors import BadUsage, first_of, unknown_name
from harness.system.duration import duration, left
from mtcd_plugin.formats.clip_store import FRAMES, groups, source_hash
from mtcd_plugin.formats.frame_codec import CODECS
from mtcd_plugin.formats.splits import read_quarantine

BUILDER = ".builder"  # folder of the lock
EVERY_S = 5.0  # between lines of progress
NAMED = 5  # unreadable clips named in a message


def store_specs(datasets: Iterable[dict[str, Any]], root: Path, codec: str = "raw") -> list[StoreSpec]:
    """The stores that these dataset configs would read, each once, complete for their data set and lighting.

    A clip is left out where every config that reads the store has it in quarantine.
    """
    if codec not in CODECS:
        raise BadUsage(unknown_name("codec", codec, CODECS))
    found: dict[Path, StoreSpec] = {}
    for dataset in datasets:
        size = loaded_size(dataset)
        if clips_of_config(dataset) is None or size is None:
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
                origin = f"{table.name}{_light(dataset)} {lighting}".strip()
                source = source_hash(clips, modality)
                store = StoreSpec(root, modality, size, source, codec, origin, tuple(clips), skipped)
                known = found.get(store.folder, store)
                found[store.folder] = replace(store, skipped=skipped & known.skipped)
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
        check: compare every frame of the stores that are there with its checksum, and build damaged ones anew. Without
            it, so are those whose file is not the one that was built here or compared last.

    Raises:
        DiskFull: they would fill the disk, or did.
        ValueError, FileNotFoundError: clips cannot be decoded; the line names them. The others are kept.
    """
    root = Path(root)
    stores = store_specs(datasets, root, codec or CODECS[0])
    if not stores:
        return []
    root.mkdir(parents=True, exist_ok=True)
    say_stale(stores, root, say)
    names = (codec,) if codec else CODECS
    if check or not all_known(stores, names):
        with _alone(root, say) as check_lock:
            remove_damaged(stores, names, check, say)
            missing = [s for s in stores if not find_whole(s, names)]
            check_space(missing, root, say)
            problems = []
            try:
                with decoders(processes if missing else 1) as pool:
                    for store in missing:
                        check_lock()
                        problems.append(_problem(store, pool, processes, say))
            except KeyboardInterrupt:
                raise KeyboardInterrupt(
                    f"{root}: finished clips are kept, the same command goes on with them"
                ) from None
        if problems := [p for p in problems if p]:
            raise ValueError("; ".join(problems))
    return [folder for s in stores if (folder := find_whole(s, names))]


@contextmanager
def _alone(root: Path, say: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """The only process that builds or compares stores there; gives what raises where that is so no longer. Where
    nothing can be written, as many as like read."""
    if not os.access(root, os.W_OK):
        yield lambda: None
        return
    with locked(root / BUILDER, lambda: say(f"{root}: another process builds stores there; waiting for it")) as lock:
        yield lock.check


def _problem(store: StoreSpec, pool, processes: int, say: Callable[[str], None]) -> str:
    """Build one store; why it could not be, "" where it was. One that cannot be built does not stop the others."""
    try:
        build_store(store, pool, processes, say)
    except ValueError as e:
        return str(e)
    return ""


def build_store(store: StoreSpec, pool, processes: int, say: Callable[[str], None]) -> None:
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
            check_margin(store)
            say(
                f"{store}: {len(done) + number} of {len(jobs)} clips, {number / (now - began):.1f} clips/s"
                f"{left(now - began, number, len(todo))}"
            )
    if bad:
        raise ValueError(
            first_of(bad, NAMED) + "; `harness data verify --quarantine FILE` lists all such clips, "
            "--quarantine SET=FILE leaves them out; the other clips are kept"
        )
    if source_hash(store.clips, store.modality) != store.source:
        shutil.rmtree(store.building)
        raise ValueError(f"{store}: the videos changed while it was built; run the same command again")
    complete(store)
    note(store.folder, say)
    size, seconds = allocated(store.folder / FRAMES), time.monotonic() - began
    say(f"{store}: {len(jobs)} clips, {size / 2**20:.0f} MiB, {duration(seconds)}")


def _light(dataset: dict[str, Any]) -> str:
    """Tells a set of other light from the one that it is made after; "" for all others."""
    light = at_light(Path(str(dataset["data_root"])).name)[1]
    return "" if light == 1 else f", light x {light:g},"


def loaded_size(dataset: dict[str, Any]) -> tuple[int, int] | None:
    """Width and height of the frames that a dataset config loads; None for one that loads none."""
    for transform in dataset.get("pipeline") or []:
        if transform.get("type") == "LoadModalities":
            width, height = transform.get("size", (256, 256))
            return int(width), int(height)
    return None
