"""Writing whole sets: what is missing, by several processes, and never half of anything."""

from __future__ import annotations

import importlib
import json
import logging
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.data.builder import DESCRIBED, UNFINISHED, lock_of_set, locked, maker
from harness.data.names import at_light, misspelt, one_spelling
from harness.data.parts import has_parts, made_parts
from harness.data.registry import data_set, data_sets
from harness.data.synthesize.seeding import GENERATOR_VERSION
from harness.errors import BadUsage, unknown_name
from harness.system.environment import usable_cores
from harness.system.pool import completed, process_pool
from harness.system.process import keep_freed_memory

log = logging.getLogger(__name__)

PRESETS = ("demo", "smoke")
Progress = Callable[[str, int, int], None]


def synthesize(
    root: str | os.PathLike,
    datasets: Sequence[str] | Mapping[str, Collection[str] | None] | None = None,
    preset: str = "demo",
    seed: int = 0,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Path]:
    """Write synthetic sets as real video files, each into `root`/<dataset>.

    A finished set of the same generator version, preset and seed is left alone, a half-written one is completed, and
    one of which parts are made gets those that are missing. One process at a time makes a set; another waits for it.
    Frames depend on version, preset and seed, not on `jobs` nor on what is made beside them.

    Args:
        root: folder that holds one folder per set.
        datasets: names of data sets that have a generator; None for all but those that are made on demand. With
            `_light-0.25` behind its name, one that has `lights` is made with a quarter of its light. As a mapping:
            name -> the only parts that are wanted, None for all.
        preset: "demo" (learnable on two cores, minutes) or "smoke" (tiny, seconds).
        seed: seed of the whole set.
        jobs: processes, default all cores that this process may use. Callers that start processes by `spawn` need the
            usual `if __name__ == "__main__"`.
        progress: called as progress(dataset, clips done, clips in all).

    Returns: dataset -> its folder.
    Raises: ValueError for an unknown name, or when the folder holds something else.
    """
    known = generators()
    datasets = made_unasked() if datasets is None else datasets
    for name in datasets:
        base, light = at_light(one_spelling(name))
        if base not in known or (light != 1 and not data_set(base).lights):
            raise BadUsage(unknown_name("synthetic data set", name, [*known, *_darker(known)]))
        if name != one_spelling(name):
            raise BadUsage(misspelt(name))
    if preset not in PRESETS:
        raise BadUsage(unknown_name("preset", preset, PRESETS))
    parts = datasets if isinstance(datasets, Mapping) else {}
    out = {}
    for name in datasets:
        folder, (base, light) = Path(root) / name, at_light(name)
        about = data_set(base)
        stamp = {"generator_version": about.generator_version or GENERATOR_VERSION, "preset": preset, "seed": seed}
        if about.version:
            stamp["version"] = about.version
        if light != 1:
            stamp["light"] = light
        out[name] = folder
        if (folder / DESCRIBED).exists() and _finished(folder, stamp) and has_parts(folder, parts.get(name)):
            continue
        with locked(lock_of_set(folder), partial(_say_maker, folder)):
            if _finished(folder, stamp) and has_parts(folder, parts.get(name)):
                continue  # another process has made it meanwhile
            try:
                _build(
                    folder,
                    importlib.import_module(known[base]),
                    stamp,
                    parts.get(name),
                    jobs or usable_cores(),
                    partial(progress, name) if progress else None,
                )
            except KeyboardInterrupt:
                raise KeyboardInterrupt(
                    f"{folder}: finished clips are kept, the same command goes on with them"
                ) from None
    return out


def _say_maker(folder: Path) -> None:
    log.info("%s: %s is making it; waiting for it", folder, maker(folder) or "another process")


def generators() -> dict[str, str]:
    """Data sets that can be synthesized -> the module that does, imported when a set is to be written: a check that one
    is there needs no video library."""
    return {d.name: d.generator for d in data_sets() if d.generator}


