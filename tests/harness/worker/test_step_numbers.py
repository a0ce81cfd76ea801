"""Numbers of training steps: the same in log and record, fetched from the device together."""

from types import SimpleNamespace

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.hooks import RuntimeInfoHook
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper
from torch import nn

import mtcd_plugin.register  # noqa: F401
from harness.worker.device_accuracy import count_on_device
from harness.worker.hooks import NanLossHook
from harness.worker.step_numbers import StepNumbersHook


class Reader:
    """Keeps what it is told."""

    def __init__(self):
        self.told = []

    def read_step(self, runner, batch_idx, numbers):
        self.told.append((batch_idx, numbers))


def runner_of(name, steps, *hooks):
    return SimpleNamespace(
        message_hub=MessageHub.get_instance(name), hooks=list(hooks), train_dataloader=range(steps), epoch=2
    )


def outputs_of(step, device="cpu"):
    loss = torch.tensor(1.0, device=device) / (step + 3)
    return {"loss": loss, "top1_acc": loss.double() / 7, "kd": 0.25 * step}


@pytest.mark.parametrize("every", [1, 3])
def test_the_log_and_readers_have_every_step_in_order(every):
    reader = Reader()
    runner = runner_of(f"numbers{every}", 7, reader)
    stock = runner_of(f"stock{every}", 7)
    hook, lengths = StepNumbersHook(every), []
    for step in range(7):
        RuntimeInfoHook().after_train_iter(stock, step, outputs=outputs_of(step))
        hook.after_train_iter(runner, step, outputs=outputs_of(step))
        lengths.append(len(reader.told))
    assert lengths == ([1, 2, 3, 4, 5, 6, 7] if every == 1 else [0, 0, 3, 3, 3, 6, 7])
    expected = [(step, {k: float(v) for k, v in outputs_of(step).items()}) for step in range(7)]
    assert reader.told == expected
    for name in ("loss", "top1_acc", "kd"):
        ours, theirs = (r.message_hub.get_scalar(f"train/{name}").data for r in (runner, stock))
        assert [part.tolist() for part in ours] == [part.tolist() for part in theirs]


def test_no_number_is_looked_at_between_logged_lines():
    """Tensors of the meta device have no values: to fetch one would fail."""
    hook = StepNumbersHook(5)
    for step in range(4):
        hook.after_train_iter(runner_of("meta", 9, Reader()), step, outputs=outputs_of(step, "meta"))
    with pytest.raises((RuntimeError, NotImplementedError)):
        hook.after_train_iter(runner_of("meta", 9, Reader()), 4, outputs=outputs_of(4, "meta"))


def test_a_loss_that_is_not_finite_is_named_with_its_step():
    runner = runner_of("nan", 9, NanLossHook())
    hook = StepNumbersHook(4)
    for step in range(3):
        hook.after_train_iter(runner, step, outputs={"loss": torch.tensor(float("nan") if step == 1 else 1.0)})
    with pytest.raises(FloatingPointError, match="loss is nan in epoch 3, iteration 2"):
        hook.after_train_iter(runner, 3, outputs={"loss": torch.tensor(1.0)})


def test_norms_of_gradients_are_logged_as_mmengine_does():
    histories = []
    for name, every in (("norms", 2), ("stock norms", 1)):
        torch.manual_seed(0)
        net = nn.Linear(3, 1)
        wrapper = OptimWrapper(torch.optim.SGD(net.parameters(), 0.1), clip_grad=dict(max_norm=0.5))
        hub = wrapper.message_hub = MessageHub.get_instance(name)
        runner = SimpleNamespace(
            message_hub=hub, hooks=[], train_dataloader=range(4), optim_wrapper=wrapper, cfg=None, seed=0
        )
        hook = StepNumbersHook(every)
        if every > 1:
            hook._keep_norms(wrapper)
        for step in range(4):
            loss = net(torch.ones(2, 3) * (step + 1)).square().mean()
            wrapper.update_params(loss)
            hook.after_train_iter(runner, step, outputs={"loss": loss})
        histories.append(hub.get_scalar("train/grad_norm").data[0].tolist())
    assert histories[0] == histories[1] and len(histories[0]) == 4


def head_of(**changes):
    from mmaction.registry import MODELS
    from mmengine.registry import init_default_scope

    init_default_scope("mmaction")
    config = dict(type="I3DHead", num_classes=7, in_channels=4, spatial_type=None, dropout_ratio=0.0)
    return MODELS.build(config | changes)


def samples_of(labels):
    return [ActionDataSample().set_gt_label(label) for label in labels]


@pytest.mark.parametrize("clips", [1, 6])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("soft", [False, True])
def test_losses_and_accuracies_are_those_of_the_stock_head(clips, smoothing, soft):
    torch.manual_seed(clips)
    scores = torch.randn(clips, 7)
    labels = [x.softmax(0) for x in torch.randn(clips, 7)] if soft else torch.randint(7, (clips,)).tolist()
    stock, ours = head_of(label_smooth_eps=smoothing), head_of(label_smooth_eps=smoothing)
    count_on_device(nn.Sequential(ours))
    expected, found = (head.loss_by_feat(scores, samples_of(labels)) for head in (stock, ours))
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype and torch.equal(found[name], value), name


def test_accuracy_does_not_wait_for_the_device():
    head = head_of()
    count_on_device(head)
    samples = [sample.to("meta") for sample in samples_of([1, 2, 3])]
    losses = head.loss_by_feat(torch.randn(3, 7, device="meta"), samples)
    assert {name: value.device.type for name, value in losses.items()} == dict.fromkeys(losses, "meta")


def test_heads_with_a_loss_of_their_own_keep_it():
    from mmaction.models.heads import I3DHead

    class Own(I3DHead):
        def loss_by_feat(self, cls_scores, data_samples):
            return {"loss_own": cls_scores.sum()}

    head = Own(num_classes=7, in_channels=4, spatial_type=None)
    count_on_device(head)
    assert list(head.loss_by_feat(torch.ones(1, 7), samples_of([1]))) == ["loss_own"]
