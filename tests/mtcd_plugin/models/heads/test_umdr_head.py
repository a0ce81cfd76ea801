"""UMDR's class layers and losses."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import pytest
import torch
import torch.nn.functional as F
from mmaction.structures import ActionDataSample
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope

from mtcd_plugin.models.heads.umdr_head import UMDRHead, recoupling_loss

torch.set_num_threads(1)


@pytest.fixture
def head():
    init_default_scope("mmaction")
    torch.manual_seed(0)
    return UMDRHead(num_classes=5, in_channels=8)


@pytest.fixture
def epoch():
    """Sets the epoch of the training; 0 again afterwards."""
    hub = MessageHub.get_current_instance()
    yield lambda number: hub.update_info("epoch", number)
    hub.update_info("epoch", 0)


def features(size=4):
    return tuple(torch.randn(size, 3, 8, requires_grad=True) for _ in range(3))


def samples(*labels):
    made = [ActionDataSample() for _ in labels]
    for sample, label in zip(made, labels, strict=True):
        sample.set_gt_label(label)
    return made


def test_the_merged_logits_are_the_largest_of_the_branches(head):
    feats = features()
    each = torch.stack([layer(feats[0][:, i]) for i, layer in enumerate(head.fc_cls)]) / 0.07
    assert (head(feats) >= each - 1e-4).all()
    torch.testing.assert_close(head(feats), each.max(dim=0).values)


def test_losses_of_hard_labels_are_those_of_smoothed_ones(head, epoch):
    epoch(29)
    feats = features()
    labels = torch.tensor([0, 1, 2, 4])
    losses = head.loss(feats, samples(*labels.tolist()))
    each = [layer(feats[0][:, i]) / 0.07 for i, layer in enumerate(head.fc_cls)]
    torch.testing.assert_close(losses["loss_cls"], F.cross_entropy(head(feats), labels, label_smoothing=0.1))
    expected = 0.5 * sum(F.cross_entropy(x, labels, label_smoothing=0.1) for x in each)
    torch.testing.assert_close(losses["loss_branches"], expected)
    assert losses["top1_acc"] == (head(feats).argmax(dim=1) == labels).float().mean()


def test_mixed_targets(head, epoch):
    epoch(29)
    feats = features(1)
    targets = torch.tensor([[0.3, 0.0, 0.7, 0.0, 0.0]])
    losses = head.loss(feats, samples(0), targets=targets)
    logs = head(feats).log_softmax(dim=1)[0]
    torch.testing.assert_close(losses["loss_cls"], -0.3 * logs[0] - 0.7 * logs[2])
    assert losses["top1_acc"] == float(logs.argmax() == 2)


def test_tau_and_the_recoupling_loss_follow_the_epoch(head, epoch):
    feats = features()
    whole = recoupling_loss(feats[2], feats[1], 0.6).item()
    for number, tau, weight in (
        (0, 0.04, 0),
        (5, 0.04 + 0.03 * 5 / 29, 0),
        (6, 0.04 + 0.03 * 6 / 29, 0.2),
        (40, 0.07, 0.2),
    ):
        epoch(number)
        losses = head.loss(feats, samples(0, 1, 2, 3))
        assert head.tau.item() == pytest.approx(tau)
        assert losses["loss_distillation"].item() == pytest.approx(weight * whole, rel=1e-4)
    assert UMDRHead(5, 8, distillation_weight=0).loss(feats, samples(0, 1, 2, 3))["loss_distillation"] == 0


def test_recoupling_loss_in_closed_form():
    vectors, tokens = torch.randn(4, 3, 8, requires_grad=True), torch.randn(4, 3, 8, requires_grad=True)
    total = 0.0
    for n in range(4):
        for stage in range(3):
            q = (tokens[n, stage] / 0.6).exp() / (tokens[n, stage] / 0.6).exp().sum()
            p = (vectors[n, stage] / 0.6).exp() / (vectors[n, stage] / 0.6).exp().sum()
            total -= (q * p.log()).sum() / 12
    loss = recoupling_loss(vectors, tokens, 0.6)
    torch.testing.assert_close(loss, total)
    loss.backward()
    assert vectors.grad.abs().sum() > 0 and tokens.grad.abs().sum() > 0, "both sides move, as in the authors' code"
    q = (tokens / 0.6).softmax(dim=-1)
    entropy = -(q * q.log()).sum(dim=-1).mean()
    torch.testing.assert_close(recoupling_loss(tokens, tokens, 0.6), entropy)
    assert loss > entropy


def test_a_batch_of_one_keeps_its_axis(head):
    feats = features(1)
    assert head(feats).shape == (1, 5)
    assert torch.isfinite(torch.stack(list(head.loss(feats, samples(3)).values()))).all()
