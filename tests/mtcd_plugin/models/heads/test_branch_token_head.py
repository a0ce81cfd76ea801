"""Logits and losses of Decouple & Recouple, against the formulas written out."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import copy
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope

from harness.plan.resolve import resolve
from mtcd_plugin.models.heads.branch_token_head import BranchTokenHead, distillation_loss
from tests.helpers.toy_training import train

torch.set_num_threads(1)
CONFIGS = Path(__file__).parents[4] / "mm_configs" / "decouple_recouple"


@pytest.fixture
def epoch():
    """Sets the epoch that a Runner would have noted."""
    hub = MessageHub.get_current_instance()
    before = hub.get_info("epoch", 0)
    yield lambda n: hub.update_info("epoch", n)
    hub.update_info("epoch", before)


def samples(labels):
    return [ActionDataSample().set_gt_label(label) for label in labels]


def test_the_class_layers_have_the_parameters_counted_by_hand():
    with torch.device("meta"):
        assert sum(p.numel() for p in BranchTokenHead(25).parameters()) == 3 * 13_849


def test_merged_logits_are_the_largest_of_the_branches():
    torch.manual_seed(0)
    head, tokens = BranchTokenHead(5, 32), torch.randn(4, 3, 32)
    merged, each = head((tokens, torch.zeros(4, 32))), head.branch_logits(tokens)
    assert each.shape == (4, 3, 5) and torch.equal(merged, each.max(dim=1).values)
    norm, linear = head.fc_cls[1]
    torch.testing.assert_close(each[:, 1], linear(norm(tokens[:, 1])) / 0.07)


def test_tau_rises_over_thirty_epochs_and_stays():
    head = BranchTokenHead(5, 32)
    expected = [*np.linspace(0.04, 0.07, 30), 0.07, 0.07]
    np.testing.assert_allclose([head.tau_at(e) for e in range(32)], expected)
    assert BranchTokenHead(5, 32, tau_epochs=1).tau_at(0) == 0.07


def test_the_divergence_is_the_authors_sum_over_a_batch_of_four():
    torch.manual_seed(0)
    tokens, vector = torch.randn(4, 3, 6, requires_grad=True), torch.randn(4, 6, requires_grad=True)
    p = (tokens.mean(1) / 0.4).softmax(1)
    expected = (p * (p.log() - (vector / 0.4).softmax(1).log())).sum()
    found = distillation_loss(tokens, vector, 0.4)
    torch.testing.assert_close(found, expected)
    found.backward()
    assert tokens.grad is None and vector.grad.abs().sum() > 0
    twice = distillation_loss(tokens.repeat(2, 1, 1), vector.repeat(2, 1), 0.4)
    torch.testing.assert_close(twice, found)
    assert distillation_loss(tokens, tokens.mean(1), 0.4).abs() < 1e-6


@pytest.mark.parametrize("labels", [[0, 3], [4]])
def test_losses_are_smoothed_cross_entropies_and_the_divergence(labels, epoch):
    torch.manual_seed(0)
    epoch(2)
    head, tokens, vector = BranchTokenHead(5, 8), torch.randn(len(labels), 3, 8), torch.randn(len(labels), 8)
    losses = head.loss((tokens, vector), samples(labels))
    tau = 0.04 + 2 * 0.03 / 29
    assert math.isclose(float(head.tau), tau, rel_tol=1e-6)
    each = [linear(norm(tokens[:, i])) / tau for i, (norm, linear) in enumerate(head.fc_cls)]
    wanted = torch.full((len(labels), 5), 0.1 / 5)
    wanted[range(len(labels)), labels] += 0.9

    def entropy(logits):
        return -(wanted * logits.softmax(1).log()).sum(1).mean()

    torch.testing.assert_close(losses["loss_cls"], entropy(torch.stack(each).amax(0)))
    torch.testing.assert_close(losses["loss_branches"], 0.5 * sum(map(entropy, each)))
    torch.testing.assert_close(losses["loss_distillation"], distillation_loss(tokens, vector, 0.4))


def test_the_divergence_counts_from_the_third_epoch_on(epoch):
    torch.manual_seed(0)
    head, feats = BranchTokenHead(5, 8), (torch.randn(2, 3, 8), torch.randn(2, 8))
    for n, counts in ((0, False), (1, False), (2, True), (9, True)):
        epoch(n)
        assert bool(head.loss(feats, samples([0, 1]))["loss_distillation"]) == counts


def test_weights_carry_the_tau_that_they_were_trained_with(epoch):
    torch.manual_seed(0)
    head, feats = BranchTokenHead(5, 8), (torch.randn(2, 3, 8), torch.randn(2, 8))
    epoch(4)
    head.loss(feats, samples([0, 1]))
    other = BranchTokenHead(5, 8)
    other.fc_cls.load_state_dict(head.fc_cls.state_dict())
    assert not torch.allclose(head(feats), other(feats))
    other.load_state_dict(head.state_dict())
    assert torch.equal(head(feats), other(feats))


def test_wrong_settings_are_one_line():
    for wrong in (dict(tau=(0.0, 0.07)), dict(tau_epochs=0), dict(distillation_temperature=-1)):
        with pytest.raises(ValueError, match="BranchTokenHead"):
            BranchTokenHead(5, 8, **wrong)


# ---------------------------------------------------------------------- the recognizer of the configs


def recognizer(profile, name="decouple_recouple_nvgesture-depth"):
    init_default_scope("mmaction")
    return MODELS.build(copy.deepcopy(resolve(CONFIGS / f"{name}.py", profile).config["model"]))


def test_the_recognizer_at_full_size():
    with torch.device("meta"):
        assert sum(p.numel() for p in recognizer("paper").parameters()) == 38_081_453


@pytest.mark.parametrize(("profile", "size"), [("smoke", 32), ("demo", 56)])
def test_one_step_changes_all_weights_that_losses_reach(profile, size):
    torch.manual_seed(0)
    model = recognizer(profile)
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = model(torch.randn(2, 1, 3, 16, size, size), samples([1, 2]), mode="loss")
    sum(v for k, v in losses.items() if k.startswith("loss")).backward()
    optimizer.step()
    unchanged = [n for n, p in model.named_parameters() if torch.equal(p, before[n])]
    # at demo the divergence does not count in the first epoch
    gates = [f"backbone.recoupling.vector.{name}" for name in ("weight", "bias")]
    assert unchanged == (gates if profile == "demo" else [])


def test_it_learns_eight_clips_by_heart():
    torch.manual_seed(0)
    model, clips, labels = recognizer("smoke"), torch.randn(8, 1, 3, 16, 32, 32), list(range(8))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    right = []
    for _ in range(25):
        losses = model(clips, samples(labels), mode="loss")
        optimizer.zero_grad()
        sum(v for k, v in losses.items() if k.startswith("loss")).backward()
        optimizer.step()
        right.append(float(losses["top1_acc"]))
    assert min(right[-3:]) >= 7 / 8


def test_predictions_are_probabilities():
    torch.manual_seed(0)
    model = recognizer("smoke").eval()
    with torch.no_grad():
        found = model(torch.randn(3, 1, 3, 16, 32, 32), samples([0, 1, 2]), mode="predict")
    for sample in found:
        assert sample.pred_score.shape == (25,) and sample.pred_score.sum().item() == pytest.approx(1, abs=1e-5)
        assert int(sample.pred_label) == int(sample.pred_score.argmax())


def test_a_training_that_was_stopped_goes_on_with_its_tau_and_its_divergence(tmp_path):
    backbone = dict(type="DecoupleRecouple", frames=4, window=2, base_channels=2, channels=32, depth=1, heads=1, head_channels=8)  # fmt: skip  # noqa: E501
    head = dict(type="BranchTokenHead", num_classes=3, in_channels=32, tau_epochs=4, distillation_begin=2)
    preprocessor = dict(type="ClipDataPreprocessor")
    model = dict(type="Recognizer3D", backbone=backbone, cls_head=head, data_preprocessor=preprocessor)
    optimizer = dict(optimizer=dict(type="SGD", lr=1e-3))
    config = (model, optimizer, dict(type="ToyClips", modalities=["depth"]), "teacher")
    calm, _ = train(config, tmp_path / "calm", 4)
    half, _ = train(config, tmp_path / "stopped", 2)
    resumed, _ = train(config, tmp_path / "stopped", 4, resume=True)
    found = [c["state_dict"]["cls_head.tau"].item() for c in (half, resumed)]
    assert found == pytest.approx([0.05, 0.07])
    for key, value in calm["state_dict"].items():
        assert torch.equal(value, resumed["state_dict"][key]), key
    gates = "backbone.recoupling.vector.weight"
    assert not torch.equal(half["state_dict"][gates], resumed["state_dict"][gates])
