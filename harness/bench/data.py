"""How fast clips come out of each source: video, clip store by each codec, MMAction2's own pipeline."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.bench.clip_set import write_clip_set
from harness.bench.clip_sources import EVERY, build_stores, our_dataset, sources, specs
from harness.bench.data_time import measure_data_time
from harness.bench.gathering import checks_of, measure_gathering
from harness.system.environment import commit, environment, hardware

WORKERS = (0, 1, 2)
CORES = 2


@dataclass(frozen=True)
class BenchSizes:
    """How much is measured."""

    clips: int  # of the clip set
    decoded: int  # samples of a source that decodes video
    stored: int  # samples of a clip store
    rounds: int  # of builder against decoder
    steps: int  # of the short training
    turns: int  # of gathering against the bare copy
    size: tuple[int, int] = (1920, 1080)  # of the RGB videos


FULL = BenchSizes(clips=8, decoded=16, stored=300, rounds=3, steps=12, turns=30)
QUICK = BenchSizes(clips=2, decoded=3, stored=60, rounds=1, steps=3, turns=15)


def bench_data(configs: Path, quick: bool = False, say: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Measure everything in a temporary folder. JSON-serialisable; see ``docs/loader-benchmark.md`` for the words."""
    from mmengine.registry import init_default_scope

    import mtcd_plugin.register  # noqa: F401

    init_default_scope("mmaction")
    sizes = QUICK if quick else FULL
    with tempfile.TemporaryDirectory() as folder, one_thread():
        root = Path(folder)
        say(f"writing {sizes.clips} clips of 60 frames (rgb {sizes.size[0]}x{sizes.size[1]})")
        data = _folder(root / "data")
        write_clip_set(data, sizes.clips, size=sizes.size)
        say("building clip stores")
        build = measure_building(data, root, sizes.rounds)
        stores = {"raw": root / "raw", "jpeg": root / "jpeg"}
        for codec, store in stores.items():
            build_stores(data, store, codec, EVERY)
        rows = []
        for name, dataset, files in sources(data, stores):
            stored = name.startswith("store")
            row = measure_source(name, dataset, files, sizes.stored if stored else sizes.decoded)
            say(_line(row))
            rows.append(row)
        together = measure_synchronised(data, stores["raw"], sizes.stored)
        gathering = measure_gathering(our_dataset(data, stores["raw"]), sizes.stored, sizes.turns)
        shares = measure_data_time(configs, data, root / "training", sizes.steps)
    p50 = {row["source"]: row["p50_ms"]["0"] for row in rows}
    checks = checks_of({**gathering, **shares})
    for check in checks:
        say(check.line)
    return {
        **gathering,
        "ratio_raw_to_stock": p50["stock"] / p50["store raw"],
        "raw_clip_ms": p50["store raw"],
        **together,
        **build,
        **shares,
        "checks": [asdict(check) for check in checks],
        "sources": rows,
        "quick": quick,
        "load_average": os.getloadavg()[0],
        "hardware": hardware(),
        "environment": environment(),
        "commit": commit(),
    }


def measure_source(name: str, dataset, files: list[Path], samples: int) -> dict[str, Any]:
    """One row: warm clips per second and milliseconds per collated clip by workers, the same cold, and bytes."""
    row: dict[str, Any] = {"source": name, "clips_per_s": {}, "p50_ms": {}, "p95_ms": {}}
    for workers in WORKERS:
        seconds = loading_times(dataset, samples, workers)
        row["clips_per_s"][str(workers)] = samples / float(np.sum(seconds))
        row["p50_ms"][str(workers)], row["p95_ms"][str(workers)] = _percentiles(seconds)
    return row | measure_cold(dataset, files, min(samples, 20))


def loading_times(dataset, samples: int, workers: int) -> np.ndarray:
    """Seconds between collated clips, after one pass that warms the page cache and starts the workers."""
    import torch
    from mmengine.dataset import pseudo_collate
    from torch.utils.data import DataLoader, RandomSampler

    draw = torch.Generator().manual_seed(0)
    loader = DataLoader(
        dataset,
        sampler=RandomSampler(dataset, replacement=True, num_samples=samples, generator=draw),
        num_workers=workers,
        persistent_workers=workers > 0,
        collate_fn=pseudo_collate,
    )
    for index in range(len(dataset)):
        dataset[index]
    if workers:
        for _ in loader:
            pass  # the workers start, and read everything once
    times = [time.perf_counter()]
    for _ in loader:
        times.append(time.perf_counter())
    return np.diff(times)


def measure_cold(dataset, files: list[Path], samples: int) -> dict[str, float]:
    """Loading with the files put out of the page cache before every clip, in this process."""
    seconds, read = [], 0
    for number in range(samples):
        for file in files:
            forget(file)
        before = _disk_bytes()
        began = time.perf_counter()
        dataset[number % len(dataset)]
        seconds.append(time.perf_counter() - began)
        read += _disk_bytes() - before
    p50, p95 = _percentiles(seconds)
    return {"cold_p50_ms": p50, "cold_p95_ms": p95, "cold_mib_read_per_clip": read / samples / 2**20}


