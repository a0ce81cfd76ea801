"""Mixup and ShuffleMix, and a recognizer that is trained with them."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import copy
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import init_default_scope

from harness.plan.resolve import resolve
from mtcd_plugin.models.losses.soft_targets import soft_targets
from mtcd_plugin.models.recognizers.mixing import mix_batch, mixup, shuffle_mix

torch.set_num_threads(1)
CONFIGS = Path(__file__).parents[4] / "mm_configs" / "umdr"


def batch_of(size):
    """Clips whose every pixel is its clip's number: what is in a mix can be read off."""
    return torch.arange(1.0, size + 1).view(-1, 1, 1, 1, 1, 1).expand(-1, 1, 3, 8, 4, 4).clone()


def test_smoothed_targets():
    found = soft_targets(torch.tensor([2, 0]), 4, 0.1)
    torch.testing.assert_close(found, torch.tensor([[0.025, 0.025, 0.925, 0.025], [0.925, 0.025, 0.025, 0.025]]))
    assert soft_targets(torch.tensor([1]), 3).tolist() == [[0, 1, 0]]


def test_mixup_is_a_weighted_mean_with_the_partner_from_the_end():
    mixed = mixup(batch_of(3), 0.75)
    torch.testing.assert_close(mixed[:, 0, 0, 0, 0, 0], torch.tensor([1.5, 2.0, 2.5]))
    assert torch.equal(mixup(batch_of(3), 1.0), batch_of(3))


@pytest.mark.parametrize(("weight", "replaced"), [(1.0, 0), (0.75, 2), (0.5, 4), (0.0, 8)])
def test_shuffle_mix_replaces_whole_frames_the_same_in_all_clips(weight, replaced):
    torch.manual_seed(0)
    mixed = shuffle_mix(batch_of(4), weight)
    frames = mixed[:, 0, 0, :, 0, 0]
    assert torch.equal(mixed, frames[:, None, None, :, None, None].expand_as(mixed)), "a frame is one clip's, whole"
    own = frames == torch.arange(1, 5)[:, None]
    assert torch.equal(own, own[:1].expand(4, -1)) and (~own[0]).sum() == replaced
    assert torch.equal(torch.where(own, 0, frames), torch.where(own, 0, torch.arange(4, 0, -1)[:, None]))


def test_clips_and_targets_are_mixed_with_one_weight():
    targets = soft_targets(torch.arange(4), 4)
    torch.manual_seed(0)
    for _ in range(20):
        clips, mixed = mix_batch(batch_of(4), targets, shuffle_prob=0.0)
        weight = mixed[0, 0].item()
        torch.testing.assert_close(clips[0, 0, 0, 0, 0, 0], torch.tensor(4 - 3 * weight))
        torch.testing.assert_close(mixed, weight * targets + (1 - weight) * targets.flip(0))
        clips, mixed = mix_batch(batch_of(4), targets, shuffle_prob=1.0)
        assert (clips[0, 0, 0, :, 0, 0] == 4).sum() == round((1 - mixed[0, 0].item()) * 8)


def test_each_way_of_mixing_comes_as_often_as_it_should():
    """Only mixup makes values between the clips'."""
    torch.manual_seed(0)
    targets = torch.eye(4)
    mixes = [mix_batch(batch_of(4), targets)[0] for _ in range(400)]
    between = sum(bool((m != m.round()).any()) for m in mixes)
    assert 290 < between < 350, "four fifths of 400, up to three standard deviations"


def test_a_way_without_alpha_is_off_and_the_rest_follows_the_seed():
    targets = torch.eye(4)
    clips, mixed = mix_batch(batch_of(4), targets, shuffle_prob=0.0, mixup_alpha=0)
    assert torch.equal(clips, batch_of(4)) and torch.equal(mixed, targets)
    torch.manual_seed(7)
    first = [mix_batch(batch_of(4), targets) for _ in range(5)]
    torch.manual_seed(7)
    for (a, b), (c, d) in zip(first, [mix_batch(batch_of(4), targets) for _ in range(5)], strict=True):
        assert torch.equal(a, c) and torch.equal(b, d)


# ---------------------------------------------------------------------- the recognizer


def recognizer(profile="smoke", **model):
    init_default_scope("mmaction")
    torch.manual_seed(0)
    config = resolve(CONFIGS / "umdr_nvgesture-depth.py", profile).config["model"]
    network = MODELS.build({**copy.deepcopy(config), **model})
    network.init_weights()
    return network


def samples(labels):
    made = [ActionDataSample() for _ in labels]
    for sample, label in zip(made, labels, strict=True):
        sample.set_gt_label(label)
    return made


def test_the_head_gets_mixed_clips_with_their_targets(monkeypatch):
    network, seen = recognizer(mixing=dict(shuffle_prob=0.0, mixup_alpha=5.0)).train(), {}
    forward = network.backbone.forward
    monkeypatch.setattr(network.backbone, "forward", lambda x: seen.update(clip=x) or forward(x))
    monkeypatch.setattr(network.cls_head, "loss", lambda _, data, targets: seen.update(targets=targets) or {})
    x = torch.arange(1.0, 5).view(-1, 1, 1, 1, 1, 1).expand(-1, 1, 3, 16, 32, 32)
    data = samples([3, 1, 4, 9])
    network(x, data, mode="loss")
    weight = ((4 - seen["clip"][0, 0, 0, 0, 0]) / 3).item()
    assert 0 < weight < 1
    mixed = seen["targets"][0]
    assert mixed[3].item() == pytest.approx(0.9 * weight + 0.1 / 25)
    assert mixed[9].item() == pytest.approx(0.9 * (1 - weight) + 0.1 / 25)
    torch.testing.assert_close(seen["targets"].sum(dim=1), torch.ones(4))
    assert [d.gt_label.tolist() for d in data] == [[3], [1], [4], [9]], "the samples stay as they were"


def test_tests_mix_nothing_and_predict_probabilities():
    network = recognizer().eval()
    x = torch.randn(2, 1, 3, 16, 32, 32)
    with torch.no_grad():
        both = network(x, samples([0, 1]), mode="predict")
        alone = network(x[1:], samples([1]), mode="predict")
        logits = network.cls_head(network.backbone(x[:, 0]))
    scores = torch.stack([s.pred_score for s in both])
    torch.testing.assert_close(scores, logits.softmax(dim=1), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(scores[1], alone[0].pred_score, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("size", [4, 1])
@pytest.mark.parametrize("mixing", [None, {}])
def test_a_training_step_changes_every_weight_that_it_should(mixing, size):
    network = recognizer(mixing=mixing).train()
    before = {n: p.detach().clone() for n, p in network.named_parameters()}
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3)
    losses = network(torch.randn(size, 1, 3, 16, 32, 32), samples([0, 1, 2, 3][:size]), mode="loss")
    assert 0 <= losses["top1_acc"] <= 1
    loss, _ = network.parse_losses(losses)
    loss.backward()
    optimizer.step()
    same = {n for n, p in network.named_parameters() if torch.equal(p, before[n])}
    assert all("vector" in n for n in same), "the stages' vectors learn when the recoupling loss sets in"
