"""A misspelt key of a loader or of the training loop is named when a config is read, not when its run starts."""

import inspect
from pathlib import Path

import mmengine.runner.loops
import pytest
from torch.utils.data import DataLoader

from harness.plan.fields import LOADER, LOOPS, OF_A_LOOP, check_fields

OF_MMENGINE = {"num_batch_per_epoch"}  # taken out by Runner.build_dataloader


def parameters(kind):
    return set(inspect.signature(kind.__init__).parameters) - {"self", "args", "kwargs"}


def test_the_keys_are_those_that_pytorch_and_mmengine_take():
    assert set(LOADER) == parameters(DataLoader) | OF_MMENGINE
    for name, known in LOOPS.items():
        taken = parameters(getattr(mmengine.runner.loops, name)) - {"runner"}
        assert set(known) | {"dataloader"} == taken and "dataloader" in OF_A_LOOP


@pytest.mark.parametrize(
    ("section", "content", "said"),
    [
        ("train_dataloader", {"batchsize": 8}, "unknown key 'batchsize' (near: batch_size"),
        ("test_dataloader", {"num_worker": 0}, "unknown key 'num_worker' (near: num_workers"),
        ("train_cfg", {"type": "EpochBasedTrainLoop", "max_epoch": 3}, "unknown key 'max_epoch' (near: max_epochs"),
        ("train_cfg", {"by_epoch": True, "max_iters": 3}, "unknown key 'max_iters'"),
    ],
)
def test_a_misspelt_key_is_named(section, content, said):
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        check_fields(Path("x.py"), {section: content})
    assert str(refused.value).startswith(f"x.py: {section}: {said}")


def test_what_a_loop_of_another_class_takes_is_its_own():
    check_fields(Path("x.py"), {"train_cfg": {"type": "LabLoop", "rounds": 3}, "val_dataloader": None})
    check_fields(Path("x.py"), {"train_cfg": {"type": ["no", "name"]}})  # whoever builds the loop refuses it
    check_fields(Path("x.py"), {"train_cfg": {"by_epoch": False, "max_iters": 3}, "train_dataloader": {"dataset": {}}})