def measure_synchronised(data: Path, store: Path, samples: int) -> dict[str, float]:
    """RGB alone and RGB, depth and infrared together, in turns: what the latter takes over what its bytes suggest (5
    channels to 3), by time on the clock and by time on the processor (which other programs do not disturb)."""
    from mmengine.dataset import pseudo_collate

    datasets = [our_dataset(data, store, modalities) for modalities in (("rgb",), EVERY)]
    wall, cpu = np.zeros((2, samples)), np.zeros((2, samples))
    for number in range(-len(datasets[0]), samples):  # the first ones warm up
        for which, dataset in enumerate(datasets):
            began, began_cpu = time.perf_counter(), time.process_time()
            pseudo_collate([dataset[number % len(dataset)]])
            wall[which, number] = time.perf_counter() - began
            cpu[which, number] = time.process_time() - began_cpu
    (one, all_), (one_cpu, all_cpu) = np.median(wall, 1) * 1e3, np.median(cpu, 1) * 1e3
    return {
        "raw_clip_cpu_ms": float(one_cpu),
        "synchronised_clip_ms": float(all_),
        "synchronised_clip_cpu_ms": float(all_cpu),
        "synchronised_to_bytes": float(all_ / (one * 5 / 3)),
        "synchronised_to_bytes_cpu": float(all_cpu / (one_cpu * 5 / 3)),
    }


def measure_building(data: Path, root: Path, rounds: int) -> dict[str, float]:
    """Builder against decoder: both in the same two processes, in turns; the best round of each, by time on the
    clock and by time on the processors.

    The decoder alone turns every frame into an RGB array and drops it. The builder's time is all of it: claiming
    the file, decoding, resizing, writing, forcing it to disk and publishing.
    """
    from harness.data.store.build import decoders, jobs_of
    from harness.data.store.cache import build_store

    best = np.full((2, 2), np.inf)  # decoder, builder x clock, processor
    with decoders(CORES) as pool:
        run = pool.map if pool is not None else map
        list(run(_nothing, range(4 * CORES)))
        for number in range(rounds + 1):  # the first one warms up
            store = specs(data, _folder(root / f"build{number}"), "raw", ("rgb",))[0]
            jobs = jobs_of(store)
            times = [(time.perf_counter(), _cpu_seconds())]
            list(run(_decode_only, jobs))
            times.append((time.perf_counter(), _cpu_seconds()))
            build_store(store, pool, CORES, lambda _: None)
            times.append((time.perf_counter(), _cpu_seconds()))
            if number:
                best = np.minimum(best, np.diff(times, axis=0))
    return {
        "builder_to_decoder": float(best[0, 0] / best[1, 0]),
        "builder_to_decoder_cpu": float(best[0, 1] / best[1, 1]),
        "builder_clips_per_s": len(jobs) / float(best[1, 0]),
        "decoder_clips_per_s": len(jobs) / float(best[0, 0]),
    }


def forget(path: Path) -> None:
    """Put a file out of the page cache."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)


@contextmanager
def one_thread() -> Iterator[None]:
    """OpenCV and torch on one core."""
    import cv2
    import torch

    threads = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads[0])
        torch.set_num_threads(threads[1])


def _decode_only(job) -> int:
    from mtcd_plugin.formats.video import iter_frames

    return sum(1 for _ in iter_frames(job.stream.path, range(job.stream.start, job.stream.end), None, job.gray))


def _nothing(_: int) -> None:
    time.sleep(0.05)  # so that every process gets one


def _cpu_seconds() -> float:
    """Processor time of this process and of the ones that it started, so far."""
    import psutil

    own = psutil.Process()
    times = [process.cpu_times() for process in (own, *own.children())]
    return sum(t.user + t.system for t in times)


def _percentiles(seconds) -> tuple[float, float]:
    p50, p95 = np.percentile(np.asarray(seconds) * 1e3, [50, 95])
    return float(p50), float(p95)


def _disk_bytes() -> int:
    """Bytes that this process had fetched from disk so far."""
    for line in Path("/proc/self/io").read_text().splitlines():
        if line.startswith("read_bytes:"):
            return int(line.split(":")[1])
    raise ValueError("/proc/self/io: no read_bytes")


def _folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def _line(row: dict[str, Any]) -> str:
    rates = " ".join(f"{row['clips_per_s'][str(w)]:9.1f}" for w in WORKERS)
    return (
        f"{row['source']:24s} {rates} clips/s with {WORKERS} workers   {row['p50_ms']['0']:8.2f} / "
        f"{row['p95_ms']['0']:8.2f} ms   cold {row['cold_p50_ms']:8.2f} ms, {row['cold_mib_read_per_clip']:6.2f} MiB"
    )
