"""How fast whole batches are gathered from a raw clip store: beside the bare copy, and beside loader processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from harness.bench.must_reach import Check
from harness.system.environment import usable_cores

BATCH = 16
BUSY = 2.0  # load average for each core, from which on a machine counts as busy; the benchmark itself makes up to 1.5
WORKERS = 2  # loader processes that are compared
LIMITS = {"gather_over_copy": 0.7, "threads_over_workers": 4.0, "data_time_share_gathered": 0.02}


def measure_gathering(dataset, samples: int, rounds: int) -> dict[str, Any]:
    """Clips per second into collated batches, by three ways that take turns; the best round of each.

    ``gather_over_copy``: of each round, by the clock, and of these the median: cores are not equally fast at all times.
    ``gather_over_copy_cpu``: the same by time on the processor, which other programs disturb less: that of the copy
    over that of the busier of the two threads that gather.

    The bare copy is that of the same crops out of the memory-mapped store into one buffer, with everything else done
    before. Loader processes run the pipeline clip by clip. ``batches_equal``: they give the same, bit for bit.

    Args:
        dataset: of clips in a raw store. samples: of a round. rounds: of the bare copy and of gathering; loader
            processes, which take longer, have a fifth of them.
    """
    from harness.worker.gather import ClipGather
    from harness.worker.gather_loader import GatherLoader

    dataset.set_epoch(0, 0)
    gather = ClipGather(dataset)
    loader = GatherLoader(loader_of(dataset, samples), gather)
    processes = loader_of(dataset, samples, WORKERS)
    equal = all(same(*batches) for batches in zip(processes, loader, strict=True))  # also warms up
    copy = bare_copy(gather, samples)
    ways: list[Callable[[], None]] = [copy, lambda: drained(loader), lambda: drained(processes)]
    took = np.full((rounds, len(ways), 2), np.inf)  # on the clock; on the processor, by the busier thread
    for number in range(rounds):
        for way, run in enumerate(ways):
            if way < 2 or number % 5 == 0:
                began = clocks()
                run()
                wall, everything, own = clocks() - began
                took[number, way] = wall, max(own, everything - own)
    copied, gathered, by_workers = samples / took[:, :, 0].min(axis=0)
    by_clock, by_cpu = median_ratio(took[:, 0], took[:, 1])
    return {
        "copied_clips_per_s": float(copied),
        "gathered_clips_per_s": float(gathered),
        "workers_clips_per_s": float(by_workers),
        "gather_over_copy": float(by_clock),
        "gather_over_copy_cpu": float(by_cpu),
        "threads_over_workers": float(gathered / by_workers),
        "batches_equal": equal,
        "machine_busy": is_busy(),
    }


def median_ratio(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The ratio of two ways [rounds, clocks], round by round, and its median; the best rounds of two ways may be of
    different moments, at which cores were not equally fast."""
    return np.median(one / other, axis=0)


def is_busy() -> bool:
    """Whether other programs want the cores as well, so that threads that take turns wait for them."""
    return os.getloadavg()[0] > BUSY * usable_cores()


def clocks() -> np.ndarray:
    """Seconds on the clock, on the processor by this process, and by this thread of it."""
    return np.array([time.perf_counter(), time.process_time(), time.thread_time()])


def loader_of(dataset, samples: int, workers: int = 0):
    """Random clips in batches, the same ones each time; with ``workers`` from as many processes, which stay."""
    from mmengine.dataset import pseudo_collate
    from torch.utils.data import DataLoader

    from harness.worker.loading import InSharedMemory

    return DataLoader(
        dataset,
        BATCH,
        sampler=np.random.default_rng(0).integers(len(dataset), size=samples).tolist(),
        num_workers=workers,
        persistent_workers=workers > 0,
        collate_fn=InSharedMemory(pseudo_collate) if workers else pseudo_collate,
    )


def bare_copy(gather, samples: int) -> Callable[[], None]:
    """A function that copies the crops of as many clips into one buffer of a batch, and does nothing else."""
    import torch

    plans = [gather[i] for i in loader_of(gather, samples).sampler]
    (name,) = plans[0].frames
    buffer = torch.zeros((BATCH, *gather.shapes(plans[0])[name]), dtype=torch.uint8)
    crops = []
    for number, plan in enumerate(plans):
        left, top, right, bottom = plan.box
        frames = gather.frames_of(plan.stores[name])[:, top:bottom, left:right]
        crops.append((frames, torch.from_numpy(plan.frames[name]), buffer[number % BATCH]))

    def copy() -> None:
        for frames, index, out in crops:
            torch.index_select(frames, 0, index, out=out)

    return copy


def drained(loader: Iterable) -> None:
    """Ask for every batch of a loader."""
    for _ in loader:
        pass


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two batches of one modality hold the same clips, bit for bit."""
    import torch

    clips = (torch.stack(list(batch["inputs"])) for batch in (one, other))
    ids = [[(s.clip_id, int(s.gt_label)) for s in batch["data_samples"]] for batch in (one, other)]
    return torch.equal(*clips) and ids[0] == ids[1]


def checks_of(found: dict[str, Any]) -> list[Check]:
    """What loading has to reach; the bare copy is a matter of processor time where the machine is busy."""
    clock, cpu = found["gather_over_copy"], found["gather_over_copy_cpu"]
    counts, how = (cpu, "by processor time, for the machine is busy") if found["machine_busy"] else (clock, "by clock")
    both = f"{clock:.2f} by the clock, {cpu:.2f} by processor time"
    copy, processes = LIMITS["gather_over_copy"], LIMITS["threads_over_workers"]
    over = found["threads_over_workers"]
    share, most = found["data_time_share_gathered"], LIMITS["data_time_share_gathered"]
    waiting = f"{100 * share:.1f} % of a training, at most {100 * most:.0f} %"
    equal = "batches are the same, bit for bit" if found["batches_equal"] else "batches differ"
    return [
        Check("gather_over_copy", counts >= copy, f"{both}; at least {copy:.1f} {how}"),
        Check("threads_over_workers", over >= processes, f"{over:.1f}, at least {processes:.1f}"),
        Check("waiting for data", share <= most, waiting),
        Check("batches of both ways", found["batches_equal"], equal),
    ]