def _darker(names: Iterable[str]) -> list[str]:
    """How sets that can have another light are asked for."""
    return [f"{name}_light-0.25 (or another factor)" for name in names if data_set(name).lights]


def made_unasked() -> tuple[str, ...]:
    """Names of the data sets that are synthesized where none is named."""
    return tuple(d.name for d in data_sets() if d.generator and not d.on_demand)


def _finished(folder: Path, stamp: dict) -> bool:
    """True if the set is there, False if it may be written; ValueError if the folder holds something else."""
    for name in (DESCRIBED, UNFINISHED):
        path = folder / name
        if path.exists():
            try:
                found = json.loads(path.read_text())
                held = {k: found.get(k) for k in stamp}
            except (ValueError, AttributeError):
                raise ValueError(f"{path}: not a description of a data set; delete {folder} and try again") from None
            if held == stamp:
                return name == DESCRIBED
            text = ", ".join(f"{k} {v!r}" for k, v in held.items())
            wanted = ", ".join(f"{k} {v!r}" for k, v in stamp.items() if v != held[k])
            raise ValueError(
                f"{folder} holds another data set ({text}) than {wanted}; delete it or choose another folder"
            )
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(
            f"{folder} is not empty and has no {DESCRIBED} of a synthetic set; move or delete it and try again"
        )
    return False


def _build(
    folder: Path,
    kind: ModuleType,
    stamp: dict,
    wanted: Collection[str] | None,
    jobs: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Write what a set lacks of its wanted parts. Its description comes last, and names only parts that are there."""
    from harness.data.synthesize.files import write_json

    folder.mkdir(parents=True, exist_ok=True)
    there = (folder / DESCRIBED).exists()
    if not there:
        write_json(folder / UNFINISHED, stamp)
    seed, preset = stamp["seed"], stamp["preset"]
    takes = kind.plan(seed, preset, **{k: v for k, v in stamp.items() if k == "light"})
    every = _parts(kind, takes)
    made = made_parts(folder) or () if there else ()
    if wanted is not None and (unknown := sorted(set(wanted) - set(every))):
        raise BadUsage(unknown_name(f"part of {folder.name}", unknown[0], every))
    missing = frozenset(p for p in every if p not in made and (wanted is None or p in wanted))
    if missing == frozenset(every):
        _write_takes(partial(kind.write_take, folder, seed=seed, preset=preset), takes, jobs, progress)
    else:
        todo = [take for take in takes if not missing.isdisjoint(kind.parts_of(take))]
        _write_takes(partial(kind.write_take, folder, seed=seed, preset=preset, parts=missing), todo, jobs, progress)
    counts = kind.write_tables(folder, takes, seed)
    about = {"name": counts.pop("name"), "synthetic": True, **stamp}
    now = [p for p in every if p in made or p in missing]
    if now != every:
        counts.pop("videos", None)  # a count of the whole set
        about["parts"] = now
    write_json(folder / DESCRIBED, {**about, **counts})
    (folder / UNFINISHED).unlink(missing_ok=True)


def _parts(kind: ModuleType, takes: Sequence[Any]) -> list[str]:
    """All parts of a set, none where its generator makes it whole alone."""
    if not hasattr(kind, "parts_of"):
        return []
    return list(dict.fromkeys(part for take in takes for part in kind.parts_of(take)))


def _write_takes(
    write: Callable[[Any], None], takes: Sequence[Any], jobs: int, progress: Callable[[int, int], None] | None
) -> None:
    """Write takes, one after the other or by several processes."""
    if jobs == 1:
        for done, take in enumerate(takes, 1):
            write(take)
            if progress:
                progress(done, len(takes))
        return
    keep_freed_memory()
    with process_pool(min(jobs, len(takes)) or 1, kill=False) as pool:  # a take is a second, and would leave files
        for done, future in enumerate(completed([pool.submit(write, take) for take in takes]), 1):
            future.result()
            if progress:
                progress(done, len(takes))
