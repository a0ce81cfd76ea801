"""Saved states: a damaged one costs an epoch, two cost the training; neither ends it."""

import os

import pytest
import torch

from harness.ledger.lock import LockLost, RunLock
from harness.ledger.run_dir import PREVIOUS, RESUME
from harness.worker.hooks import AtomicCheckpointHook
from harness.worker.resume import recover_state


def save(path, epoch):
    path.parent.mkdir(exist_ok=True)
    state = {"meta": {"epoch": epoch}, "state_dict": {"w": torch.full((4096,), epoch)}, "optimizer": {}}
    torch.save(state, path)


def epoch_of(folder):
    return torch.load(folder / RESUME, weights_only=True)["meta"]["epoch"]


def cut_short(path):
    os.truncate(path, path.stat().st_size // 2)


def emptied(path):
    os.truncate(path, 0)


def zeroed_inside(path):
    """As blocks that never reached the disk: the archive's directory is sound, the weights are not."""
    with open(path, "r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(bytes(512))


def another_file(path):
    torch.save([1, 2], path)


DAMAGES = [cut_short, emptied, zeroed_inside, another_file, os.unlink]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_state_is_replaced_by_the_one_before(tmp_path, damage):
    save(tmp_path / RESUME, 2)
    save(tmp_path / PREVIOUS, 1)
    damage(tmp_path / RESUME)
    (said,) = recover_state(tmp_path)
    assert "went on from the state of the epoch before" in said and str(RESUME) in said
    assert epoch_of(tmp_path) == 1 and recover_state(tmp_path) == []


@pytest.mark.parametrize("damage", DAMAGES[:-1])
def test_without_a_sound_state_training_begins_anew(tmp_path, damage):
    save(tmp_path / RESUME, 2)
    damage(tmp_path / RESUME)
    assert "trained anew" in recover_state(tmp_path)[0]
    save(tmp_path / RESUME, 2)
    save(tmp_path / PREVIOUS, 1)
    damage(tmp_path / RESUME)
    damage(tmp_path / PREVIOUS)
    assert "trained anew" in recover_state(tmp_path)[0]
    assert not list((tmp_path / "mm").iterdir()) and recover_state(tmp_path) == []


def test_a_sound_state_is_left_alone(tmp_path):
    save(tmp_path / RESUME, 2)
    save(tmp_path / PREVIOUS, 1)
    assert recover_state(tmp_path) == [] and epoch_of(tmp_path) == 2
    assert recover_state(tmp_path / "nothing here") == []


class FakeRunner:
    """As much of a Runner as saving asks for."""

    def __init__(self):
        self.model, self.epoch = torch.nn.Linear(2, 2), 0

    def save_checkpoint(self, folder, name, by_epoch):
        self.epoch += 1
        save(RESUME.__class__(folder) / name, self.epoch)


def test_two_states_are_kept_and_none_by_who_lost_the_run(tmp_path):
    lock, runner = RunLock(tmp_path), FakeRunner()
    assert lock.acquire()
    hook = AtomicCheckpointHook(tmp_path, lock)
    (tmp_path / "mm").mkdir()
    for epoch in (1, 2, 3):
        hook.after_train_epoch(runner)
        assert epoch_of(tmp_path) == epoch
    assert torch.load(tmp_path / PREVIOUS, weights_only=True)["meta"]["epoch"] == 2
    lock.release()
    assert RunLock(tmp_path).acquire()  # another harness
    lock.number = 1
    with pytest.raises(LockLost):
        hook.after_train_epoch(runner)
    assert epoch_of(tmp_path) == 3 and sorted(os.listdir(tmp_path / "mm")) == ["last.pth", "previous.pth"]
