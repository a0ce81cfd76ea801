from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch
from mmaction.models.heads import I3DHead
from mmengine.logging import HistoryBuffer
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop

import mtcd_plugin.register  # noqa: F401
from mtcd_plugin.engine.hooks.class_count_hook import ClassCountHook
from mtcd_plugin.engine.hooks.epoch_seed_hook import EpochSeedHook
from mtcd_plugin.engine.hooks.plain_checkpoint_hook import PlainCheckpointHook
from mtcd_plugin.engine.seed_worker import seed_worker


def runner(**parts):
    return SimpleNamespace(seed=5, epoch=2, train_loop=MagicMock(spec=EpochBasedTrainLoop), **parts)


def test_a_checkpoint_with_mmengines_own_types_becomes_loadable_and_comes_back(tmp_path):
    history = HistoryBuffer([1.5, 2.5], [1, 3], max_length=10)
    checkpoint = {
        "meta": {"epoch": np.int64(3), "lr": [np.float64(0.5)]},
        "state_dict": {"w": torch.ones(2)},
        "message_hub": {
            "log_scalars": {"train/loss": history},
            "runtime_info": {"best": np.float32(0.25), "curve": np.arange(3.0)},
            "resumed_keys": {"train/loss": True},
        },
    }
    PlainCheckpointHook().before_save_checkpoint(None, checkpoint)
    torch.save(checkpoint, tmp_path / "c.pth")
    loaded = torch.load(tmp_path / "c.pth", weights_only=True)
    assert loaded["meta"] == {"epoch": 3, "lr": [0.5]}
    PlainCheckpointHook().after_load_checkpoint(None, loaded)
    back = loaded["message_hub"]["log_scalars"]["train/loss"]
    assert isinstance(back, HistoryBuffer) and back.max_length == 10
    assert back.mean() == history.mean() and back.max() == 2.5
    back.update(4.0)
    assert back.current() == 4.0


def test_weights_of_others_are_left_as_they_are():
    checkpoint = {"state_dict": {"w": torch.ones(2)}}
    PlainCheckpointHook().after_load_checkpoint(None, checkpoint)
    assert list(checkpoint) == ["state_dict"]


@pytest.mark.parametrize("phase", ["train", "test"])
def test_a_head_must_have_as_many_classes_as_the_data(phase):
    model = torch.nn.ModuleDict({"student": torch.nn.ModuleDict({"cls_head": I3DHead(7, 4)})})
    loader = SimpleNamespace(dataset=SimpleNamespace(metainfo={"classes": ["a", "b", "c"]}))
    check = getattr(ClassCountHook(), f"before_{phase}")
    with pytest.raises(ValueError, match="model.student.cls_head.num_classes is 7, .* has 3 classes"):
        check(runner(model=model, **{f"{phase}_dataloader": loader}))
    loader.dataset.metainfo["classes"] = list("abcdefg")
    check(runner(model=model, **{f"{phase}_dataloader": loader}))
    loader.dataset = object()
    check(runner(model=model, **{f"{phase}_dataloader": loader}))


def test_the_innermost_data_set_learns_seed_and_epoch():
    inner = MagicMock()
    wrapped = SimpleNamespace(dataset=SimpleNamespace(dataset=inner))
    EpochSeedHook().before_train_epoch(runner(train_dataloader=wrapped))
    inner.set_epoch.assert_called_once_with(5, 2)
    plain = SimpleNamespace(dataset=object())
    EpochSeedHook().before_train_epoch(runner(train_dataloader=plain))


def test_the_first_batch_of_an_epoch_starts_from_the_same_state():
    draws = []
    for seed in (1, 2):
        torch.manual_seed(seed), np.random.seed(seed)
        EpochSeedHook().before_train_iter(runner(), 0)
        draws.append((torch.rand(1).item(), np.random.rand()))
    assert draws[0] == draws[1]
    EpochSeedHook().before_train_iter(runner(), 1)
    assert (torch.rand(1).item(), np.random.rand()) != draws[0]


def test_loops_over_iterations_are_left_alone():
    dataset = MagicMock()
    parts = runner(train_dataloader=SimpleNamespace(dataset=dataset))
    parts.train_loop = MagicMock(spec=IterBasedTrainLoop)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    EpochSeedHook().before_train_epoch(parts)
    EpochSeedHook().before_train_iter(parts, 0)
    assert not dataset.set_epoch.called and torch.equal(torch.rand(1), expected)


def test_workers_are_seeded_by_torchs_seed():
    draws = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        seed_worker(0)
        draws.append(np.random.rand())
    assert draws[0] == draws[1] != draws[2]


def test_a_schedulers_functions_are_left_out_and_it_goes_on_all_the_same(tmp_path):
    """OneCycleLR keeps its annealing function in its state, which ``weights_only=True`` refuses."""
    from mmengine.optim.scheduler import OneCycleLR

    def cycle():
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
        return optimizer, OneCycleLR(optimizer, eta_max=0.1, total_steps=10, by_epoch=False)

    optimizer, straight = cycle()
    for _ in range(4):
        optimizer.step()
        straight.step()
    checkpoint = {"param_schedulers": [straight.state_dict()]}
    PlainCheckpointHook().before_save_checkpoint(None, checkpoint)
    torch.save(checkpoint, tmp_path / "c.pth")
    _, resumed = cycle()
    resumed.load_state_dict(torch.load(tmp_path / "c.pth", weights_only=True)["param_schedulers"][0])
    for _ in range(3):
        straight.step()
        resumed.step()
    assert resumed.get_last_value() == straight.get_last_value()
