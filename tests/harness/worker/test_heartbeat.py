"""What a running job writes about itself: valid JSON with the epoch's loss and training accuracy so far."""

import json
from types import SimpleNamespace

import pytest
import torch

from harness.schedule.progress import stands
from harness.worker import hooks


@pytest.fixture
def beat(tmp_path, monkeypatch):
    """Take steps with these outputs, and return what is in the folder then."""
    monkeypatch.setattr(hooks, "stop_between_steps", lambda: None)
    hook = hooks.RunLogHook(tmp_path, 12, SimpleNamespace(check=lambda: None))
    hook.before_train_epoch(None)

    def take(*steps, test=False):
        for i, outputs in enumerate(steps):
            hook._beat = 0.0
            hook.before_train_iter(None, i)
            if test:
                hook.after_test_iter(None, i)
            else:
                hook.read_step(None, i, {name: float(value) for name, value in outputs.items()})
                hook.after_train_iter(None, i, outputs=outputs)
        return json.loads((tmp_path / "progress.json").read_text())

    take.folder = tmp_path
    return take


def test_loss_and_training_accuracy_are_means_over_the_epoch_so_far(beat):
    found = beat(*({"loss": torch.tensor(x), "top1_acc": torch.tensor(y)} for x, y in [(3.0, 0.0), (1.0, 0.5)]))
    assert found == {"phase": "train", "epoch": 0, "max_epochs": 12, "iteration": 2, "loss": 2.0, "train_top1": 0.25}
    assert "epoch 1/12, loss 2.000, training accuracy 25.0 %" in stands(beat.folder, 3.0).text


def test_of_students_side_by_side_it_says_those_of_the_first(beat):
    found = beat({"loss": torch.tensor(9.0), "point0/loss_cls": 1.0, "point0/top1_acc": 0.75, "point1/loss_cls": 8.0})
    assert found["loss"] == 1.0 and found["train_top1"] == 0.75


def test_what_is_no_number_is_left_out_and_testing_has_neither(beat):
    found = beat({"loss": torch.tensor(float("nan"))})
    assert "loss" not in found and "train_top1" not in found
    assert beat({}, test=True) == {"phase": "test", "epoch": 0, "max_epochs": 12, "iteration": 1}
