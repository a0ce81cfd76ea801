"""Loader processes and the shared memory that they hand batches over in."""

import os
import random
import shutil
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader, Dataset

from harness.worker.loading import (
    InSharedMemory,
    LoaderRoomHook,
    SharedMemoryFull,
    ThreadLoader,
    is_shared_memory_full,
    room_needed,
)
from harness.worker.record import classify


class Clips(Dataset):
    """Clips of 3 x 2 x 4 x 4 bytes whose content is drawn from the global generators, in the order of loading."""

    def __init__(self, count=10):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        if i >= self.count:
            raise IndexError(i)
        clip = torch.from_numpy(np.random.randint(0, 255, (3, 2, 4, 4), dtype=np.uint8))
        return {"inputs": clip, "data_samples": ActionDataSample(), "draw": random.random()}


def draws(loader, epochs=2):
    """What two epochs give, when ``random`` and ``numpy`` are seeded at each first batch as the plugin's hook does."""
    found = []
    for epoch in range(epochs):
        for i, batch in enumerate(loader):
            if i == 0:
                random.seed(epoch)
                np.random.seed(epoch)
            found.append((batch["inputs"][0].sum().item(), batch["draw"][0]))
    return found


def test_a_thread_gives_the_batches_of_no_thread():
    random.seed(7), np.random.seed(7)
    plain = DataLoader(Clips(), batch_size=3, collate_fn=pseudo_collate)
    expected = draws(plain)
    random.seed(7), np.random.seed(7)
    thread = ThreadLoader(plain)
    assert draws(thread) == expected and len(expected) == 8
    assert len(thread) == 4 and thread.dataset is plain.dataset and thread.batch_size == 3


def test_an_error_in_the_thread_is_raised_where_the_batch_is_asked_for():
    class Broken(Clips):
        def __getitem__(self, i):
            if i == 5:
                raise ValueError("clip 5 is damaged")
            return super().__getitem__(i)

    batches = iter(ThreadLoader(DataLoader(Broken(), batch_size=2, collate_fn=pseudo_collate)))
    next(batches), next(batches)
    with pytest.raises(ValueError, match="clip 5 is damaged"):
        next(batches)


def test_a_loop_that_is_left_early_leaves_no_thread():
    import threading

    before = threading.active_count()
    for _ in ThreadLoader(DataLoader(Clips(100), batch_size=2, collate_fn=pseudo_collate)):
        if threading.active_count() > before:
            break
    assert threading.active_count() == before


def test_the_room_is_that_of_all_batches_under_way():
    loader = DataLoader(Clips(), batch_size=5, num_workers=3, prefetch_factor=4)
    state = np.random.get_state()[1].tolist()
    assert room_needed(loader) == 5 * (3 * 2 * 4 * 4) * (3 * 4 + 1) + 2**20
    assert np.random.get_state()[1].tolist() == state  # nothing was drawn


@pytest.mark.parametrize(("free", "thread"), [(2**20, True), (2**21, False)])
def test_loaders_that_do_not_fit_become_threads(monkeypatch, capsys, free, thread):
    monkeypatch.setattr("harness.worker.loading.shared_memory_free", lambda: free)
    loader = DataLoader(Clips(), batch_size=5, num_workers=2, collate_fn=pseudo_collate)
    runner = SimpleNamespace(train_loop=SimpleNamespace(dataloader=loader))
    hook = LoaderRoomHook(in_thread=False)
    hook.before_train(runner)
    loader = runner.train_loop.dataloader
    assert isinstance(loader, ThreadLoader) == thread
    said = capsys.readouterr().out
    if thread:
        assert loader.num_workers == 0 and hook.notes and "in a thread" in hook.notes[0]
        assert "--shm-size" in said and "--workers 0" in said
    else:
        assert isinstance(loader.collate_fn, InSharedMemory) and not hook.notes and not said


def test_tensors_are_shared_where_errors_are_passed_on():
    sample = ActionDataSample().set_gt_label(1)
    batch = InSharedMemory(pseudo_collate)([{"inputs": torch.zeros(3), "data_samples": sample}] * 2)
    assert batch["inputs"][0].is_shared() and batch["data_samples"][0].gt_label.is_shared()


def can_mount():
    make = "mount -t tmpfs -o size=1m tmpfs /dev/shm"
    return (
        os.geteuid() == 0 and subprocess.run(["unshare", "-m", "sh", "-c", make], capture_output=True).returncode == 0
    )


SMALL = """
import sys, torch
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader, Dataset
from harness.worker.loading import InSharedMemory, is_shared_memory_full
from pathlib import Path

class Clips(Dataset):
    def __len__(self): return 8
    def __getitem__(self, i): return {"inputs": torch.zeros(2**20, dtype=torch.uint8)}

loader = DataLoader(Clips(), batch_size=4, num_workers=1, collate_fn=InSharedMemory(pseudo_collate))
try:
    list(loader)
except Exception as e:
    print("full:", is_shared_memory_full(e, Path(".")))
"""


@pytest.mark.skipif(not can_mount(), reason="needs root and mounts of its own")
def test_a_batch_that_finds_no_room_is_an_error_and_no_waiting_for_ever(tmp_path):
    script = tmp_path / "small.py"
    script.write_text(SMALL)
    command = f"mount -t tmpfs -o size=1m tmpfs /dev/shm && exec {sys.executable} {script}"
    got = subprocess.run(["unshare", "-m", "sh", "-c", command], capture_output=True, text=True, timeout=600)
    assert got.stdout == "full: True\n", got.stderr


class Dies(Clips):
    def __getitem__(self, i):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_loader_process_that_was_killed_is_a_killed_job():
    with pytest.raises(RuntimeError) as caught:
        list(DataLoader(Dies(), num_workers=1))
    assert classify(caught.value) == "killed"
    assert classify(SharedMemoryFull()) == "killed" and "--shm-size" in str(SharedMemoryFull())


def test_a_full_disk_is_not_taken_for_full_shared_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.worker.loading.shared_memory_free", lambda: 0)
    full = OSError(28, "No space left on device")
    assert is_shared_memory_full(full, tmp_path)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda p: usage._replace(free=0))
    assert not is_shared_memory_full(full, tmp_path)


def test_doctor_says_when_shared_memory_is_too_small(tmp_path, monkeypatch):
    from harness.system.doctor import shared_memory

    usage = shutil.disk_usage(tmp_path)
    for mib, ok in ((64, False), (8192, True)):
        monkeypatch.setattr(shutil, "disk_usage", lambda p, mib=mib: usage._replace(total=mib << 20, free=mib << 20))
        check = shared_memory(tmp_path)
        assert check.ok == ok and f"{mib} MiB" in check.found and "--shm-size" in check.remedy
    assert shared_memory(tmp_path / "none").ok
